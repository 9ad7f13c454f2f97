"""Copy what raw and `meta` hold of one table and cell to Parquet files, and take it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from extractors.errors import SourceError
from extractors.naming import literal, quoted
from extractors.package import Column
from warehouse.engines.duckdb_package import METADATA, SEQUENCE
from warehouse.engines.duckdb_raw import HISTORY, columns_of, ensure_table, schema_of


@dataclass(frozen=True, slots=True, order=True)
class RawCell:
    """The rows of one raw table that come from one cell; `table` is the folder of its packages."""

    source: str
    cell: str
    table: str
    entity: str

    def __str__(self) -> str:
        return f"{self.source}.{self.entity} ({self.cell})"


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a compacted package: the table it belongs to, and which of its rows it holds."""

    table: str
    condition: str


def kept(place: RawCell, *, with_history: bool) -> dict[str, Kept]:
    """Return all that belongs to a raw table and cell, by the name of its file.

    The rows come last: their schema is the package's.
    """
    entity = f"source = {literal(place.source)} AND entity = {literal(place.entity)}"
    whole = f"{entity} AND cell = {literal(place.cell)} AND table_name = {literal(place.table)}"
    loads = f"SELECT load_id FROM meta.loads WHERE {whole}"
    schema, in_cell = schema_of(place.source), f"_cell = {literal(place.cell)}"
    found = {
        "positions": Kept("meta.positions", whole),
        "quarantine": Kept("meta.quarantine", whole),
        "columns": Kept("meta.columns", entity),
        "schema_changes": Kept("meta.schema_changes", f"{entity} AND load_id IN ({loads})"),
        "loads": Kept("meta.loads", whole),
    }
    if with_history:
        found["history"] = Kept(quoted(schema, place.entity + HISTORY), in_cell)
    return found | {"rows": Kept(quoted(schema, place.entity), in_cell)}


def has_history(connection: duckdb.DuckDBPyConnection, place: RawCell) -> bool:
    """Return whether a raw table has a history, whose rows may be none."""
    return bool(columns_of(connection, schema_of(place.source), place.entity + HISTORY))


def raw_columns(
    connection: duckdb.DuckDBPyConnection, place: RawCell, suffix: str = ""
) -> list[Column]:
    """Return the columns of a raw table or its history as they stand, without the metadata."""
    metadata = {name for name, _ in METADATA}
    recorded = {
        str(name): (str(source_name), str(source_type))
        for name, source_name, source_type in connection.execute(
            "SELECT column_name, source_name, source_type FROM meta.columns"
            " WHERE source = ? AND entity = ?",
            [place.source, place.entity],
        ).fetchall()
    }
    found = columns_of(connection, schema_of(place.source), place.entity + suffix)
    return [
        Column(name, data_type, *recorded.get(name, (name, data_type)))
        for name, data_type in found.items()
        if name not in metadata
    ]


def outdated(columns: Sequence[Column], key: Sequence[str], before: str) -> str:
    """Return the condition of history rows that a later version replaced before a load id.

    Load ids sort by their time, the versions that a stream's package made by `_sequence`. The last
    version of each key before the load id stays: it was in force.
    """
    order = ["_load_id", *(name for name in (SEQUENCE,) if name in {c.name for c in columns})]
    over = ", ".join([*map(quoted, key), f"_load_id < {literal(before)}"])
    return (
        f"_load_id < {literal(before)} AND"
        f" row_number() OVER (PARTITION BY {over}"
        f" ORDER BY {', '.join(f'{name} DESC' for name in order)}) > 1"
    )


def outdated_rows(
    connection: duckdb.DuckDBPyConnection, place: RawCell, key: Sequence[str], before: str
) -> int:
    """Return how many history rows of a cell are outdated."""
    if not has_history(connection, place):
        return 0
    history = kept(place, with_history=True)["history"]
    columns = raw_columns(connection, place, HISTORY)
    row = connection.execute(
        f"SELECT count(*) FROM (SELECT _load_id FROM {history.table} WHERE {history.condition}"
        f" QUALIFY {outdated(columns, key, before)})"
    ).fetchone()
    assert row is not None
    return int(row[0])


