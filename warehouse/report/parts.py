"""What a page is made of: plain values, which the template writes out and escapes."""

from dataclasses import dataclass, field
from typing import Any, Literal

from warehouse.report.plots import Plot


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure with a bar under it, as long as its share (0 to 1) of the largest in the column."""

    text: str
    share: float
    kind: Literal["bar"] = "bar"


@dataclass(frozen=True, slots=True)
class Span:
    """A line from `low` to `high` with a dot at `mark`; all are shares (0 to 1) of the axis.

    `text` says the same in words, for those who do not see it. `zero` is where 0 lies.
    """

    text: str
    low: float
    high: float
    mark: float
    zero: float
    kind: Literal["span"] = "span"


@dataclass(frozen=True, slots=True)
class Flag:
    """A word that is to be seen at once; `tone` never says more than the word does."""

    text: str
    tone: Literal["good", "doubt", "bad"]
    kind: Literal["flag"] = "flag"


# None is what a source does not say
Cell = str | Bar | Span | Flag | None


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column; numbers stand to the right."""

    name: str
    is_number: bool = False
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows whose first cell names them; `empty` is what is said where there are none."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str
    totals: tuple[tuple[Cell, ...], ...] = ()
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Plots:
    """Small plots side by side, and their figures as a table that opens."""

    plots: tuple[Plot, ...]
    figures: Table
    kind: Literal["plots"] = "plots"


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    text: str
    kind: Literal["words"] = "words"


Block = Table | Plots | Words


@dataclass(frozen=True, slots=True)
class Section:
    """One question with its answer; `alerts` are repeated at the top of the page.

    `folded` is the answer in a line, where the blocks that prove it need not be seen at once.
    """

    name: str
    title: str
    intro: str
    blocks: tuple[Block, ...]
    alerts: tuple[str, ...] = ()
    folded: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure to begin with, and how it compares with the period before."""

    label: str
    value: str
    unit: str = ""
    change: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: `name` is its file without `.html`."""

    name: str
    title: str
    lead: str
    tiles: tuple[Tile, ...] = ()
    sections: tuple[Section, ...] = field(default=())


def bar(text: str, value: Any, largest: Any) -> Bar:
    """Return a figure with its bar beside the largest of the column; below 0 there is none."""
    return Bar(text, float(value / largest) if value > 0 else 0.0)


def among(shown: int, rows: int, what: str) -> str:
    """Return what a caption says of rows of which a page shows only the first."""
    return what if rows <= shown else f"The first {shown} of {rows:,}: {what[0].lower()}{what[1:]}"


def numbers(*names: str) -> tuple[Column, ...]:
    """Return columns of numbers."""
    return tuple(Column(name, is_number=True) for name in names)
