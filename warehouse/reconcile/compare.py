"""Compare a raw table with its source: checksums of key ranges, then rows where they differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb

from extractors.naming import quoted
from extractors.package import Manifest
from warehouse.reconcile import canonical

# A range is what a difference names and costs to look at: its keys and hashes travel. More
# ranges than that make the source's search for each row's range dearer than its hash.
ROWS_PER_RANGE = 500
MOST_RANGES = 256
# Ranges that differ are looked at together up to this many rows, so that memory stays bounded.
ROWS_AT_ONCE = 200_000
SHOWN_KEYS = 5

Checksum = tuple[int, int, int]
EMPTY: Checksum = (0, 0, 0)
# pyarrow ships no types: this is its Table.
ArrowTable = Any


class Reader(Protocol):
    """What the comparison asks of a source, in one snapshot.

    `columns` are raw columns with their types, or HMAC where raw holds a hash.
    Range n of boundaries holds the keys from boundary n - 1 on and before boundary n.
    """

    source: str
    cell: str
    table: str
    key: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    position: dict[str, Any]

    @property
    def range_key(self) -> tuple[str, str] | None: ...

    def checksums(self, boundaries: Sequence[str]) -> Mapping[int, Checksum]: ...

    def hashes(self, boundaries: Sequence[str], ranges: Sequence[int]) -> ArrowTable: ...

    def repair(
        self,
        landing: Path,
        boundaries: Sequence[str],
        ranges: Sequence[int],
        missing: ArrowTable,
        deleted: ArrowTable,
    ) -> Manifest: ...


@dataclass(frozen=True, slots=True)
class Differences:
    """Where source and raw differ.

    `missing` and `deleted` hold raw keys: rows that only the source, only raw has. `changed` counts
    rows that both have with other content, `changed_keys` shows the first.
    """

    boundaries: tuple[str, ...]
    ranges: tuple[int, ...]
    texts: tuple[str, ...]
    source: Checksum
    warehouse: Checksum
    missing: ArrowTable
    deleted: ArrowTable
    missing_rows: int
    deleted_rows: int
    changed: int
    changed_keys: tuple[str, ...]

    @property
    def unexplained(self) -> bool:
        """Whether ranges differ though no key does: raw holds a key more than once."""
        return self.source[0] + self.deleted_rows != self.warehouse[0] + self.missing_rows


def compare(
    connection: duckdb.DuckDBPyConnection, raw_table: tuple[str, str], cell: str, reader: Reader
) -> Differences:
    """Return the differences between a source's table and the live rows of one cell in raw."""
    raw = _Raw(connection, quoted(*raw_table), cell, reader)
    boundaries = raw.boundaries()
    at_source = dict(reader.checksums(boundaries))
    in_raw = raw.checksums(boundaries)
    ranges = tuple(
        n for n in sorted({*at_source, *in_raw}) if at_source.get(n, EMPTY) != in_raw.get(n, EMPTY)
    )
    connection.execute("DROP TABLE IF EXISTS differing")
    keys = ", ".join(quoted(name) for name in reader.key)
    connection.execute(
        f"CREATE TEMP TABLE differing AS SELECT {keys}, '' AS _side FROM {raw.table} LIMIT 0"
    )
    sizes = {n: max(at_source.get(n, EMPTY)[0], in_raw.get(n, EMPTY)[0]) for n in ranges}
    for group in _groups(ranges, sizes):
        raw.collect(boundaries, group)
    sides = dict(connection.execute("SELECT _side, count(*) FROM differing GROUP BY 1").fetchall())

    def of(side: str) -> ArrowTable:
        return connection.sql(
            f"SELECT {keys} FROM differing WHERE _side = '{side}' ORDER BY {keys}"
        ).to_arrow_table()

    shown = connection.execute(
        f"SELECT {keys} FROM differing WHERE _side = 'changed' ORDER BY {keys} LIMIT {SHOWN_KEYS}"
    ).fetchall()
    differences = Differences(
        boundaries=boundaries,
        ranges=ranges,
        texts=tuple(_range_text(reader, boundaries, n) for n in ranges),
        source=_total(at_source),
        warehouse=_total(in_raw),
        missing=of("missing"),
        deleted=of("deleted"),
        missing_rows=int(sides.get("missing", 0)),
        deleted_rows=int(sides.get("deleted", 0)),
        changed=int(sides.get("changed", 0)),
        changed_keys=tuple(_key_text(reader.key, row) for row in shown),
    )
    connection.execute("DROP TABLE differing")
    return differences


