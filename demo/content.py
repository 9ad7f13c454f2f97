"""Everything the shop holds, as a function of its document lines and what it was made from."""

from datetime import datetime
from functools import cached_property

import duckdb
import pyarrow as pa

from demo.activity import Item, activity_items
from demo.campaigns import Campaign, ad_spend_rows, campaign_rows, campaigns
from demo.orders import shop_rows
from demo.place import Arguments, clock_after
from demo.tables import SHOP_TABLES, empty

# Of the orders, those that came from a browser the shop knows. Real orders are many and their
# visits all made up: 11 % give about 11,500 items. A made-up shop is small.
KNOWN_REAL, KNOWN_MADE = 0.11, 0.6


class Content:
    """The shop of some lines; lines that come later change nothing that an earlier one decided."""

    def __init__(self, lines: pa.Table, arguments: Arguments) -> None:
        self._lines = lines
        self._seed = arguments.seed
        known = KNOWN_MADE if arguments.orders is None else min(1, KNOWN_REAL * arguments.scale)
        self._visitor_share = known

    @cached_property
    def clock(self) -> datetime:
        """The shop's now."""
        return clock_after(self._lines)

    @cached_property
    def _campaigns(self) -> list[Campaign]:
        walls = self._lines.column("invoiced_at").unique().to_pylist()
        return campaigns(min(walls).date(), max(walls).date())

    @cached_property
    def rows(self) -> dict[str, pa.Table]:
        """The rows of every table of PostgreSQL, `updated_at` left out."""
        shop = shop_rows(self._lines, self._seed, self._visitor_share)
        shop["campaigns"] = campaign_rows(self._campaigns)
        shop["ad_spend"] = ad_spend_rows(self._campaigns, self.clock.date(), self._seed)
        return {table.name: shop.get(table.name, empty(table)) for table in SHOP_TABLES}

    def items(self) -> dict[str, list[Item]]:
        """Return the items of the DynamoDB tables, clicks of a file left out."""
        return activity_items(self.rows, self._campaigns, self.clock, self._seed)


def changes(old: dict[str, pa.Table], new: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Return the rows of each table that are new or differ; what nobody touched is not written."""
    changed: dict[str, pa.Table] = {}
    for table in SHOP_TABLES:
        with duckdb.connect() as connection:
            connection.register("old", old[table.name])
            connection.register("new", new[table.name])
            found = connection.sql("select * from new except select * from old")
            changed[table.name] = found.to_arrow_table()
    return changed
