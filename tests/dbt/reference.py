"""Sessions, identity and last touch said again in plain loops, as their rules are worded."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from tests.dbt.streams import Row

MONTH = timedelta(days=30)
GAP = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
BUSY = 60  # events in a minute that a person can cause
LONDON = ZoneInfo("Europe/London")
# Tables of events in the order in which they stand at one instant: the column that names an event,
# and its kind (None: the row's event_type says it).
DELIVERED = ((1, "campaign_events", "event_id", None), (5, "affiliate_clicks", "click_id", "click"))
STORED = (
    (2, "product_events", "event_id", None),
    (3, "searches", "search_id", "search"),
    (4, "cart_events", "event_id", "cart"),
)


@dataclass(frozen=True)
class Event:
    """Something that a visitor did; `origin` is (channel, campaign) where it says one."""

    at: datetime
    rank: int
    name: str
    kind: str
    visitor: str | None
    customer: str | None
    origin: tuple[str, str] = ("", "")
    page: str | None = None
    is_bot: bool = False
    is_part: bool = False  # the first event of a part of a session that was cut

    @property
    def place(self) -> tuple[datetime, int, str]:
        return (self.at, self.rank, self.name)

    @property
    def key(self) -> tuple[str, str] | None:
        """Whose visit it is: the visitor's, else the customer's, else nobody's."""
        if self.visitor:
            return ("visitor", self.visitor)
        return ("customer", self.customer) if self.customer else None


def events_of(raw: dict[str, list[Row]], as_of: datetime | None = None) -> list[Event]:
    """Return all events, and orders with a visitor, that happened by as_of, in order."""
    merged = {row["user_id"]: row.get("merged_into") for row in raw["raw_shop.users"]}

    def person(row: Row) -> tuple[str | None, str | None]:
        customer = row.get("customer_id") or row.get("user_id") or None
        while customer and merged.get(customer):
            customer = merged[customer]
        return (row["visitor_id"] or None, customer)

    found: list[Event] = []
    for rank, table, name, kind in DELIVERED:
        for event_id, rows in _by(name, raw.get(f"raw_activity.{table}", [])):
            last = max(rows, key=lambda row: row["received_at"])
            at = _happened(last, min(_time(row["received_at"]) for row in rows))
            origin = (last.get("channel") or "", last.get("campaign_id") or "")
            origin = ("affiliate", "") if kind == "click" else origin
            page = last.get("landing_page")
            what = kind or last["event_type"]
            is_bot = bool(last.get("is_bot"))
            found.append(Event(at, rank, event_id, what, *person(last), origin, page, is_bot))
    for rank, table, name, kind in STORED:
        for event_id, rows in _by(name, raw[f"raw_activity.{table}"]):
            row = min(rows, key=lambda row: (row["sk"], row["pk"]))
            at = _time(row["occurred_at"])
            found.append(Event(at, rank, event_id, kind or row["event_type"], *person(row)))
    found += [
        Event(row["ordered_at"], 6, row["order_id"], "order", *person(row))
        for row in raw["raw_shop.orders"]
        if row["visitor_id"]
    ]
    due = [event for event in found if as_of is None or event.at <= as_of]
    return sorted(_of_people(due), key=lambda event: event.place)


def _of_people(events: list[Event]) -> list[Event]:
    """Return the events without those of programs: flagged, or of a visitor who never ordered."""
    buyers = {event.visitor for event in events if event.kind == "order"}
    busy = Counter(
        (event.visitor, event.at.replace(second=0, microsecond=0))
        for event in events
        if event.visitor and event.rank < 5
    )
    programs = {event.visitor for event in events if event.is_bot and event.visitor}
    programs |= {visitor for (visitor, _), count in busy.items() if count > BUSY}
    return [one for one in events if not one.is_bot and one.visitor not in programs - buyers]


def _by(name: str, rows: Iterable[Row]) -> Iterable[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[name]].append(row)
    return groups.items()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _happened(row: Row, received: datetime) -> datetime:
    """Return the event's own time, or its receipt where the own one cannot be."""
    try:
        said = _time(row["occurred_at"])
    except ValueError:
        return received
    early, late = received - timedelta(days=7), received + timedelta(minutes=10)
    return said if early <= said <= late else received


def resolved(events: list[Event]) -> list[Event]:
    """Return the events with the customers that sign-ins tell."""
    sign_ins: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.visitor and event.customer:
            sign_ins[event.visitor].append(event)
    return [
        replace(event, customer=_customer(event, sign_ins[event.visitor or ""])) for event in events
    ]


