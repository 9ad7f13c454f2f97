"""1,000 random streams of events, each of its own visitors: raw rows with everything that is hard.

Ties, silences of exactly 30 minutes, midnights, changes of campaign, devices of two people,
sign-ins 30 days apart, merged accounts, sessions of a day, programs, duplicate and late deliveries,
impossible times, items stored twice or deleted, events of nobody, events that as_of has not
reached.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

Row = dict[str, Any]

AS_OF = datetime(2011, 9, 1, tzinfo=UTC)
KEYS = {
    "raw_shop.users": ("user_id",),
    "raw_shop.orders": ("order_id",),
    "raw_activity.campaign_events": ("event_id", "received_at"),
    "raw_activity.affiliate_clicks": ("click_id", "received_at"),
    "raw_activity.product_events": ("pk", "sk"),
    "raw_activity.searches": ("pk", "sk"),
    "raw_activity.cart_events": ("pk", "sk"),
}
# Where a stream begins: any day, an evening, the night in which London's clocks change, as_of.
STARTS = (
    datetime(2011, 5, 11, 12, tzinfo=UTC),
    datetime(2011, 6, 15, 22, 30, tzinfo=UTC),
    datetime(2011, 3, 26, 23, 20, tzinfo=UTC),
    AS_OF - timedelta(hours=2),
)
# Steps from one event to the next, in milliseconds: of a visit, and of sign-ins that fade.
MINUTE, DAY = 60_000, 86_400_000
STEPS = (
    (0, 0, 0, 1, 5_000, MINUTE),
    (0, 20_000, 10 * MINUTE, 30 * MINUTE - 1, 30 * MINUTE, 30 * MINUTE + 1, 45 * MINUTE),
    (0, MINUTE, 40 * MINUTE, DAY, 10 * DAY, 30 * DAY - 1, 30 * DAY, 30 * DAY + 1),
)
FAST = (0, 300, 900)  # more than 60 events in most minutes
SLOW = (2 * MINUTE, 8 * MINUTE, 14 * MINUTE)  # a visit without an end
PAGES = ("view", "search", "cart", "click")
KINDS = ("campaign", "campaign", *PAGES, "order")
ORIGINS = (
    (None, None),
    (None, None),
    ("", ""),
    ("email", "k1"),
    ("email", "k2"),
    ("social", "k1"),
    ("organic", None),
    (None, "k3"),
    ("affiliate", None),
)


@dataclass(frozen=True)
class Arrival:
    """A row of a raw table, and the place among the versions of its key."""

    table: str
    row: Row
    version: int = 1


def text(at: datetime) -> str:
    """Return an instant as DynamoDB's items spell it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def arrivals(streams: int, seed: int) -> list[Arrival]:
    """Return what `streams` random streams leave in the raw tables."""
    return [one for number in range(streams) for one in _stream(f"s{number:04}", seed)]


def load(connection: duckdb.DuckDBPyConnection, rows: list[Arrival], position: int) -> None:
    """Write rows as the warehouse does: a row replaces the one with its key."""
    for table, key in KEYS.items():
        mine = [one for one in rows if one.table == table]
        # of two versions in one load, raw keeps the later
        latest = {tuple(one.row[name] for name in key): one.row for one in sorted(mine, key=_turn)}
        names = sorted({name for row in latest.values() for name in row})
        if not names:
            continue
        columns = {name: [row.get(name) for row in latest.values()] for name in names}
        connection.register("arriving", pa.table(columns))
        matches = " and ".join(f"arriving.{name} = held.{name}" for name in key)
        connection.execute(f"delete from {table} as held using arriving where {matches}")
        listed = ", ".join(names)
        connection.execute(
            f"insert into {table} ({listed}, _load_id, _source_position)"
            f" select {listed}, 'load-{position}', {position} from arriving"
        )
        connection.unregister("arriving")


def shuffled(rows: list[Arrival], loads: int, seed: int) -> list[list[Arrival]]:
    """Return the rows in random order and loads; the versions of a key keep their order."""
    chance = random.Random(seed)
    places: dict[tuple[Any, ...], list[int]] = {}
    for one in rows:
        places.setdefault(_key(one), []).append(chance.randrange(loads))
    turns = {key: iter(sorted(numbers)) for key, numbers in places.items()}
    parts: list[list[Arrival]] = [[] for _ in range(loads)]
    for one in sorted(rows, key=_turn):
        parts[next(turns[_key(one)])].append(one)
    for part in parts:
        chance.shuffle(part)
    return parts


def _turn(arrival: Arrival) -> int:
    return arrival.version


def _key(arrival: Arrival) -> tuple[Any, ...]:
    return (arrival.table, *(arrival.row[name] for name in KEYS[arrival.table]))