class _Raw:
    """The live rows of one cell of a raw table, as the comparison sees them."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, cell: str, reader: Reader
    ) -> None:
        self.connection, self.table, self.reader = connection, table, reader
        self.bound = {"cell": cell}
        self.live = f"FROM {table} WHERE _cell = $cell AND _deleted_at IS NULL"
        self.hashed = [name for name, kind in reader.columns if kind == "HMAC"]
        self.hash = f"md5({canonical.row_text(reader.columns)})"

    def boundaries(self) -> tuple[str, ...]:
        """Return every so manieth live key, as text."""
        if self.reader.range_key is None:
            return ()
        name, raw_type = self.reader.range_key
        key = quoted(name)
        # Not a finite year of four digits: its text is another one at the source.
        common = f" AND year({key}) BETWEEN 1 AND 9999" if _is_moment(raw_type) else ""
        found = self.connection.execute(
            f"SELECT DISTINCT {key}::VARCHAR, {key} FROM (SELECT {key}, row_number() OVER"
            f" (ORDER BY {key}) AS n, count(*) OVER () AS rows {self.live}{common})"
            f" WHERE n % greatest({ROWS_PER_RANGE}, rows // {MOST_RANGES} + 1) = 0 ORDER BY {key}",
            self.bound,
        ).fetchall()
        return tuple(str(row[0]) for row in found)

    def checksums(self, boundaries: Sequence[str]) -> dict[int, Checksum]:
        """Return what raw says of each key range that has live rows."""
        rows = f"SELECT {self._range(boundaries)} AS b, {self.hash} AS h {self.live}"
        found = self.connection.execute(canonical.checksum(rows), self.bound).fetchall()
        return {int(b): (int(n), int(low), int(high)) for b, n, low, high in found}

    def collect(self, boundaries: Sequence[str], ranges: Sequence[int]) -> None:
        """Compare the rows of some ranges by key and add those that differ to `differing`."""
        connection, reader = self.connection, self.reader
        connection.register("at_source", reader.hashes(boundaries, ranges))
        types = {**dict(reader.columns), **dict.fromkeys(self.hashed, "VARCHAR")}
        # Arrow brings a UUID as text.
        typed = ", ".join(f"{quoted(k)}::{types[k]} AS {quoted(k)}" for k in reader.key)
        keys = ", ".join(quoted(name) for name in reader.key)
        numbers = ", ".join(str(n) for n in ranges)
        coalesced = ", ".join(f"coalesce(s.{quoted(k)}, r.{quoted(k)})" for k in reader.key)
        same_key = " AND ".join(f"s.{quoted(k)} = r.{quoted(k)}" for k in reader.key)
        try:
            connection.execute(
                f"INSERT INTO differing SELECT {coalesced}, CASE WHEN r.row_hash IS NULL"
                f" THEN 'missing' WHEN s.row_hash IS NULL THEN 'deleted' ELSE 'changed' END"
                f" FROM (SELECT {typed}, row_hash FROM at_source) AS s FULL JOIN"
                f" (SELECT {keys}, {self.hash} AS row_hash"
                f" {self.live} AND {self._range(boundaries)} IN ({numbers})) AS r ON {same_key}"
                f" WHERE s.row_hash IS DISTINCT FROM r.row_hash",
                self.bound,
            )
        finally:
            connection.unregister("at_source")

    def _range(self, boundaries: Sequence[str]) -> str:
        """Return SQL for the number of a row's key range: a search by halves."""
        if self.reader.range_key is None or not boundaries:
            return "0"
        name, raw_type = self.reader.range_key
        key = quoted(name)

        def search(low: int, high: int) -> str:
            if low == high:
                return str(low)
            middle = (low + high) // 2
            boundary = boundaries[middle].replace("'", "''")
            return (
                f"CASE WHEN {key} < '{boundary}'::{raw_type} THEN {search(low, middle)}"
                f" ELSE {search(middle + 1, high)} END"
            )

        return search(0, len(boundaries))


def _is_moment(raw_type: str) -> bool:
    return raw_type in ("DATE", "TIMESTAMP", "TIMESTAMPTZ")


def _groups(ranges: Sequence[int], sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Yield the ranges in groups of bounded size."""
    group: list[int] = []
    rows = 0
    for number in ranges:
        if group and rows + sizes[number] > ROWS_AT_ONCE:
            yield group
            group, rows = [], 0
        group.append(number)
        rows += sizes[number]
    if group:
        yield group


def _total(checksums: Mapping[int, Checksum]) -> Checksum:
    rows = list(checksums.values()) or [EMPTY]
    return sum(r[0] for r in rows), sum(r[1] for r in rows), sum(r[2] for r in rows)


def _range_text(reader: Reader, boundaries: Sequence[str], number: int) -> str:
    if reader.range_key is None or not boundaries:
        return "all keys"
    name = reader.range_key[0]
    lower = [f"{name} >= {boundaries[number - 1]}"] if number else []
    upper = [f"{name} < {boundaries[number]}"] if number < len(boundaries) else []
    return " and ".join([*lower, *upper])


def _key_text(key: Sequence[str], values: Sequence[object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(key, values, strict=True))
