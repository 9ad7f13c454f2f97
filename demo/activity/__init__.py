"""What visitors did around the shop's orders, and the truth about it.

Everything is drawn from the id of the order it surrounds: further orders change nothing earlier,
and what the shop's clock has not reached yet is left out until it has.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute

from demo.activity.ad_spend import ad_spend_rows
from demo.activity.affiliate_clicks import affiliate_clicks, affiliate_items, with_lone_clicks
from demo.activity.answers import Seen, click_truth, effects, order_truth
from demo.activity.campaign_events import campaign_events, touches
from demo.activity.campaigns import campaign_rows, campaigns
from demo.activity.causes import came
from demo.activity.columns import DAY
from demo.activity.devices import order_visitors
from demo.activity.planted import with_planted_answers, with_planted_items
from demo.activity.sessions import sessions
from demo.activity.shop_events import shop_events
from demo.activity.tracked import tracked
from demo.history import History
from demo.parameters import Parameters
from demo.scenario_rows import nothing_planned

pc: Any = pyarrow.compute

__all__ = ["Activity", "activity", "order_visitors"]


@dataclass(frozen=True)
class Activity:
    """What the shop's stores hold of its visitors at the clock, and the truth about it."""

    # Entity -> one row per item, one column per attribute; product_events, searches, cart_events
    # and trigger_sends share table `shop_activity`.
    items: dict[str, pa.Table]
    campaigns: pa.Table  # rows of the table of this name
    ad_spend: pa.Table  # rows of the table of this name
    truth: dict[str, pa.Table]


def activity(history: History, seed: int, parameters: Parameters) -> Activity:
    """Return the items, campaign rows and truth of the shop at `history.now`.

    Times in items are ISO-8601 texts in UTC with three digits; times in the truth are instants.
    """
    now = _millis(history.now)
    orders = tracked(history)
    found = campaigns(history.opened.date(), history.horizon.date())
    affiliates = _affiliates(history, orders.customers)
    visits, clicks = sessions(orders, _millis(history.opened), seed, parameters)
    how = came(visits, orders, found, affiliates, seed)
    events = touches(visits, how, seed, parameters)
    days = range(_millis(history.opened) // DAY, now // DAY + 1)
    linked = affiliate_clicks(visits, how, orders, affiliates, days, seed)
    happened = shop_events(visits, clicks, orders, now, seed, parameters)
    campaign = campaign_events(visits, how, orders, found, events, now, seed, parameters)
    everybody, everyhow, all_linked = with_lone_clicks(visits, how, linked)
    affiliate = affiliate_items(all_linked, everybody, orders, affiliates, now, seed, parameters)
    seen = Seen(everybody, orders, everyhow, found, [*happened, campaign, affiliate], now)
    planted = history.scenarios or nothing_planned()
    items = {item.entity: item.table for item in (*happened, campaign, affiliate)}
    answers = {
        "orders": order_truth(orders, how, found, now),
        "effects": effects(visits, orders, how, found, now),
        "sessions": seen.sessions(),
        "events": seen.events(),
        "visitors": seen.visitors(),
        "affiliate_clicks": click_truth(linked, affiliates, affiliate),
        "product_pairs": history.pairs,
        "accounts": _accounts(history),
    }
    return Activity(
        items=with_planted_items(items, planted, now),
        campaigns=campaign_rows(found, history.now.date()),
        ad_spend=ad_spend_rows(found, how, events, history.now, seed, parameters),
        truth=with_planted_answers(answers, planted, history),
    )


def _millis(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _affiliates(history: History, customers: list[str]) -> pa.Table:
    """Return the affiliates in the order of joining: id, joined_ms, place of the own account."""
    place = {name: index for index, name in enumerate(customers)}
    rows = sorted(
        (_millis(row["joined_at"]), row["affiliate_id"], place.get(row["user_id"], -1))
        for row in history.affiliates.to_pylist()
    )
    return pa.table(
        {
            "affiliate_id": pa.array([row[1] for row in rows], pa.string()),
            "joined_ms": pa.array([row[0] for row in rows], pa.int64()),
            "customer": pa.array([row[2] for row in rows], pa.int64()),
        }
    )


def _accounts(history: History) -> pa.Table:
    """Return the merges that have happened: customer_id, merged_into, merged_at."""
    merges = history.merges
    happened = pc.less_equal(merges.column("merged_at"), pa.scalar(history.now))
    return merges.filter(happened).rename_columns(["customer_id", "merged_into", "merged_at"])
