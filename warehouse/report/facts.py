"""Ask a published version for what a page shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from warehouse import figures
from warehouse.publish.reader import Published
from warehouse.report.parts import Section, Tile, Words
from warehouse.report.period import Period

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Freshness:
    """How many tables a page may be read from, and the names of those whose sources lag."""

    tables: int
    late: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """A version and what its figures are in: the period, the currency, the time zone."""

    published: Published
    as_of: datetime
    published_at: datetime
    period: Period
    currency: str
    zone: ZoneInfo

    def rows(self, query: str) -> list[Row]:
        """Return the rows of a query, which may name $first, $last, $before, $as_of and $zone.

        $first and $last are the days of the period, $before is the first day of the one before,
        $as_of the instant of the version, $zone the reporting time zone.
        """
        known: dict[str, date | datetime | str] = {
            "first": self.period.first,
            "last": self.period.last,
            "before": self.period.before.first,
            "as_of": self.as_of,
            "zone": self.zone.key,
        }
        used = {name: value for name, value in known.items() if f"${name}" in query}
        found = self.published.execute(query, used)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def begins_at(self, table: str, column: str = "report_date") -> date | None:
        """Return the first day that a table holds, None where it is empty or not there."""
        try:
            [row] = self.rows(f"select min({column}) as first_day from {table}")
        except (duckdb.CatalogException, duckdb.BinderException):
            return None
        return row["first_day"]

    def freshness(self, schema: str) -> Freshness:
        """Return how fresh the tables of a schema are, of all schemas where it is empty."""
        try:
            rows = self.rows("""
                select mart, min(case when is_complete then 1 else 0 end) as is_complete
                from meta.freshness
                group by mart
                order by mart
            """)
        except duckdb.CatalogException:
            return Freshness(0, ())
        ours = [row for row in rows if row["mart"].startswith(f"{schema}." if schema else "")]
        return Freshness(len(ours), tuple(row["mart"] for row in ours if not row["is_complete"]))

    def tiles(
        self, write: "Callable[[Facts, bool], tuple[Tile, ...]]", begins: date
    ) -> tuple[Tile, ...]:
        """Return the tiles of a page whose data begin on a day.

        `write` is told whether they reach back to the period before. None where the version lacks
        a table or column of them.
        """
        try:
            return write(self, is_comparable(begins, self.period))
        except (duckdb.CatalogException, duckdb.BinderException):
            return ()

    def section(self, write: "Callable[[Facts], Section]", name: str, title: str) -> Section:
        """Return a section; where the version lacks a table or column of it, one that says so."""
        try:
            return write(self)
        except (duckdb.CatalogException, duckdb.BinderException):
            return Section(
                name,
                title,
                "",
                (Words(f"Version {self.published.version} was built before this could be told."),),
            )


def tile(
    label: str,
    now: Decimal | int,
    before: Decimal | int | None,
    written: Callable[[Any], str],
    unit: str = "",
    note: str = "",
) -> Tile:
    """Return a tile; `before` is the figure of the period before, None where there is none."""
    if before is None:
        text = "nothing before to compare with"
    elif changed := figures.change(now, before):
        same = written(now) == written(before)
        text = "unchanged" if same else f"{changed} from {written(before)}"
    else:
        text = f"from {written(before)}"
    return Tile(label, written(now), unit, text, note)


def is_comparable(begins: date | None, period: Period) -> bool:
    """Return whether the data reach back to the beginning of the period before."""
    return begins is not None and begins <= period.before.first
