"""A source of three tables that lives in memory, and knows its rows at every moment of its past."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from extractors.package import Column, Manifest, Mode, PackageWriter

SOURCE, CELL = "s", "main"
PRICES, ORDERS, EVENTS = TABLES = ("prices", "orders", "events")
MODES: dict[str, Mode] = {PRICES: "full", ORDERS: "incremental", EVENTS: "stream"}
ARROW = {
    "VARCHAR": pa.string(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DECIMAL(9,2)": pa.decimal128(9, 2),
    "DECIMAL(18,4)": pa.decimal128(18, 4),
}
WIDER = {"INTEGER": "BIGINT", "DECIMAL(9,2)": "DECIMAL(18,4)"}

Value = str | int | bool | Decimal | None
Row = Mapping[str, Value]


def column(name: str, kind: str) -> Column:
    return Column(name, kind, name, kind.lower())


@dataclass(frozen=True, slots=True)
class Change:
    """One change at the source: `row` is None for a deletion; one that does not fit is rejected."""

    table: str
    key: str
    row: Row | None
    fits: bool = True


@dataclass(frozen=True, slots=True)
class Read:
    """What one extraction finds: rows, and rejected keys.

    A row may be marked `_deleted`; those of a stream are changes in the order of `_sequence`.
    """

    table: str
    mode: Mode
    start: int | None
    to: int
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    rejected: tuple[str, ...]


@dataclass(slots=True)
class Shop:
    """The source. A position is the number of changes so far."""

    log: list[Change] = field(default_factory=list[Change])
    columns: dict[str, tuple[Column, ...]] = field(
        default_factory=lambda: dict.fromkeys(
            TABLES,
            (column("id", "VARCHAR"), column("n", "INTEGER"), column("amount", "DECIMAL(9,2)")),
        )
    )

    def rows(self, table: str, position: int) -> dict[str, Row]:
        """Return the rows of a table as they stood at a position, those that fit."""
        found: dict[str, Row] = {}
        for change in self._changes(table, 0, position):
            if change.row is None:
                found.pop(change.key, None)
            elif change.fits:
                found[change.key] = change.row
        return found

    def rejected(self, table: str, start: int, position: int) -> list[str]:
        """Return the keys changed after `start` whose row at the position does not fit."""
        last = {change.key: change for change in self._changes(table, start, position)}
        return [key for key, change in last.items() if not change.fits]

    def widen(self, table: str, name: str) -> bool:
        """Widen a column's type at the source, where it can be."""
        before = self.columns[table]
        self.columns[table] = tuple(
            column(c.name, WIDER.get(c.type, c.type)) if c.name == name else c for c in before
        )
        return self.columns[table] != before

    def add_column(self, table: str) -> None:
        self.columns[table] += (column(f"extra_{len(self.columns[table])}", "VARCHAR"),)

    def read(self, table: str, start: int | None, *, redelivered: int = 0) -> Read:
        """Extract a table: as a whole, or what changed since `start`.

        A stream hands some changes out once more.
        """
        to, mode = len(self.log), MODES[table]
        if start is None or mode == "full":
            return Read(table, "full", None, to, *self._whole(table, to))
        begin = max(0, start - redelivered) if mode == "stream" else start
        changed = {change.key: change for change in self._changes(table, begin, to)}
        if mode == "stream":
            rows = [
                {**(change.row or {}), "id": change.key, "_deleted": change.row is None}
                | {"_sequence": sequence}
                for sequence, change in enumerate(self.log[begin:to], begin)
                if change.table == table and change.fits
            ]
            rejected = [c.key for c in self._changes(table, begin, to) if not c.fits]
        else:
            now = self.rows(table, to)
            rows = [
                now.get(key, {"id": key, "_deleted": True})
                for key, change in changed.items()
                if change.fits
            ]
            rejected = self.rejected(table, begin, to)
        return Read(table, mode, start, to, self.columns[table], tuple(rows), tuple(rejected))

    def _whole(
        self, table: str, position: int
    ) -> tuple[tuple[Column, ...], tuple[Row, ...], tuple[str, ...]]:
        rows = tuple(self.rows(table, position).values())
        return self.columns[table], rows, tuple(self.rejected(table, 0, position))

    def _changes(self, table: str, start: int, position: int) -> Iterator[Change]:
        return (change for change in self.log[start:position] if change.table == table)


def land(landing: Path, read: Read) -> Manifest:
    """Write what was read as a load package, as the extractors do."""
    marks = {"_deleted": pa.bool_(), "_sequence": pa.int64()}
    types = {c.name: ARROW[c.type] for c in read.columns}
    types |= {name: kind for name, kind in marks.items() if any(name in row for row in read.rows)}
    schema = pa.schema(list(types.items()))
    rows = [{name: row.get(name) for name in types} for row in read.rows]
    half = len(rows) // 2
    with PackageWriter(landing, SOURCE, CELL, read.table) as writer:
        for part in (rows[:half], rows[half:]):
            if part:
                path = writer.new_part()
                pq.write_table(pa.Table.from_pylist(part, schema=schema), path)
                writer.add_part(path)
        writer.quarantine(
            [
                {"reason": "unfit", "field": "n", "row_key": f'["{key}"]', "payload": key}
                for key in read.rejected
            ]
        )
        return writer.commit(
            mode=read.mode,
            key=["id"],
            columns=read.columns,
            from_=None if read.start is None else {"at": read.start},
            to={"at": read.to},
            source_position=read.to,
            complete_up_to=datetime(2026, 1, 1, tzinfo=UTC),
            facts={"items_read": len(rows) + len(read.rejected)},
        )