def _customer(event: Event, mine: list[Event]) -> str | None:
    if event.customer or not event.visitor:
        return event.customer
    later = [one for one in mine if one.place > event.place]
    if not later or later[0].at > event.at + MONTH:
        return None
    near = [one for one in mine if event.at - MONTH <= one.at <= event.at + MONTH]
    is_contested = any(one.customer != later[0].customer for one in near)
    return None if is_contested else later[0].customer


def sessions_of(events: list[Event]) -> list[list[Event]]:
    """Return the sessions, each its events in order."""
    used = [one for one in events if one.key and (one.rank > 1 or one.kind[:4] in {"land", "link"})]
    sessions: list[list[Event]] = []
    by_key = sorted(used, key=lambda event: (event.key or ("", ""), event.place))
    for _, visits in groupby(by_key, key=lambda event: event.key):
        whole: list[Event] = []
        for event in visits:
            landed = event.kind == "landing_view" and event.origin != ("", "")
            elsewhere = bool(whole) and landed and event.origin != whole[0].origin
            if not whole or event.at - whole[-1].at > GAP or elsewhere:
                if whole:
                    sessions += _parts(whole)
                whole = []
            whole.append(event)
        sessions += _parts(whole)
    return sessions


def _parts(whole: list[Event]) -> list[list[Event]]:
    """Return a session, cut every 12 hours from its start; each part came as the whole did."""
    first, *others = (
        list(part) for _, part in groupby(whole, key=lambda one: (one.at - whole[0].at) // LONGEST)
    )
    return [
        first,
        *([replace(one, origin=first[0].origin, is_part=True), *rest] for one, *rest in others),
    ]


def customer_of(session: list[Event]) -> str | None:
    """Return the first event's customer, else the only one who signed in during the session."""
    known = {event.customer for event in session if event.customer}
    return session[0].customer or (known.pop() if len(known) == 1 else None)


def described(session: list[Event]) -> tuple[object, ...]:
    """Return what `core.sessions` says of a session, its id and cell left out."""
    first, kinds = session[0], [event.kind for event in session]
    channel, campaign = first.origin
    return (
        first.visitor,
        customer_of(session),
        channel or ("(unknown)" if campaign else "direct"),
        campaign or "(none)",
        first.page,
        first.at,
        session[-1].at,
        first.at.astimezone(LONDON).date(),
        len(session),
        *(kinds.count(kind) for kind in ("view", "search", "cart", "order", "click", "wishlist")),
        first.is_part,
    )


def _path_key(session: list[Event]) -> tuple[str, str] | None:
    customer = customer_of(session)
    return ("customer", customer) if customer else session[0].key


def last_touches(
    sessions: list[list[Event]], events: list[Event], raw: dict[str, list[Row]]
) -> dict[str, tuple[int, str] | None]:
    """Return the first event (rank, name) of each counted order's last session, None without."""
    ordered = {event.name: event for event in events if event.kind == "order"}
    orders: list[tuple[datetime, str, object]] = []
    for row in raw["raw_shop.orders"]:
        if row["order_id"] not in counted(raw):
            continue
        event = ordered.get(row["order_id"])
        customer = row["user_id"] or (event.customer if event else None)
        key = ("customer", customer) if customer else (event.key if event else None)
        orders.append((row["ordered_at"], row["order_id"], key))
    found: dict[str, tuple[int, str] | None] = {}
    for at, name, key in sorted(orders, key=lambda order: order[:2]):
        before = [one for one in orders if one[2] == key and one[:2] < (at, name)]
        since = max((one[0] for one in before), default=None)
        touches = [
            session[0]
            for session in sessions
            if key is not None
            and _path_key(session) == key
            and at - MONTH <= session[0].at <= at
            and (since is None or session[0].at > since)
        ]
        last = max(touches, key=lambda event: event.place, default=None)
        found[name] = (last.rank, last.name) if last else None
    return found


def counted(raw: dict[str, list[Row]]) -> set[str]:
    """Return the orders that are sales and not cancelled."""
    customers = {row["order_id"]: row["user_id"] for row in raw["raw_shop.orders"]}
    sales = {
        line["order_id"]
        for line in raw["raw_shop.order_lines"]
        if float(line["unit_price"]) != 0 or customers[line["order_id"]]
    }
    return {
        row["order_id"]
        for row in raw["raw_shop.orders"]
        if row["status"] != "cancelled" and row["order_id"] in sales
    }