def _stream(name: str, seed: int) -> Iterator[Arrival]:
    chance = random.Random(f"{seed}/{name}")
    visitors = [f"{name}v{n}" for n in range(chance.randrange(1, 4))]
    customers = [f"{name}c{n}" for n in range(chance.randrange(1, 4))]
    for user in customers:
        yield Arrival("raw_shop.users", {"user_id": user, "created_at": STARTS[2]})
    if len(customers) > 1 and chance.random() < 0.4:
        # the last account is merged into the first, through the one between them
        for merged, kept in zip(customers[1:], customers, strict=False):
            row = {"user_id": merged, "created_at": STARTS[2], "merged_into": kept}
            yield Arrival("raw_shop.users", row | {"account_status": "merged"}, version=2)
    at = chance.choice(STARTS)
    steps = chance.choice(STEPS)
    signed_in = chance.choice((0.1, 0.3, 0.6))
    count, kinds = chance.randrange(2, 40), KINDS
    seen = [*visitors * 8, None, ""]
    odd = chance.random()
    if odd < 0.05:
        # a program, or somebody who looks like one and buys
        steps, count, kinds = FAST, 140, KINDS if chance.random() < 0.3 else KINDS[:-1]
    elif odd < 0.08:
        steps, count, kinds = SLOW, 150, PAGES
    if odd < 0.08:
        seen = visitors[:1]
    for number in range(count):
        at += timedelta(milliseconds=chance.choice(steps))
        who: Row = {
            "visitor_id": chance.choice(seen),
            "customer_id": chance.choice(customers) if chance.random() < signed_in else None,
        }
        event = f"{name}e{chance.randrange(10_000):04}n{number}"
        yield from _event(chance, event, at, who, kinds if number else ("campaign", *kinds))


def _event(
    chance: random.Random, name: str, at: datetime, who: Row, kinds: Sequence[str]
) -> Iterator[Arrival]:
    kind = chance.choice(kinds)
    if kind in {"campaign", "click"}:
        yield from _delivered(chance, kind, name, at, who)
    elif kind == "order":
        user = {"user_id": who["customer_id"], "visitor_id": who["visitor_id"]}
        row = {"order_id": name, "ordered_at": at, "status": "paid", "currency": "GBP"}
        yield Arrival("raw_shop.orders", row | user)
    else:
        yield from _stored(chance, kind, name, at, who)


def _delivered(
    chance: random.Random, kind: str, name: str, at: datetime, who: Row
) -> Iterator[Arrival]:
    """Yield an event with its receipts: some late, some twice, some with an impossible time."""
    page = {"landing_page": chance.choice(["/", "/mugs", None])}
    if kind == "click":
        table, row = "raw_activity.affiliate_clicks", {"click_id": name, "affiliate_id": "a1"}
    else:
        channel, campaign_id = chance.choice(ORIGINS)
        types = ["landing_view", "landing_view", "landing_view", "link_click"]
        table = "raw_activity.campaign_events"
        row = {
            "event_id": name,
            "event_type": chance.choice([*types, "impression", "ad_click"]),
            "channel": channel,
            "campaign_id": campaign_id,
            "is_bot": chance.random() < 0.01,
        }
    delay = chance.choice([1, 1, 1, 1, 3_600, 259_200, 7 * 86_400, 7 * 86_400 + 1, -600, -601])
    received = at + timedelta(seconds=delay)
    row |= who | page | {"received_at": text(received)}
    row["occurred_at"] = "yesterday" if chance.random() < 0.02 else text(at)
    yield Arrival(table, row)
    if chance.random() < 0.1:
        again = row | {"received_at": text(received + timedelta(days=chance.randrange(1, 20)))}
        again["landing_page"] = "/again"
        yield Arrival(table, again)
        if chance.random() < 0.3:
            yield Arrival(table, again | {"_deleted_at": AS_OF}, version=2)


def _stored(
    chance: random.Random, kind: str, name: str, at: datetime, who: Row
) -> Iterator[Arrival]:
    """Yield an item of the single table: some under two keys, some corrected, some deleted."""
    table, rest = {
        "view": ("product_events", {"event_id": name, "product_id": "p1"}),
        "search": ("searches", {"search_id": name, "query": "mug"}),
        "cart": ("cart_events", {"event_id": name, "product_id": "p1", "action": "add"}),
    }[kind]
    if kind == "view":
        rest["event_type"] = chance.choice(["view", "view", "wishlist"])
    row = who | rest | {"pk": f"VISITOR#{who['visitor_id']}", "occurred_at": text(at)}
    first = Arrival(f"raw_activity.{table}", row | {"sk": f"{kind.upper()}#{text(at)}#{name}"})
    yield first
    if chance.random() < 0.05:
        other = at + timedelta(minutes=chance.randrange(-50, 50))
        moved = {"sk": f"{kind.upper()}#{text(other)}#{name}", "occurred_at": text(other)}
        yield Arrival(first.table, row | moved)
    if chance.random() < 0.05:
        gone = {"_deleted_at": AS_OF} if chance.random() < 0.5 else {"visitor_id": None}
        yield Arrival(first.table, first.row | gone, version=2)
