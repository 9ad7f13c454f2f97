"""Clicks on affiliates' links: honest ones that begin a visit, and those that should earn nothing.

Duplicates follow a click within seconds, bots come with their agent's name and look at nothing, a
flood is many browsers behind one address within minutes, and an affiliate may click the own link.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import pyarrow as pa

from demo.activity.attributes import table_of
from demo.activity.campaigns import CHANNELS
from demo.activity.causes import Came, dishonest
from demo.activity.columns import DAY, Millis, Places, chosen, ids, taken, times
from demo.activity.delivery import delivered
from demo.activity.sessions import NEVER, STRANGER, Sessions
from demo.activity.shop_events import Happened
from demo.activity.tracked import Tracked
from demo.draws import Draws, Keys, derived
from demo.parameters import Parameters

KINDS = ("honest", "duplicate", "bot", "flood", "self")
HONEST, DUPLICATE, BOT, FLOOD, SELF = range(5)
DUPLICATES, BOTS = 0.08, 0.06  # for each click that begins a visit
FLOOD_DAYS, FLOOD_CLICKS = 0.03, 40  # of the days; clicks of one flood
FLOOD_LASTS = 600_000  # milliseconds
SOON = (500, 5_000)
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 15) Chrome/138.0 Mobile Safari/537.36",
    "python-requests/2.32.4",
    "Mozilla/5.0 (compatible; LinkCheckBot/2.1)",
)
HUMAN_AGENTS = 3


@dataclass(frozen=True)
class AffiliateClicks:
    """One element per click, before any clock."""

    key: Keys
    kind: Places  # in KINDS
    visit: Places  # -1: no visit follows
    affiliate: Places
    visitor: Keys
    address: Keys  # stands for the IP address
    product: Places
    at: Millis


def affiliate_clicks(
    visits: Sessions, how: Came, orders: Tracked, affiliates: pa.Table, days: range, seed: int
) -> AffiliateClicks:
    """Return all clicks: those of visits, and floods on some of the days since 1970 in `days`."""
    begun = np.flatnonzero(how.affiliate >= 0)
    draws = Draws(seed, "affiliate click", visits.key)
    before = 5_000 + (15_000 * draws.uniform("before")).astype(np.int64)
    honest = AffiliateClicks(
        key=derived(visits.key[begun], "affiliate click"),
        kind=np.where(how.is_self[begun], SELF, HONEST),
        visit=begun,
        affiliate=how.affiliate[begun],
        visitor=visits.visitor[begun],
        address=derived(visits.visitor[begun], "address"),
        product=orders.wanted[visits.order[begun], 0],
        at=(visits.started - before)[begun],
    )
    twice = begun[draws.uniform("twice")[begun] < DUPLICATES]
    place = np.searchsorted(begun, twice)
    again = np.minimum(before[twice] - 1_000, 1_000 + (3_000 * draws.uniform("again")[twice]))
    duplicate = _chosen(honest, place)
    duplicate = AffiliateClicks(
        derived(duplicate.key, "again"),
        np.full(len(place), DUPLICATE),
        duplicate.visit,
        duplicate.affiliate,
        duplicate.visitor,
        duplicate.address,
        duplicate.product,
        duplicate.at + again.astype(np.int64),
    )
    machines = _chosen(honest, np.searchsorted(begun, begun[draws.uniform("bot")[begun] < BOTS]))
    at = machines.at + (DAY * (0.1 + 2 * _uniform(machines.key, seed, "bot time"))).astype(np.int64)
    bots = AffiliateClicks(
        derived(machines.key, "bot"),
        np.full(len(at), BOT),
        np.full(len(at), -1),
        machines.affiliate,
        derived(machines.key, "bot's browser"),
        derived(machines.key, "bot's address"),
        machines.product,
        at,
    )
    return _joined([honest, duplicate, bots, _floods(orders, affiliates, days, seed)])


def _floods(orders: Tracked, affiliates: pa.Table, days: range, seed: int) -> AffiliateClicks:
    """Return the floods that the dishonest affiliate pays for, once he has joined."""
    place = dishonest(affiliates, seed)
    joined = affiliates.column("joined_ms")[place].as_py() // DAY if place >= 0 else 0
    day = np.array([one for one in days if place >= 0 and one > joined], np.int64)
    draws = Draws(seed, "flood day", day.astype(np.uint64))
    flooded = draws.uniform("flood") < (FLOOD_DAYS if len(orders.shelf) else 0)
    key = derived(day[flooded].astype(np.uint64), f"{seed}/flood")
    begin = day[flooded] * DAY + (0.9 * DAY * draws.uniform("time")[flooded]).astype(np.int64)
    number = np.tile(np.arange(FLOOD_CLICKS), len(key))
    click = derived(np.repeat(key, FLOOD_CLICKS), "click", number)
    count = len(click)
    return AffiliateClicks(
        key=click,
        kind=np.full(count, FLOOD),
        visit=np.full(count, -1),
        affiliate=np.full(count, place),
        visitor=derived(click, "browser"),
        address=np.repeat(derived(key, "address"), FLOOD_CLICKS),
        # The oldest article: it is there whatever has been ordered since.
        product=np.full(count, orders.shelf[0] if len(orders.shelf) else -1),
        at=np.repeat(begin, FLOOD_CLICKS)
        + (FLOOD_LASTS * _uniform(click, seed, "flood time")).astype(np.int64),
    )


def affiliate_items(
    clicks: AffiliateClicks,
    visits: Sessions,
    orders: Tracked,
    affiliates: pa.Table,
    now: int,
    seed: int,
    parameters: Parameters,
) -> Happened:
    """Return the items of `affiliate_clicks`: every delivery that was received before `now`."""
    arrived = delivered(clicks.key, clicks.at, SOON, seed, parameters).until(now)
    event = arrived.event
    visit, kind = clicks.visit[event], clicks.kind[event]
    signed_in = visits.signed_in[visit] < 0
    name = ids("a", clicks.key[event])
    products = taken(pa.array(orders.products, pa.string()), clicks.product[event])
    agent = Draws(seed, "agent", clicks.visitor[event]).integers("agent", 0, HUMAN_AGENTS)
    agent = np.where(kind == BOT, HUMAN_AGENTS + agent % (len(AGENTS) - HUMAN_AGENTS), agent)
    octets = clicks.address[event]
    addresses = [f"198.{18 + (a >> 16 & 1)}.{a >> 8 & 255}.{a & 255}" for a in octets.tolist()]
    columns = {
        "click_id": name,
        "received_at": times(arrived.received),
        "affiliate_id": taken(
            affiliates.column("affiliate_id").combine_chunks(), clicks.affiliate[event]
        ),
        "occurred_at": times(clicks.at[event]),
        "visitor_id": ids("v", clicks.visitor[event]),
        "customer_id": taken(
            pa.array(orders.customers, pa.string()), np.where(signed_in, visits.customer[visit], -1)
        ),
        "product_id": products,
        "landing_page": pa.array([f"/products/{p}" if p else "/" for p in products.to_pylist()]),
        "ip": pa.array(addresses, pa.string()),
        "user_agent": chosen(AGENTS, agent),
    }
    everything = np.ones(len(name), bool)
    return Happened(
        "affiliate_clicks",
        table_of(columns),
        name,
        visit,
        clicks.at[event],
        everything,
        ~everything,
    )


def with_lone_clicks(
    visits: Sessions, how: Came, clicks: AffiliateClicks
) -> tuple[Sessions, Came, AffiliateClicks]:
    """Return the visits and the clicks, each click that nothing follows as a visit of its own."""
    lone = np.flatnonzero(clicks.visit < 0)
    count = len(lone)
    none = np.full(count, -1)
    more = Sessions(
        key=clicks.key[lone],
        order=np.zeros(count, np.int64),
        kind=np.full(count, STRANGER),
        visitor=clicks.visitor[lone],
        customer=none,
        signed_in=np.full(count, NEVER),
        clicks=np.zeros(count, np.int64),
        started=clicks.at[lone],
        is_bot=clicks.kind[lone] == BOT,
    )
    every = Sessions(
        *(
            np.concatenate([getattr(visits, field.name), getattr(more, field.name)])
            for field in fields(Sessions)
        )
    )
    visit = clicks.visit.copy()
    visit[lone] = len(visits) + np.arange(count)
    came = replace(
        how,
        channel=np.concatenate([how.channel, np.full(count, CHANNELS.index("affiliate"))]),
        campaign=np.concatenate([how.campaign, none]),
    )
    return every, came, replace(clicks, visit=visit)


def _uniform(keys: Keys, seed: int, purpose: str) -> np.ndarray:
    return Draws(seed, "affiliate", keys).uniform(purpose)


def _chosen(clicks: AffiliateClicks, places: Places) -> AffiliateClicks:
    return AffiliateClicks(
        *(getattr(clicks, field.name)[places] for field in fields(AffiliateClicks))
    )


def _joined(parts: list[AffiliateClicks]) -> AffiliateClicks:
    return AffiliateClicks(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(AffiliateClicks)
        )
    )
