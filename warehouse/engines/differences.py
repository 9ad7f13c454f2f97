"""What differs between a table of one version and the same table of another."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Literal

Change = Literal["added", "removed", "changed"]
Number = int | Decimal

EXACT = Context(prec=100)


@dataclass(frozen=True, slots=True)
class Amount:
    """The total of a column in both files, and which rows its change comes from."""

    column: str
    a: Number
    b: Number
    change: Number
    by_added: Number
    by_removed: Number
    by_changed: Number


@dataclass(frozen=True, slots=True)
class Retyped:
    """A column whose type differs."""

    column: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that the two files do not have in common."""

    only_in_a: tuple[str, ...] = ()
    only_in_b: tuple[str, ...] = ()
    retyped: tuple[Retyped, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of one value in A and in B; None for NULL, and where there is no row."""

    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """A row that differs: its key, and each column that does."""

    change: Change
    key: Mapping[str, str | None]
    values: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class TableDiff:
    """How a table of B differs from the one of A.

    `key` is empty where rows are compared whole. `changed_columns` counts, per column, the rows
    that are in both and differ in it.
    """

    key: tuple[str, ...]
    rows_a: int
    rows_b: int
    added: int
    removed: int
    changed: int
    changed_columns: Mapping[str, int]
    amounts: tuple[Amount, ...]
    columns: Columns
    rows: tuple[Row, ...]

    @property
    def is_different(self) -> bool:
        """Return whether a row or a column differs."""
        return bool(self.added or self.removed or self.changed) or self.columns != Columns()


def amount(column: str, a: Number, b: Number, added: Number, removed: Number) -> Amount:
    """Return the parts of a total's change, exactly: a Decimal rounds to 28 digits by itself."""
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        less, plus = EXACT.subtract, EXACT.add
        change = less(b, a)
        lost = less(0, removed)
        return Amount(column, a, b, change, added, lost, less(change, plus(added, lost)))
    change = b - a
    return Amount(column, a, b, change, added, -removed, change - (added - removed))
