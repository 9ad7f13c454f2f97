"""Make raw again as it was known at an instant, from the packages that had landed by then."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from extractors.errors import ConfigError
from extractors.package import Manifest, utc_text
from warehouse.engines.duckdb_compaction import RawCell
from warehouse.load import chains, compaction, package

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
    landed = {
        raw: alone
        for raw, chain in chains.chains(landing, places).items()
        if (alone := _from_the_first_that_stands_alone(chain))
    }
    _require_known(places, landed, known_at)
    for chain in landed.values():
        for manifest in chains.known_at(chain, known_at):
            if manifest.mode == chains.MODE:
                compaction.take(connection, landing, manifest)
                continue
            record = package.load_package(connection, landing, manifest, run_id=run_id, rules=rules)
            if loaded:
                loaded(record)


def _from_the_first_that_stands_alone(chain: Sequence[Manifest]) -> Sequence[Manifest]:
    alone = (at for at, manifest in enumerate(chain) if manifest.mode in {"full", chains.MODE})
    return chain[next(alone, len(chain)) :]


def _require_known(
    places: Collection[Place], landed: Mapping[RawCell, Sequence[Manifest]], known_at: datetime
) -> None:
    """Raise ConfigError unless every table, in at least one of its cells, had landed.

    Where packages were removed after they were merged, no cell knows of the time before.
    """
    since: dict[str, datetime] = {}
    for raw, chain in landed.items():
        name = f"{raw.source}.{raw.table}"
        since[name] = min(chain[0].finished_at, since.get(name, chain[0].finished_at))
    for raw, chain in landed.items():
        name = f"{raw.source}.{raw.table}"
        since[name] = max(since[name], chains.earliest_known_at([chain]) or since[name])
    never = sorted({f"{source}.{table}" for source, _, table in places} - since.keys())
    if never:
        raise ConfigError(f"{', '.join(never)}: nothing has landed yet; run `warehouse run` first")
    late = sorted(name for name, at in since.items() if at > known_at)
    if late:
        raise ConfigError(
            f"landing tells nothing of {', '.join(late)} at {utc_text(known_at)}; the earliest"
            f" instant that can be rebuilt is {utc_text(max(since.values()))}"
        )
