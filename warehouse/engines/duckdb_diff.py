"""Compare one table of two published files by its key, in one full outer join."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from extractors.naming import literal, quoted
from warehouse.engines.differences import Cell, Change, Columns, Retyped, Row, TableDiff, amount
from warehouse.engines.duckdb_snapshot import INTEGERS, is_content, text_of


@contextmanager
def attached(files: Mapping[str, Path], spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Attach published files by name, read-only and closed to other files as for a reader.

    What does not fit in memory goes to the folder `spill`.
    """
    connection = duckdb.connect(config={"temp_directory": str(spill)})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        for name, path in files.items():
            connection.execute(f"ATTACH {literal(str(path))} AS {name} (READ_ONLY)")
        connection.execute("SET enable_external_access = false; SET lock_configuration = true")
        yield connection
    finally:
        connection.close()


def row_count(connection: duckdb.DuckDBPyConnection, name: str, table: tuple[str, str]) -> int:
    """Return how many rows a table of an attached file has."""
    row = connection.execute(f"SELECT count(*) FROM {name}.{quoted(*table)}").fetchone()
    assert row is not None
    return int(row[0])


def columns_of(
    connection: duckdb.DuckDBPyConnection, name: str
) -> dict[tuple[str, str], dict[str, str]]:
    """Return the tables (schema, name) of an attached file outside `meta`, with columns and types.

    Without the columns that a content hash leaves out: a difference in them is none.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, data_type in connection.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = ? AND schema_name <> 'meta'"
        " ORDER BY schema_name, table_name, column_index",
        [name],
    ).fetchall():
        columns = found.setdefault((schema, table), {})
        if is_content(column):
            columns[column] = data_type
    return found


def keys_of(
    connection: duckdb.DuckDBPyConnection, name: str
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the keys that an attached file states; a file of an earlier release states none."""
    if not connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = 'meta'"
        " AND table_name = 'keys'",
        [name],
    ).fetchone():
        return {}
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for schema, table, column in connection.execute(
        f"SELECT table_schema, table_name, column_name FROM {name}.meta.keys"
        " ORDER BY table_schema, table_name, ordinal"
    ).fetchall():
        found[schema, table] = (*found.get((schema, table), ()), column)
    return found


@dataclass(frozen=True, slots=True)
class _Sides:
    """The SQL of one table in both files, with the same columns and types under short names."""

    table: tuple[str, str]
    a: Mapping[str, str]
    b: Mapping[str, str]
    key: tuple[str, ...]

    @property
    def common(self) -> list[str]:
        return [column for column in self.b if column in self.a]

    @property
    def values(self) -> list[str]:
        return [column for column in self.common if column not in self.key]

    @property
    def joined_by(self) -> int:
        """Return how many columns tell rows apart: without a key all, and the copies' number."""
        return len(self.key) or len(self.common) + 1

    @property
    def amounts(self) -> list[str]:
        return [
            column
            for column in self.values
            if _is_amount(self.a[column]) and _is_amount(self.b[column])
        ]

    def _compared(self, side: str, column: str) -> str:
        """Return what of a column is compared: doubles to 12 digits, as the content hash has it."""
        types = {self.a[column], self.b[column]}
        here = (self.a if side == "a" else self.b)[column]
        if len(types) == 1 or all(_is_amount(data_type) for data_type in types):
            return text_of(column, here) if here in {"DOUBLE", "FLOAT"} else quoted(column)
        return f"{quoted(column)}::VARCHAR"

    def _side(self, side: str) -> str:
        key = [self._compared(side, column) for column in self.key or self.common]
        if not self.key:  # rows are compared whole: the second of two equal ones has number 2
            key.append(f"row_number() OVER (PARTITION BY {', '.join(key) or 'true'})")
        names = [f"{expression} AS k{i}" for i, expression in enumerate(key)]
        names += [f"{self._compared(side, c)} AS v{i}" for i, c in enumerate(self.values)]
        return (
            f"(SELECT true AS here, {', '.join(names)} FROM {side}.{quoted(*self.table)}) AS {side}"
        )

    def joined(self, *selected: str) -> str:
        """Return the query of `selected` from the rows of both, `d<n>` where value n differs."""
        same = " AND ".join(f"a.k{i} IS NOT DISTINCT FROM b.k{i}" for i in range(self.joined_by))
        differ = [f"a.v{i} IS DISTINCT FROM b.v{i} AS d{i}" for i in range(len(self.values))]
        inner = ", ".join(["a.here AS in_a", "b.here AS in_b", *differ, *selected])
        return f"SELECT {inner} FROM {self._side('a')} FULL JOIN {self._side('b')} ON {same}"


def _is_amount(data_type: str) -> bool:
    return data_type in INTEGERS or data_type.startswith("DECIMAL")


