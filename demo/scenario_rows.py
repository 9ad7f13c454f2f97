"""The rows, lines, items and answers that planted cases for e-mail triggers amount to."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from demo.draws import key_of
from demo.scenario_market import Market
from demo.tables import SHOP_TABLES, arrow_type

# Customers of planted cases are told from all others by this start of their ids.
PREFIX = "T"
LONDON = ZoneInfo("Europe/London")
USERS = next(table for table in SHOP_TABLES if table.name == "users")
USER_ROWS = pa.schema([(name, arrow_type(kind)) for name, kind in USERS.columns])
LINES = pa.schema(
    {
        "invoice_no": pa.string(),
        "stock_code": pa.string(),
        "description": pa.string(),
        "quantity": pa.int32(),
        "invoiced_at": pa.timestamp("us"),
        "unit_price": pa.decimal128(12, 3),
        "customer_id": pa.string(),
        "country": pa.string(),
    }
)
TRUTH = pa.schema(
    {
        "kind": pa.string(),
        "customer_id": pa.string(),
        "product_id": pa.string(),
        "evidence_id": pa.string(),
        "evidence_at": pa.timestamp("ms", "UTC"),
        "due_at": pa.timestamp("ms", "UTC"),
        "expires_at": pa.timestamp("ms", "UTC"),
        "should_send": pa.bool_(),
        "reason": pa.string(),
    }
)
TEXTS = ("pk", "sk", "type", "visitor_id", "customer_id", "product_id", "occurred_at")
# Entity -> its columns beside `written_at`, with types other than text.
ENTITIES: dict[str, dict[str, pa.DataType]] = {
    "product_events": {
        **dict.fromkeys((*TEXTS, "event_id", "event_type"), pa.string()),
        "price": pa.decimal128(18, 3),
    },
    "searches": {
        **dict.fromkeys((*TEXTS, "search_id", "query", "clicked_product_id"), pa.string()),
        "result_count": pa.int64(),
    },
    "cart_events": {
        **dict.fromkeys((*TEXTS, "event_id", "cart_id", "action"), pa.string()),
        "quantity": pa.int64(),
        "unit_price": pa.decimal128(18, 3),
    },
    "trigger_sends": dict.fromkeys(
        ("pk", "sk", "type", "trigger_id", "customer_id", "product_id", "kind", "sent_at"),
        pa.string(),
    ),
}
EVENT_TRUTH = pa.schema(
    {
        "event_id": pa.string(),
        "entity": pa.string(),
        "visitor_id": pa.string(),
        "person": pa.string(),
        "at": pa.timestamp("ms", "UTC"),
        "written_at": pa.timestamp("ms", "UTC"),
    }
)
WRITTEN_AFTER = timedelta(milliseconds=300)
TOO_LATE = timedelta(days=10)  # an app that was offline: its event arrives when nothing is due


@dataclass(frozen=True, slots=True)
class Case:
    """One planted case; all times are instants."""

    key: int
    batch: int
    kind: str
    reason: str  # why nothing must be sent; "": it must
    customer: str | None  # None: a visitor who never signs in
    product: str
    looked_at: datetime
    evidence_at: datetime
    due_at: datetime
    expires_at: datetime

    @property
    def visitor(self) -> str:
        """The browser, which nobody else uses."""
        return f"v{key_of(f'case {self.key}'):016x}"

    @property
    def event_id(self) -> str:
        """The id of the event that is the evidence."""
        return f"t{self.key:016x}"

    @property
    def written_at(self) -> datetime:
        """When the evidence reached the store."""
        return self.looked_at + (TOO_LATE if self.reason == "expired" else WRITTEN_AFTER)


@dataclass(frozen=True)
class Scenarios:
    """The people, orders, events and truth of the planted cases, not cut at the clock."""

    # Rows of table `users`, columns as in SHOP_TABLES.
    users: pa.Table
    # Document lines in the form of `orders_file.read_lines`: London wall-clock times.
    lines: pa.Table
    # Entity -> its items' columns, and `written_at`: the millisecond at which each is stored.
    activity: dict[str, pa.Table] = field(default_factory=dict[str, pa.Table])
    # One row per case, columns as in TRUTH.
    truth: pa.Table = field(default_factory=TRUTH.empty_table)
    # One row per event that prolongs a visit, columns as in EVENT_TRUTH.
    events: pa.Table = field(default_factory=EVENT_TRUTH.empty_table)


def nothing_planned() -> Scenarios:
    """Return the cases of a shop without made-up life: none."""
    return Scenarios(
        users=USER_ROWS.empty_table(),
        lines=LINES.empty_table(),
        activity={
            entity: pa.schema([*columns.items(), ("written_at", pa.int64())]).empty_table()
            for entity, columns in ENTITIES.items()
        },
    )


def user_rows(cases: Sequence[Case], opened: datetime) -> pa.Table:
    """Return the customers' rows of table `users`, as they are before any merge."""
    rows = [
        {
            "user_id": case.customer,
            "email": f"c{case.customer}@example.com",
            "name": f"Customer {case.customer}",
            "birth_date": date(1955 + case.key % 45, 1 + case.key % 12, 1 + case.key % 28),
            "gender": None,
            "country": "United Kingdom",
            "created_at": max(opened, case.looked_at - timedelta(hours=1)),
            "marketing_consent": case.reason != "no_consent",
            "account_status": "active",
            "merged_into": None,
        }
        for case in cases
        if case.customer is not None
    ]
    return pa.Table.from_pylist(rows, USER_ROWS)


