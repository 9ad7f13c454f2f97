"""What happens to articles that planted cases need: price drops, sold-out days, ends of sale."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pyarrow as pa

DROP = Decimal("0.9")  # a drop is at least a tenth
Event = tuple[str, datetime]  # product_id and when it happens to it


class Market:
    """The articles, their prices and sold-out days; every list is in a fixed order."""

    def __init__(self, products: pa.Table, prices: pa.Table, stock_outs: pa.Table) -> None:
        rows = sorted(products.to_pylist(), key=lambda row: row["product_id"])
        self.names = {row["product_id"]: row["name"] for row in rows}
        self._created = {row["product_id"]: row["created_at"] for row in rows}
        self._ended = {row["product_id"]: row.get("discontinued_at") for row in rows}
        self._prices: defaultdict[str, list[tuple[datetime, Decimal]]] = defaultdict(list)
        for row in prices.to_pylist():
            self._prices[row["product_id"]].append((row["valid_from"], row["price"]))
        for listed in self._prices.values():
            listed.sort()
        self._outs: defaultdict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
        for row in stock_outs.to_pylist():
            self._outs[row["product_id"]].append((row["from_at"], row["to_at"]))

    def price_at(self, product: str, at: datetime) -> Decimal:
        """Return the listed price; before the first one, the first."""
        listed = self._prices[product]
        known = [price for since, price in listed if since <= at]
        return known[-1] if known else listed[0][1]

    def quiet(self, since: datetime, until: datetime, key: int) -> str | None:
        """Return an article that is on sale, in stock and at one price all the time."""
        found = [product for product in self.names if self._is_quiet(product, since, until)]
        return found[key % len(found)] if found else None

    def price_drop(
        self, since: datetime, until: datetime, worth: timedelta, key: int
    ) -> Event | None:
        """Return a drop by a tenth or more of an article that is in stock afterwards."""
        found: list[Event] = []
        for product, listed in self._prices.items():
            for (_, before), (at, after) in pairwise(listed):
                if since <= at < until and after <= before * DROP:
                    found.append((product, at))
        return self._chosen(found, worth, key)

    def back_in_stock(
        self, since: datetime, until: datetime, worth: timedelta, key: int
    ) -> Event | None:
        """Return an article that comes back and stays, and when it does."""
        found = [
            (product, to_at)
            for product, outs in self._outs.items()
            for from_at, to_at in outs
            # Long enough for somebody to look at it in vain.
            if since <= to_at < until and to_at - from_at > timedelta(hours=3)
        ]
        return self._chosen(found, worth, key)

    def sold_out(self, since: datetime, until: datetime, key: int) -> Event | None:
        """Return an article an hour before it is sold out for more than a day."""
        found = [
            (product, from_at - timedelta(hours=1))
            for product, outs in self._outs.items()
            for from_at, to_at in outs
            if since <= from_at < until and to_at - from_at > timedelta(days=2)
        ]
        return self._of(found, key)

    def discontinued(self, since: datetime, until: datetime, key: int) -> Event | None:
        """Return an article an hour before it is taken off sale for good."""
        found = [
            (product, ended - timedelta(hours=1))
            for product, ended in self._ended.items()
            if ended is not None and since <= ended < until
        ]
        return self._of(found, key)

    def _chosen(self, found: Sequence[Event], worth: timedelta, key: int) -> Event | None:
        """Return one of the events after which the article is on sale and in stock."""
        there = [
            (product, at)
            for product, at in found
            if product in self.names and self._is_there(product, at, at + worth)
        ]
        return self._of(there, key)

    def _of(self, found: Sequence[Event], key: int) -> Event | None:
        known = sorted(event for event in found if event[0] in self.names)
        return known[key % len(known)] if known else None

    def _is_there(self, product: str, since: datetime, until: datetime) -> bool:
        ended = self._ended[product]
        return (
            product in self._prices
            and self._created[product] < since
            and (ended is None or ended > until)
            and not any(from_at < until and to_at > since for from_at, to_at in self._outs[product])
        )

    def _is_quiet(self, product: str, since: datetime, until: datetime) -> bool:
        changes = any(since <= at < until for at, _ in self._prices[product])
        return self._is_there(product, since, until) and not changes