def compare(
    connection: duckdb.DuckDBPyConnection,
    table: tuple[str, str],
    a: Mapping[str, str],
    b: Mapping[str, str],
    key: Sequence[str],
    shown_rows: int = 0,
) -> TableDiff:
    """Compare a table that both attached files have, with these columns and types, by its key.

    Rows are compared whole where there is no key, a column of it is missing, or it is not unique.
    """
    usable = tuple(key) if set(key) <= a.keys() & b.keys() else ()
    rows_a, rows_b = (row_count(connection, side, table) for side in ("a", "b"))
    sides = _Sides(table, a, b, usable)
    found = _summary(connection, sides)
    if (found["rows_a"], found["rows_b"]) != (rows_a, rows_b):
        sides = _Sides(table, a, b, ())
        found = _summary(connection, sides)
    return TableDiff(
        key=sides.key,
        rows_a=rows_a,
        rows_b=rows_b,
        added=found["added"],
        removed=found["removed"],
        changed=found["changed"],
        changed_columns={c: n for i, c in enumerate(sides.values) if (n := found[f"d{i}"])},
        amounts=tuple(
            amount(column, *(found[f"{which}{i}"] for which in ("a", "b", "added", "removed")))
            for i, column in enumerate(sides.values)
            if column in sides.amounts
        ),
        columns=Columns(
            tuple(column for column in a if column not in b),
            tuple(column for column in b if column not in a),
            tuple(Retyped(c, a[c], b[c]) for c in sides.common if a[c] != b[c]),
        ),
        rows=_rows(connection, sides, shown_rows) if shown_rows else (),
    )


def _summary(connection: duckdb.DuckDBPyConnection, sides: _Sides) -> dict[str, Any]:
    added, removed, both = "in_a IS NULL", "in_b IS NULL", "in_a AND in_b"
    differing = [f"d{i}" for i in range(len(sides.values))]
    changed = f"{both} AND ({' OR '.join(differing) or 'false'})"
    selected = {
        "rows_a": "count(in_a)",
        "rows_b": "count(in_b)",
        "added": f"count(*) FILTER ({added})",
        "removed": f"count(*) FILTER ({removed})",
        "changed": f"count(*) FILTER ({changed})",
    }
    selected |= {d: f"count(*) FILTER ({both} AND {d})" for d in differing}
    amounts: list[str] = []
    for i, column in enumerate(sides.values):
        if column in sides.amounts:
            amounts += [f"a.v{i} AS a{i}", f"b.v{i} AS b{i}"]
            selected[f"a{i}"] = f"coalesce(sum(a{i}), 0)"
            selected[f"b{i}"] = f"coalesce(sum(b{i}), 0)"
            selected[f"added{i}"] = f"coalesce(sum(b{i}) FILTER ({added}), 0)"
            selected[f"removed{i}"] = f"coalesce(sum(a{i}) FILTER ({removed}), 0)"
    row = connection.execute(
        f"SELECT {', '.join(selected.values())} FROM ({sides.joined(*amounts)})"
    ).fetchone()
    assert row is not None
    return dict(zip(selected, row, strict=True))


def _rows(connection: duckdb.DuckDBPyConnection, sides: _Sides, limit: int) -> tuple[Row, ...]:
    """Return the first rows that differ, in order of their key."""
    keys = [f"k{i}" for i in range(sides.joined_by)]
    values = range(len(sides.values))
    selected = [f"coalesce(a.{key}, b.{key}) AS {key}" for key in keys]
    selected += [f"{side}.v{i}::VARCHAR AS {side}{i}" for i in values for side in ("a", "b")]
    differ = " OR ".join(["in_a IS NULL", "in_b IS NULL", *(f"d{i}" for i in values)])
    result = connection.execute(
        f"SELECT * REPLACE ({', '.join(f'{key}::VARCHAR AS {key}' for key in keys)})"
        f" FROM (SELECT * FROM ({sides.joined(*selected)}) WHERE {differ}"
        f" ORDER BY {', '.join(keys)} LIMIT {limit})"
    )
    names = [str(column[0]) for column in result.description or ()]
    found: list[Row] = []
    for row in result.fetchall():
        cells = dict(zip(names, row, strict=True))
        change: Change = "changed" if cells["in_a"] and cells["in_b"] else "removed"
        if not cells["in_a"]:
            change = "added"
        found.append(
            Row(
                change,
                {column: cells[f"k{i}"] for i, column in enumerate(sides.key)},
                {
                    column: Cell(cells[f"a{i}"], cells[f"b{i}"])
                    for i, column in enumerate(sides.values)
                    if cells[f"d{i}"]
                },
            )
        )
    return tuple(found)