def document_lines(cases: Sequence[Case], market: Market) -> pa.Table:
    """Return the orders of those who bought since, one line each."""
    rows = [
        {
            "invoice_no": f"{PREFIX}{case.key % 10**9:09d}",
            "stock_code": case.product,
            "description": market.names[case.product],
            "quantity": 1,
            "invoiced_at": _wall(_bought_at(case)),
            "unit_price": market.price_at(case.product, _bought_at(case)),
            "customer_id": case.customer,
            "country": "United Kingdom",
        }
        for case in cases
        if case.reason == "bought_since"
    ]
    return pa.Table.from_pylist(rows, LINES)


def activity_tables(cases: Sequence[Case], market: Market) -> dict[str, pa.Table]:
    """Return the items of every entity of `shop_activity`."""
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for case in cases:
        for entity, item in _evidence(case, market.price_at(case.product, case.looked_at)):
            rows[entity].append(item | {"written_at": _millis(case.written_at)})
        rows["trigger_sends"] += _sends(case)
    return {
        entity: pa.Table.from_pylist(
            rows[entity], pa.schema([*columns.items(), ("written_at", pa.int64())])
        )
        for entity, columns in ENTITIES.items()
    }


def trigger_truth(cases: Sequence[Case]) -> pa.Table:
    """Return kind, customer, product, evidence and whether to send, and if not, why."""
    rows = [
        {
            "kind": case.kind,
            "customer_id": case.customer,
            "product_id": case.product,
            "evidence_id": case.event_id,
            "evidence_at": case.evidence_at,
            "due_at": case.due_at,
            "expires_at": case.expires_at,
            "should_send": not case.reason,
            "reason": case.reason or None,
        }
        for case in cases
    ]
    return pa.Table.from_pylist(rows, TRUTH)


def event_truth(cases: Sequence[Case]) -> pa.Table:
    """Return the events that the cases' visits are made of, and whose they are."""
    rows = [
        {
            "event_id": item.get("event_id") or item["search_id"],
            "entity": entity,
            "visitor_id": case.visitor,
            "person": case.customer,
            "at": datetime.fromisoformat(item["occurred_at"]),
            "written_at": case.written_at,
        }
        for case in cases
        for entity, item in _evidence(case, Decimal(0))
    ]
    return pa.Table.from_pylist(rows, EVENT_TRUTH)


def _evidence(case: Case, price: Decimal) -> list[tuple[str, dict[str, Any]]]:
    """Return what the customer did: entity and item."""
    match case.kind:
        case "searched_not_bought":
            found = {"search_id": case.event_id, "query": "gift", "result_count": 7}
            found |= {"clicked_product_id": case.product}
            return [("searches", _item(case, "SEARCH", case.event_id, 0, found))]
        case "abandoned_cart":
            found = {"event_id": case.event_id, "cart_id": f"c{case.key:016x}", "action": "add"}
            found |= {"product_id": case.product, "quantity": 2, "unit_price": price}
            return [("cart_events", _item(case, "CART", case.event_id, 0, found))]
        case _:
            views = [(case.event_id, 0), (f"u{case.key:016x}", 45)]
            fields = {"product_id": case.product, "event_type": "view", "price": price}
            return [
                ("product_events", _item(case, "VIEW", name, later, fields | {"event_id": name}))
                for name, later in views
            ]


def _item(case: Case, prefix: str, name: str, later: int, fields: dict[str, Any]) -> dict[str, Any]:
    at = _text(case.looked_at + timedelta(seconds=later))
    return fields | {
        "pk": f"VISITOR#{case.visitor}",
        "sk": f"{prefix}#{at}#{name}",
        "type": prefix.lower(),
        "visitor_id": case.visitor,
        "customer_id": case.customer,
        "occurred_at": at,
    }


def _sends(case: Case) -> list[dict[str, Any]]:
    """Return the e-mails that were sent before: the same one, or another one on the day."""
    match case.reason:
        case "already_sent":
            sent_at, kind, product = case.due_at - timedelta(hours=1), case.kind, case.product
        case "daily_cap":
            sent_at, kind, product = case.due_at - timedelta(minutes=30), "on_sale_related", None
        case _:
            return []
    at, name = _text(sent_at), f"m{case.key:016x}"
    return [
        {
            "pk": f"CUSTOMER#{case.customer}",
            "sk": f"SEND#{at}#{name}",
            "type": "send",
            "trigger_id": name,
            "customer_id": case.customer,
            "product_id": product,
            "kind": kind,
            "sent_at": at,
            "written_at": _millis(sent_at + WRITTEN_AFTER),
        }
    ]


def _bought_at(case: Case) -> datetime:
    """Return half of the time until the e-mail would be due, to the minute."""
    at = case.evidence_at + (case.due_at - case.evidence_at) / 2
    return at.replace(second=0, microsecond=0)


def _wall(at: datetime) -> datetime:
    return at.astimezone(LONDON).replace(tzinfo=None)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _millis(at: datetime) -> int:
    return round(at.timestamp() * 1000)
