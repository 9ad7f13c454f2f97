"""Make raw again as it was known at an instant, from the packages that had landed by then."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from extractors.errors import ConfigError
from extractors.package import Manifest, packages, read_manifest, utc_text
from warehouse.load import package
from warehouse.load.replay import REJECTED

Place = tuple[str, str, str]  # source, cell, table


def replay(
    connection: duckdb.DuckDBPyConnection,
    landing: Path,
    places: Collection[Place],
    known_at: datetime,
    *,
    run_id: str,
    rules: package.LoadRules,
    loaded: Callable[[package.LoadRecord], None] | None = None,
) -> None:
    """Load into an empty build database what had landed by `known_at`; landing stays as it is.

    A package counts from the moment its manifest was finished: the one time that outlives the
    build database, whose own times of loading begin anew with it. What was set aside counts never.
    ConfigError names the earliest instant that landing still tells of. Only under the writer lease
    of the warehouse, which keeps packages from being removed meanwhile.
    """
    chains = {place: _chain(landing, place) for place in places}
    _require_known(chains, known_at)
    for chain in chains.values():
        for manifest in chain:
            if manifest.finished_at <= known_at:
                record = package.load_package(
                    connection, landing, manifest, run_id=run_id, rules=rules
                )
                if loaded:
                    loaded(record)


def _chain(landing: Path, place: Place) -> list[Manifest]:
    """Return the packages of a table and cell, oldest first, from the first that stands alone."""
    found = [read_manifest(d) for d in packages(landing, *place) if not d.name.startswith(REJECTED)]
    start = next((at for at, manifest in enumerate(found) if _stands_alone(manifest)), len(found))
    return found[start:]


def _stands_alone(manifest: Manifest) -> bool:
    return manifest.mode == "full"


def _require_known(chains: Mapping[Place, Sequence[Manifest]], known_at: datetime) -> None:
    """Raise ConfigError unless every table, in at least one of its cells, had landed."""
    since: dict[str, datetime] = {}
    for (source, _, table), chain in chains.items():
        name = f"{source}.{table}"
        if chain:
            since[name] = min(chain[0].finished_at, since.get(name, chain[0].finished_at))
    never = sorted({f"{source}.{table}" for source, _, table in chains} - since.keys())
    if never:
        raise ConfigError(f"{', '.join(never)}: nothing has landed yet; run `warehouse run` first")
    late = sorted(name for name, at in since.items() if at > known_at)
    if late:
        raise ConfigError(
            f"landing tells nothing of {', '.join(late)} at {utc_text(known_at)}; the earliest"
            f" instant that can be rebuilt is {utc_text(max(since.values()))}"
        )
