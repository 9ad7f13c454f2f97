"""The durable steps of a run, and how to be there: the product itself knows no fault points.

At each point a function of the product is replaced, by its name in its module, before the command
starts; where the product no longer calls it that way, the cell says that its point was not reached.
"""

from collections.abc import Callable
from typing import Any

Strike = Callable[[], None]
Hook = Callable[[Strike], None]


def after(owner: str, name: str, count: int = 1, when: Callable[..., bool] | None = None) -> Hook:
    """Strike after the `count`th call of a function has done its work."""
    return _around(owner, name, count, when, is_before=False)


def before(owner: str, name: str, count: int = 1, when: Callable[..., bool] | None = None) -> Hook:
    """Strike before the `count`th call of a function."""
    return _around(owner, name, count, when, is_before=True)


def _around(
    owner: str, name: str, count: int, when: Callable[..., bool] | None, *, is_before: bool
) -> Hook:
    def hook(strike: Strike) -> None:
        place = _named(owner)
        original, seen = getattr(place, name), [0]

        def is_there(*args: Any, **kwargs: Any) -> bool:
            seen[0] += when is None or when(*args, **kwargs)
            return seen[0] == count

        def replaced(*args: Any, **kwargs: Any) -> Any:
            matches = is_there(*args, **kwargs)
            if matches and is_before:
                strike()
            result = original(*args, **kwargs)
            if matches and not is_before:
                strike()
            return result

        setattr(place, name, replaced)

    return hook


def _named(owner: str) -> Any:
    import importlib

    module, _, name = owner.partition(":")
    found = importlib.import_module(module)
    return getattr(found, name) if name else found


def in_dbt(events: int) -> Hook:
    """Strike when dbt has told of so many models and tests; it goes on meanwhile."""

    def hook(strike: Strike) -> None:
        from orchestration import dbt

        original = dbt.build

        def replaced(*args: Any, **kwargs: Any) -> Any:
            for built, event in enumerate(original(*args, **kwargs), 1):
                if built == events:
                    strike()
                yield event

        dbt.build = replaced

    return hook


def _is_publication(*arguments: Any) -> bool:
    """Return whether the records that are written, the last argument, are a publication's."""
    records = arguments[-1]
    return isinstance(records, list) and any(r["kind"] == "publication" for r in records)


EXTRACT: dict[str, Hook] = {
    "part written": after("extractors.package:PackageWriter", "add_part"),
    "manifest renamed": after("extractors.package:PackageWriter", "commit"),
    "transaction begun": before("warehouse.engines.duckdb_raw", "ensure_table"),
    "rows in": after("warehouse.engines.duckdb_raw", "apply_parts"),
    "history in": after("warehouse.engines.duckdb_raw", "_keep_history"),
    "committed": after("warehouse.load.package", "load_package"),
    "certificate queued": after("warehouse.load.outbox", "add"),
}
BUILD: dict[str, Hook] = {
    "dbt model built": in_dbt(2),
    "audit passed": before("orchestration.pipeline:Pipeline", "publish"),
}
PUBLISH: dict[str, Hook] = {
    "version written": after("warehouse.engines.duckdb_snapshot", "copy_public"),
    "version renamed": after("warehouse.publish.publication", "_make_durable"),
    "state segment renamed": after("warehouse.state.segments", "append", when=_is_publication),
    "outbox emptied": after("warehouse.load.outbox", "flush", when=_is_publication),
    "pointer begun": before("pathlib:Path", "symlink_to"),
    "pointer swapped": after("warehouse.publish.versions", "switch"),
    "old versions removed": after("warehouse.publish.versions", "remove_old"),
    "status written": after("warehouse.publish.status", "write_status"),
}
POINTS = {
    **EXTRACT,
    "raw complete": before("orchestration.pipeline:Pipeline", "decide"),
    **BUILD,
    **PUBLISH,
}
