"""Sessions, identity and last touch said again in plain loops, as their rules are worded."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from tests.dbt.streams import Row

MONTH = timedelta(days=30)
GAP = timedelta(minutes=30)


@dataclass(frozen=True)
class Event:
    """Something that a visitor did; `origin` is (channel, campaign) where it says one."""

    at: datetime
    rank: int
    name: str
    kind: str
    visitor: str | None
    customer: str | None
    origin: tuple[str, str]

    @property
    def place(self) -> tuple[datetime, int, str]:
        return (self.at, self.rank, self.name)

    @property
    def key(self) -> tuple[str, str] | None:
        """Whose visit it is: the visitor's, else the customer's, else nobody's."""
        if self.visitor:
            return ("visitor", self.visitor)
        return ("customer", self.customer) if self.customer else None


def events_of(raw: dict[str, list[Row]]) -> list[Event]:
    """Return all events, and orders with a visitor, in order."""
    found: list[Event] = []
    for rank, table, name in (
        (1, "campaign_events", "event_id"),
        (2, "product_events", "event_id"),
        (3, "searches", "search_id"),
        (4, "cart_events", "event_id"),
    ):
        for row in raw[f"raw_activity.{table}"]:
            at = datetime.fromisoformat(row["occurred_at"])
            origin = (row.get("channel") or "", row.get("campaign_id") or "")
            kind = row["event_type"] if rank == 1 else table
            person = (row["visitor_id"], row["customer_id"])
            found.append(Event(at, rank, row[name], kind, *person, origin))
    for row in raw["raw_shop.orders"]:
        if row["visitor_id"]:
            person = (row["visitor_id"], row["user_id"])
            found.append(Event(row["ordered_at"], 6, row["order_id"], "order", *person, ("", "")))
    return sorted(found, key=lambda event: event.place)


def resolved(events: list[Event]) -> list[Event]:
    """Return the events with the customers that sign-ins tell."""
    sign_ins = [event for event in events if event.visitor and event.customer]
    return [replace(event, customer=_customer(event, sign_ins)) for event in events]


def _customer(event: Event, sign_ins: list[Event]) -> str | None:
    if event.customer or not event.visitor:
        return event.customer
    mine = [one for one in sign_ins if one.visitor == event.visitor]
    later = [one for one in mine if one.place > event.place]
    if not later or later[0].at > event.at + MONTH:
        return None
    before = [one for one in mine if one.place < event.place and one.at >= event.at - MONTH]
    others = [one for one in before if one.customer != later[0].customer]
    return None if others else later[0].customer


def sessions_of(events: list[Event]) -> list[list[Event]]:
    """Return the sessions, each its events in order."""
    used = [one for one in events if one.key and (one.rank > 1 or one.kind[:4] in {"land", "link"})]
    sessions: list[list[Event]] = []
    by_key = sorted(used, key=lambda event: (event.key or ("", ""), event.place))
    for _, visits in groupby(by_key, key=lambda event: event.key):
        session: list[Event] = []
        for event in visits:
            landed = event.kind == "landing_view" and event.origin != ("", "")
            elsewhere = bool(session) and landed and event.origin != session[0].origin
            if not session or event.at - session[-1].at > GAP or elsewhere:
                session = []
                sessions.append(session)
            session.append(event)
    return sessions


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
            and (("customer", session[0].customer) if session[0].customer else session[0].key)
            == key
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
