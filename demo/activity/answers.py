"""The planted truth about visits, campaigns and clicks, cut at the clock like the items."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from demo.activity.affiliate_clicks import KINDS, AffiliateClicks
from demo.activity.campaigns import CHANNELS, Campaign
from demo.activity.causes import Came
from demo.activity.columns import Millis, Places, chosen, ids, taken
from demo.activity.sessions import BUYING, Sessions
from demo.activity.shop_events import Happened
from demo.activity.tracked import Tracked

pc: Any = pyarrow.compute

NONE = "(none)"
HALF_HOUR = 1_800_000
INSTANT = pa.timestamp("ms", "UTC")


def order_truth(orders: Tracked, how: Came, found: list[Campaign], now: int) -> pa.Table:
    """Return the cause of each tracked order before `now`: channel and campaign, or `(none)`."""
    there = orders.ordered_at < now
    names = [item.campaign_id for item in found]
    return pa.table(
        {
            "order_id": orders.names,
            "channel": _named(CHANNELS, how.cause),
            "campaign_id": _named(names, how.cause_campaign),
        }
    ).filter(pa.array(there))


def effects(
    visits: Sessions, orders: Tracked, how: Came, found: list[Campaign], now: int
) -> pa.Table:
    """Return the true effect per channel and campaign: caused orders per visit of a person."""
    width = len(found) + 1
    cell = how.channel * width + how.campaign + 1
    shown = cell[(visits.started < now) & ~visits.is_bot]
    caused = (how.cause * width + how.cause_campaign + 1)[
        (how.cause >= 0) & (orders.ordered_at < now)
    ]
    cells = np.unique(np.concatenate([shown, caused]))
    exposures = np.bincount(np.searchsorted(cells, shown), minlength=len(cells))
    orders_caused = np.bincount(np.searchsorted(cells, caused), minlength=len(cells))
    return pa.table(
        {
            "channel": chosen(CHANNELS, cells // width),
            "campaign_id": _named([item.campaign_id for item in found], cells % width - 1),
            "exposures": pa.array(exposures),
            "caused_orders": pa.array(orders_caused),
            "effect": pa.array(orders_caused / np.maximum(exposures, 1)),
        }
    )


def click_truth(clicks: AffiliateClicks, affiliates: pa.Table, items: Happened) -> pa.Table:
    """Return what each affiliate click that was received is: `honest` or a kind of fraud."""
    every = pa.table(
        {
            "click_id": ids("a", clicks.key),
            "affiliate_id": taken(
                affiliates.column("affiliate_id").combine_chunks(), clicks.affiliate
            ),
            "kind": chosen(KINDS, clicks.kind),
        }
    )
    return every.filter(pc.is_in(every.column("click_id"), items.event_id))


class Seen:
    """What there is to see of the visits at the clock: events with a visit, once each."""

    def __init__(
        self,
        visits: Sessions,
        orders: Tracked,
        how: Came,
        found: list[Campaign],
        happened: Sequence[Happened],
        now: int,
    ) -> None:
        self._campaigns = [item.campaign_id for item in found]
        self._visits = visits
        self._orders = orders
        self._how = how
        buying = np.flatnonzero(visits.kind == BUYING)
        placed = buying[orders.ordered_at[visits.order[buying]] < now]
        order = visits.order[placed]
        parts = [
            (
                item.entity,
                item.event_id.filter(pa.array(item.is_visit)),
                item.session[item.is_visit],
                item.at[item.is_visit],
                item.is_click[item.is_visit],
            )
            for item in happened
        ]
        no_click = np.zeros(len(placed), bool)
        parts.append(
            ("orders", orders.names.take(order), placed, orders.ordered_at[order], no_click)
        )
        self._entity = pa.chunked_array(
            [pa.repeat(entity, len(name)) for entity, name, *_ in parts], pa.string()
        ).combine_chunks()
        self._event_id = pa.chunked_array([part[1] for part in parts], pa.string()).combine_chunks()
        self._session = np.concatenate([part[2] for part in parts])
        self._at = np.concatenate([part[3] for part in parts])
        self._is_click = np.concatenate([part[4] for part in parts])
        self._once()
        self._visit = _joined_visits(visits, how, self._session, self._at)

    def _once(self) -> None:
        """Keep one of the deliveries of each event."""
        codes = self._event_id.dictionary_encode().indices.to_numpy()
        _, first = np.unique(codes, return_index=True)
        first = np.sort(first)
        places = pa.array(first)
        self._entity, self._event_id = self._entity.take(places), self._event_id.take(places)
        self._session, self._at = self._session[first], self._at[first]
        self._is_click = self._is_click[first]

    def events(self) -> pa.Table:
        """Return event_id, entity, session_id and person (a customer_id or NULL) of each event."""
        visits = self._visits
        return pa.table(
            {
                "event_id": self._event_id,
                "entity": self._entity,
                "session_id": ids("", visits.key[self._visit[self._session]]),
                "person": _people(visits, self._orders, self._session),
            }
        )

    def sessions(self) -> pa.Table:
        """Return the visits: visitor, person, times (UTC), events, product clicks and channel."""
        visit = self._visit[self._session]
        shown, place = np.unique(visit, return_inverse=True)
        started, ended = _bounds(place, self._at, len(shown))
        visits = self._visits
        return pa.table(
            {
                "session_id": ids("", visits.key[shown]),
                "visitor_id": ids("v", visits.visitor[shown]),
                "person": _people(visits, self._orders, shown),
                "started_at": pa.array(started).cast(INSTANT),
                "ended_at": pa.array(ended).cast(INSTANT),
                "events": pa.array(np.bincount(place)),
                "clicks": pa.array(np.bincount(place, self._is_click).astype(np.int64)),
                "channel": chosen(CHANNELS, self._how.channel[shown]),
                "campaign_id": _named(self._campaigns, self._how.campaign[shown]),
                "is_bot": pa.array(visits.is_bot[shown]),
            }
        )

    def visitors(self) -> pa.Table:
        """Return which customers used which browser: several rows for a shared one."""
        known = self._visits.customer[self._session] >= 0
        used = self._session[known]
        pairs = pa.table(
            {
                "visitor_id": ids("v", self._visits.visitor[used]),
                "customer_id": _people(self._visits, self._orders, used),
            }
        )
        return pairs.group_by(["visitor_id", "customer_id"]).aggregate([])


def _joined_visits(visits: Sessions, how: Came, session: Places, at: Millis) -> Places:
    """Return for each visit the one it is a part of: itself, or one of the same browser.

    A visit that begins within half an hour of another one prolongs it, unless it begins with the
    landing of another campaign.
    """
    joined = np.arange(len(visits))
    there = np.unique(session)
    started, ended = _bounds(np.searchsorted(there, session), at, len(there))
    order = np.lexsort((there, started, visits.visitor[there]))
    there, started, ended = there[order], started[order], ended[order]
    came = how.channel[there] * 1000 + how.campaign[there]
    browser = visits.visitor[there]
    new = np.concatenate([[True], browser[1:] != browser[:-1]])[: len(there)]
    # The latest end so far: visits of one browser may overlap. Browsers follow each other, so
    # each gets a stretch of time of its own.
    stretch = np.cumsum(new) * (1 << 42)
    latest = np.maximum.accumulate(ended + stretch) - stretch
    meets = ~new
    meets[1:] &= started[1:] <= latest[:-1] + HALF_HOUR
    differs = np.concatenate([[False], came[1:] != came[:-1]])[: len(there)]
    begins = ~meets | (differs & (how.channel[there] != 0))
    leader = np.maximum.accumulate(np.where(begins, np.arange(len(there)), 0))
    joined[there] = there[leader]
    return joined


def _bounds(place: Places, at: Millis, count: int) -> tuple[Millis, Millis]:
    first = np.full(count, np.iinfo(np.int64).max)
    last = np.zeros(count, np.int64)
    np.minimum.at(first, place, at)
    np.maximum.at(last, place, at)
    return first, last


def _people(visits: Sessions, orders: Tracked, places: Places) -> pa.Array:
    return taken(pa.array(orders.customers, pa.string()), visits.customer[places])


def _named(names: Sequence[str], places: Places) -> pa.Array:
    return chosen([*names, NONE], np.where(places < 0, len(names), places))
