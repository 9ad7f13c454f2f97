"""Everything the shop holds, as a function of its state and what it was made from."""

from collections.abc import Callable
from functools import cached_property

import pyarrow as pa

from demo.activity import Item, activity_items
from demo.campaigns import Campaign, ad_spend_rows, campaign_rows, campaigns
from demo.generate import made_lines
from demo.orders import shop_rows
from demo.state import Arguments, State
from demo.tables import SHOP_TABLES, empty

# Of the orders, those that came from a browser the shop knows. Real orders are many and their
# visits all made up: 11 % give about 11,500 items. A made-up shop is small.
KNOWN_REAL, KNOWN_MADE = 0.11, 0.6


class Content:
    """The shop in a state; `lines` gives the document lines of a part by its sha256."""

    def __init__(
        self, arguments: Arguments, state: State, lines: Callable[[str], pa.Table]
    ) -> None:
        self._state = state
        self._seed = arguments.seed
        known = KNOWN_MADE if arguments.orders is None else min(1, KNOWN_REAL * arguments.scale)
        self._visitor_share = known
        parts = [lines(part) for part in state.parts]
        if arguments.orders is None:
            parts.insert(0, made_lines(arguments.seed, arguments.scale))
        self._lines = pa.concat_tables(parts).combine_chunks()

    @cached_property
    def _campaigns(self) -> list[Campaign]:
        walls = self._lines.column("invoiced_at").unique().to_pylist()
        return campaigns(min(walls).date(), max(walls).date())

    @cached_property
    def rows(self) -> dict[str, pa.Table]:
        """The rows of every table of PostgreSQL, `updated_at` left out."""
        shop = shop_rows(self._lines, self._seed, self._visitor_share)
        shop["campaigns"] = campaign_rows(self._campaigns)
        shop["ad_spend"] = ad_spend_rows(self._campaigns, self._state.now.date(), self._seed)
        return {table.name: shop.get(table.name, empty(table)) for table in SHOP_TABLES}

    def items(self) -> dict[str, list[Item]]:
        """Return the items of the DynamoDB tables, clicks of a file left out."""
        return activity_items(self.rows, self._campaigns, self._state.now, self._seed)