def copy(
    connection: duckdb.DuckDBPyConnection, part: Kept, path: Path, leaving_out: str | None = None
) -> None:
    """Write rows to a Parquet file; SourceError unless the file holds exactly those rows.

    `leaving_out` is a condition that may use windows.
    """
    rows = f"SELECT * FROM {part.table} WHERE {part.condition}"
    if leaving_out:
        rows += f" QUALIFY NOT coalesce({leaving_out}, false)"
    connection.execute(f"COPY ({rows}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
    types = connection.execute(f"DESCRIBE SELECT * FROM {part.table}").fetchall()
    back = ", ".join(
        f"CAST({quoted(name)} AS {kind}) AS {quoted(name)}" for name, kind, *_ in types
    )
    written = f"SELECT {back} FROM read_parquet({literal(str(path))})"
    if _checksum(connection, rows) != _checksum(connection, written):
        raise SourceError(f"{path}: does not hold what {part.table} does; nothing is compacted")


def _checksum(connection: duckdb.DuckDBPyConnection, rows: str) -> tuple[object, ...] | None:
    return connection.execute(f"SELECT count(*), sum(hash(r)) FROM ({rows}) AS r").fetchone()


def take(
    connection: duckdb.DuckDBPyConnection,
    place: RawCell,
    files: Mapping[str, Path],
    columns: Sequence[Column],
    history_columns: Sequence[Column],
) -> None:
    """Put the content of the files in place of what raw and `meta` hold of a table and cell."""
    changed = _ensure(connection, place, place.entity, columns)
    if "history" in files:
        _ensure(connection, place, place.entity + HISTORY, history_columns)
    for name, part in kept(place, with_history=has_history(connection, place)).items():
        if name == "columns":
            _take_columns(connection, place, files[name], changed)
            continue
        connection.execute(f"DELETE FROM {part.table} WHERE {part.condition}")
        if name in files:
            _insert(connection, part.table, files[name])


def _ensure(
    connection: duckdb.DuckDBPyConnection, place: RawCell, table: str, columns: Sequence[Column]
) -> list[str]:
    """Make a raw table fit the columns and return those that changed.

    Another cell may have brought a wider type since the package was written: that one stays.
    """
    existing = columns_of(connection, schema_of(place.source), table)
    fitting = [
        replace(column, type=_wider(connection, existing.get(column.name), column.type))
        for column in columns
    ]
    return [change.column for change in ensure_table(connection, place.source, table, fitting)]


def _wider(connection: duckdb.DuckDBPyConnection, one: str | None, other: str) -> str:
    if one is None or one == other:
        return other
    found = f"SELECT typeof(coalesce(CAST(NULL AS {one}), CAST(NULL AS {other})))"
    try:
        row = connection.execute(found).fetchone()
    except duckdb.Error:  # they have nothing in common: `ensure_table` says so
        return other
    assert row is not None
    return str(row[0])


def _take_columns(
    connection: duckdb.DuckDBPyConnection, place: RawCell, file: Path, changed: Sequence[str]
) -> None:
    """Record the columns that raw did not have in this form, and which of them the cell has."""
    entity = [place.source, place.entity]
    for name in changed:
        connection.execute(
            "DELETE FROM meta.columns WHERE source = ? AND entity = ? AND column_name = ?",
            [*entity, name],
        )
    connection.execute(
        f"INSERT INTO meta.columns BY NAME SELECT * FROM read_parquet({literal(str(file))})"
        " WHERE column_name NOT IN"
        " (SELECT column_name FROM meta.columns WHERE source = ? AND entity = ?)",
        entity,
    )
    connection.execute(
        "UPDATE meta.columns AS c SET cells = list_sort(CASE WHEN list_contains(f.cells, $cell)"
        " THEN list_append(c.cells, $cell) ELSE list_filter(c.cells, lambda x: x <> $cell) END)"
        f" FROM read_parquet({literal(str(file))}) AS f"
        " WHERE (c.source, c.entity, c.column_name) = (f.source, f.entity, f.column_name)"
        " AND list_contains(c.cells, $cell) <> list_contains(f.cells, $cell)",
        {"cell": place.cell},
    )


def _insert(connection: duckdb.DuckDBPyConnection, table: str, file: Path) -> None:
    connection.execute(
        f"INSERT INTO {table} BY NAME SELECT * FROM read_parquet({literal(str(file))})"
    )


def take_history(connection: duckdb.DuckDBPyConnection, place: RawCell, file: Path) -> None:
    """Put the history rows of a file in place of those of the cell."""
    history = kept(place, with_history=True)["history"]
    connection.execute(f"DELETE FROM {history.table} WHERE {history.condition}")
    _insert(connection, history.table, file)
