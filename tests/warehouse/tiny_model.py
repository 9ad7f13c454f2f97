"""What raw should hold and readers should see: a model in plain Python, without a database."""

from dataclasses import dataclass, field
from typing import Any

from tests.warehouse.tiny_shop import TABLES, Read, Row, Shop
from tests.warehouse.tiny_warehouse import HISTORY, MOST_REJECTED

Rows = dict[str, Row]
# Columns with their types, and rows by id.
Content = tuple[tuple[tuple[str, str], ...], list[Row]]
CHANGED = ("inserted", "updated", "deleted")


@dataclass(frozen=True, slots=True)
class Landed:
    """A load package, and what its extraction found."""

    load_id: str
    read: Read


def same(one: Row, other: Row) -> bool:
    """Return whether two rows are equal; a column that one lacks is NULL."""
    return all(one.get(name) == other.get(name) for name in one.keys() | other.keys())


def _step(key: str, stands: Rows, row: Row | None) -> list[tuple[str, Row]]:
    """Let a row become another (None: gone), and return what that changed, if anything."""
    before = stands.pop(key, None)
    if row is not None:
        stands[key] = row
    if before is None:
        return [] if row is None else [("inserted", row)]
    if row is None:
        return [("deleted", before)]
    return [] if same(before, row) else [("updated", row)]


@dataclass(slots=True)
class Raw:
    """What raw should hold: pure consequences of the packages loaded, in their order."""

    shop: Shop
    loaded: dict[str, list[Landed]] = field(default_factory=lambda: {t: [] for t in TABLES})
    records: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    history: dict[str, list[tuple[Row, str, bool]]] = field(
        default_factory=lambda: {table: [] for table in HISTORY}
    )
    changed_columns: set[str] = field(default_factory=set)

    def standing(self, table: str) -> Landed | None:
        return self.loaded[table][-1] if self.loaded[table] else None

    def rows(self, table: str) -> Rows:
        standing = self.standing(table)
        return self.shop.rows(table, standing.read.to) if standing else {}

    def projected(self, table: str) -> Content:
        """Return a table's columns with their types, and its rows by id."""
        standing = self.standing(table)
        columns = standing.read.columns if standing else ()
        rows = sorted(self.rows(table).items())
        return (
            tuple((c.name, c.type) for c in columns),
            [{c.name: row.get(c.name) for c in columns} for _, row in rows],
        )

    def load(self, package: Landed) -> None:
        read = package.read
        standing = self.standing(read.table)
        if not standing or standing.read.columns != read.columns:
            self.changed_columns.add(package.load_id)
        old, new = self.rows(read.table), self.shop.rows(read.table, read.to)
        made: list[tuple[str, Row]] = []  # what happened to a row, and the row it left
        if read.mode == "stream":  # each change counts for itself
            stands = dict(old)
            for change in read.rows:
                row = {name: value for name, value in change.items() if name[0] != "_"}
                made += _step(str(change["id"]), stands, None if change["_deleted"] else row)
            assert stands.keys() == new.keys()
        else:
            for key in old.keys() | new.keys():
                made += _step(key, dict(old), new.get(key))
        if read.table in HISTORY:
            self.history[read.table] += [
                (row, package.load_id, what == "deleted") for what, row in made
            ]
        given, refused = len(read.rows), len(read.rejected)
        counts = [sum(what == kind for what, _ in made) for kind in CHANGED]
        self.records[package.load_id] = (
            *(read.table, read.mode, given + refused, given, refused),
            *counts,
        )
        self.loaded[read.table].append(package)

    def part(self, table: str) -> "Compacted":
        """Return all that there is of one table, as a compacted package keeps it."""
        loads = {package.load_id for package in self.loaded[table]}
        return Compacted(
            tuple(self.loaded[table]),
            {load_id: self.records[load_id] for load_id in loads},
            tuple(self.history.get(table, ())),
            self.changed_columns & loads,
        )

    def take(self, table: str, compacted: "Compacted") -> None:
        """Stand where a compacted package was written, unless the table has come that far."""
        if not self.is_behind(table, compacted):
            return
        for package in self.loaded[table]:
            self.records.pop(package.load_id)
            self.changed_columns.discard(package.load_id)
        self.loaded[table] = list(compacted.loaded)
        self.records |= compacted.records
        self.changed_columns |= compacted.changed_columns
        if table in HISTORY:
            self.history[table] = list(compacted.history)

    def is_behind(self, table: str, compacted: "Compacted") -> bool:
        standing = self.standing(table)
        return standing is None or standing.load_id < compacted.loaded[-1].load_id

    def refuses(self, package: Landed, standing: Landed | None) -> str | None:
        """Return why a package cannot be loaded: over the `limit`, or out of the `chain`."""
        if len(package.read.rejected) > MOST_REJECTED:
            return "limit"
        if standing is None:
            return None if package.read.mode == "full" else "chain"
        if package.load_id < standing.load_id:
            return "chain"
        continues = package.read.mode == "full" or package.read.start == standing.read.to
        return None if continues else "chain"


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compacted package keeps of its table."""

    loaded: tuple[Landed, ...]
    records: dict[str, tuple[Any, ...]]
    history: tuple[tuple[Row, str, bool], ...]
    changed_columns: set[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a loading step should do, and its exit code.

    `loads` are packages to load in this order, or compacted ones to take; `rejects` to set aside.
    """

    loads: list["Landed | tuple[str, Compacted]"]
    rejects: list[Landed]
    exit_code: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The tables of one version: columns and rows."""

    tables: dict[str, Content]
