"""Small made-up shops for tests of what their visitors do, without any server."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import duckdb

from demo.activity import Activity, activity
from demo.history import History
from demo.orders import OPENED, history_of
from demo.parameters import Parameters

MEASURED = Parameters()
NOW = datetime(2026, 4, 1, tzinfo=UTC)
SHOP_ACTIVITY = ("product_events", "searches", "cart_events", "trigger_sends")


@cache
def history(now: datetime = NOW, parameters: Parameters = MEASURED, scale: float = 0.1) -> History:
    """Return what happens in a made-up shop."""
    return history_of(None, None, now, OPENED, 1, scale, parameters)


@cache
def shop(parameters: Parameters = MEASURED, scale: float = 0.1) -> Activity:
    """Return what its visitors do."""
    return activity(history(NOW, parameters, scale), 1, parameters)


def ask(query: str, found: Activity, given: History | None = None) -> list[tuple[Any, ...]]:
    """Ask the items, the answers (`true_`) and the history (`all_`) of a shop."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for name, table in found.items.items():
            connection.register(name, table)
        for name, table in found.truth.items():
            connection.register(f"true_{name}", table)
        for name in ("orders", "order_lines", "users", "stock_outs", "prices", "affiliates"):
            if given is not None:
                connection.register(f"all_{name}", getattr(given, name))
        connection.register("campaigns", found.campaigns)
        connection.register("ad_spend", found.ad_spend)
        return connection.sql(query).fetchall()
