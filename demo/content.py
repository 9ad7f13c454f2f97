"""Everything the shop holds, as a function of its state and what it was made from."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import pyarrow as pa

from demo.activity import Activity, activity
from demo.history import History
from demo.items import rendered
from demo.orders import history_of, rows_of
from demo.parameters import Parameters
from demo.state import Arguments, State
from demo.tables import DYNAMODB_TABLES, SHOP_TABLES

# DynamoDB table -> the entities whose items it holds
ENTITIES = {
    "campaign_events": ("campaign_events",),
    "affiliate_clicks": ("affiliate_clicks",),
    "shop_activity": ("product_events", "searches", "cart_events", "trigger_sends"),
}


class Content:
    """The shop in a state; `lines` gives the document lines of a part by its sha256."""

    def __init__(
        self, arguments: Arguments, state: State, lines: Callable[[str], pa.Table]
    ) -> None:
        self._arguments = arguments
        self._state = state
        self._lines = lines
        self._parameters = Parameters.of(arguments.parameters, "shop.json")

    @cached_property
    def _history(self) -> History:
        parts = [self._lines(part) for part in self._state.parts]
        return history_of(
            lines=pa.concat_tables(parts).combine_chunks() if parts else None,
            first=parts[0] if self._arguments.orders else None,
            now=self._state.now,
            made_from=self._state.made_from,
            seed=self._arguments.seed,
            scale=self._arguments.scale,
            parameters=self._parameters,
        )

    @cached_property
    def _activity(self) -> Activity:
        return activity(self._history, self._arguments.seed, self._parameters)

    def rows(self) -> dict[str, pa.Table]:
        """Return the rows of every table of PostgreSQL, `updated_at` left out."""
        found = rows_of(self._history)
        found |= {"campaigns": self._activity.campaigns, "ad_spend": self._activity.ad_spend}
        return {table.name: found[table.name] for table in SHOP_TABLES}

    def items(self) -> Mapping[str, pa.Table]:
        """Return the items of the DynamoDB tables as `rendered`, clicks of a file left out."""
        return _Items(self._activity.items)

    def truth(self) -> dict[str, pa.Table]:
        """Return the tables of the answer file, of which the pipeline sees nothing."""
        return self._activity.truth


class _Items(Mapping[str, pa.Table]):
    """Items that are written as text when they are asked for: one table's at a time in memory."""

    def __init__(self, entities: dict[str, pa.Table]) -> None:
        self._entities = entities

    def __getitem__(self, table: str) -> pa.Table:
        tables = [self._entities[entity] for entity in ENTITIES[table]]
        return rendered(tables, DYNAMODB_TABLES[table])

    def __iter__(self) -> Iterator[str]:
        return iter(ENTITIES)

    def __len__(self) -> int:
        return len(ENTITIES)
