"""Replace the packages of a raw table and cell by one that holds what raw made of them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from extractors.errors import SourceError
from extractors.package import (
    Column,
    Manifest,
    PackageWriter,
    package_directory,
    read_manifest,
    verify,
)
from warehouse.engines import duckdb_compaction, duckdb_engine
from warehouse.engines.duckdb_compaction import RawCell
from warehouse.engines.duckdb_raw import HISTORY
from warehouse.load import chains, discards
from warehouse.load.chains import MODE, REJECTED, place_of


def compact(
    connection: duckdb.DuckDBPyConnection,
    landing: Path,
    chain: Sequence[Manifest],
    *,
    drop_history_before: str | None = None,
) -> Manifest:
    """Write what raw holds of a table and cell as a package, record it, and remove nothing.

    `chain` are its packages, all of them loaded. History rows that were outdated before the load
    id `drop_history_before` are left out, and dropped from raw. A kill before the package is
    recorded is made good by `take` at the next catch-up. Only under the writer lease.
    """
    manifest = write(connection, landing, chain, drop_history_before)
    take(connection, landing, manifest)
    return manifest


def write(
    connection: duckdb.DuckDBPyConnection,
    landing: Path,
    chain: Sequence[Manifest],
    drop_history_before: str | None = None,
) -> Manifest:
    """Write the compacted package; a landing folder that ends here replays to the same raw."""
    newest = chain[-1]
    place = place_of(newest)
    standing, *at = _position(connection, place)
    not_loaded = [m.load_id for m in chain if m.mode != MODE and m.load_id > standing]
    if not_loaded:
        raise SourceError(f"{place}: package {not_loaded[0]} is not loaded; run `warehouse run`")
    with_history = duckdb_compaction.has_history(connection, place)
    history = duckdb_compaction.raw_columns(connection, place, HISTORY) if with_history else []
    position, source_position, complete_up_to = at
    with PackageWriter(landing, *_names(place)) as writer:
        kept = duckdb_compaction.kept(place, with_history=with_history)
        for name, part in kept.items():
            path = writer.directory / f"{name}.parquet"
            leaving_out = None
            if name == "history" and drop_history_before:
                leaving_out = duckdb_compaction.outdated(history, newest.key, drop_history_before)
            duckdb_compaction.copy(connection, part, path, leaving_out)
            writer.add_part(path)
        return writer.commit(
            mode=MODE,
            key=newest.key,
            columns=duckdb_compaction.raw_columns(connection, place),
            from_=None,
            to=json.loads(position),
            source_position=source_position,
            complete_up_to=complete_up_to,
            facts={
                "through": standing,
                "history": [asdict(column) for column in history],
                "history_since": drop_history_before,
            },
            replaces=[manifest.load_id for manifest in chains.from_base(chain)],
        )


def take(connection: duckdb.DuckDBPyConnection, landing: Path, manifest: Manifest) -> None:
    """Bring raw to what a compacted package holds; only record it where raw has come that far.

    One transaction; again, it changes nothing. SourceError: a file is missing or changed.
    """
    place, directory = place_of(manifest), package_directory(landing, manifest)
    files = {Path(part.name).stem: directory / part.name for part in manifest.parts}
    recorded = _recorded(connection, place)
    if manifest.load_id in recorded:
        return
    is_older = any(manifest.load_id < other for other in recorded)
    standing = _position(connection, place)[0]
    if is_behind := standing < manifest.facts["through"]:
        verify(directory, manifest)
    with duckdb_engine.transaction(connection):
        if is_behind:
            history = [Column(**column) for column in manifest.facts["history"]]
            duckdb_compaction.take(connection, place, files, manifest.columns, history)
            discards.apply(connection)  # those of later, which state remembers
        elif manifest.facts["history_since"] and "history" in files and not is_older:
            duckdb_compaction.take_history(connection, place, files["history"])
        connection.execute(
            "INSERT INTO meta.compactions VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                manifest.load_id,
                *_names(place),
                manifest.facts["through"],
                datetime.now(UTC),
            ],
        )


def in_order(directories: Iterable[Path]) -> list[Path]:
    """Return the packages in the order in which raw takes them; none that was set aside.

    Compacted ones come first, the newest before all: raw then knows what it replaces.
    """
    compacted: list[Path] = []
    others: list[Path] = []
    for directory in directories:
        if not directory.name.startswith(REJECTED):
            (compacted if _is_compacted(directory) else others).append(directory)
    return [*reversed(compacted), *others]


def _is_compacted(directory: Path) -> bool:
    try:
        return read_manifest(directory).mode == MODE
    except SourceError:  # the loader says what is wrong with it
        return False


def _names(place: RawCell) -> tuple[str, str, str, str]:
    return place.source, place.cell, place.table, place.entity


def _position(connection: duckdb.DuckDBPyConnection, place: RawCell) -> tuple[Any, ...]:
    """Return the last load id, position, source position and completeness; "" before any load."""
    row = connection.execute(
        "SELECT load_id, position, source_position, complete_up_to FROM meta.positions"
        " WHERE source = ? AND cell = ? AND table_name = ? AND entity = ?",
        list(_names(place)),
    ).fetchone()
    return row or ("", "{}", 0, None)


def _recorded(connection: duckdb.DuckDBPyConnection, place: RawCell) -> set[str]:
    rows = connection.execute(
        "SELECT load_id FROM meta.compactions"
        " WHERE source = ? AND cell = ? AND table_name = ? AND entity = ?",
        list(_names(place)),
    ).fetchall()
    return {str(row[0]) for row in rows}
