"""A small shop with random visits: raw rows that hit every rule about visitors and orders."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]

START = datetime(2011, 3, 1, tzinfo=UTC)
VISITORS = ["v1", "v2", "v3", "v4", "v5", "v6", None]
CUSTOMERS = ["c1", "c2", "c3", "c4"]
# Direct twice as often; one campaign name in two channels; a channel without a campaign.
ORIGINS = [
    (None, None),
    (None, None),
    ("email", "k1"),
    ("social", "k1"),
    ("email", "k2"),
    ("organic", None),
    (None, "k3"),
    ("", ""),
]


def text(at: datetime) -> str:
    """Return an instant as DynamoDB's items spell it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def raw_rows(seed: int, events: int = 900, orders: int = 120) -> dict[str, list[Row]]:
    """Return rows for the raw tables; times are whole minutes, so that many are equal."""
    chance = random.Random(seed)
    # Bursts of a few hours, spread over five months: gaps of minutes, days and months.
    bursts = [START + timedelta(hours=chance.randrange(150 * 24)) for _ in range(60)]

    def time() -> datetime:
        return chance.choice(bursts) + timedelta(minutes=chance.randrange(0, 100, 5))

    rows: dict[str, list[Row]] = {
        "raw_shop.users": [
            {"user_id": one, "country": "France", "created_at": START} for one in CUSTOMERS
        ],
        "raw_shop.products": [
            {"product_id": f"{case}{n}", "name": "Mug", "list_price": n, "currency": "GBP"}
            for case in "pP"
            for n in range(1, 5)
        ],
        "raw_shop.campaigns": [
            {"campaign_id": one, "channel": "email", "currency": "GBP"} for one in ("k1", "k2")
        ],
        "raw_shop.ad_spend": [
            {
                "spend_date": (START + timedelta(days=day)).date(),
                "campaign_id": "k1",
                "amount": "10.25",
                "currency": "GBP",
            }
            for day in range(5)
        ],
    }
    for n in range(events):
        table, row = _event(chance, n, time())
        rows.setdefault(table, []).append(row)
    for n in range(orders):
        order, lines = _order(chance, n, time())
        rows.setdefault("raw_shop.orders", []).append(order)
        rows.setdefault("raw_shop.order_lines", []).extend(lines)
    rows["raw_shop.refunds"] = [_refund(chance, n, rows) for n in range(40)]
    return rows | _prices_and_stock(random.Random(seed + 1))


def _event(chance: random.Random, n: int, at: datetime) -> tuple[str, Row]:
    visitor = chance.choice(VISITORS)
    # Most events are anonymous; a visitor is mostly one person.
    known = [None] * 8 + [CUSTOMERS[n % 4], f"c{visitor[1]}" if visitor in VISITORS[:4] else None]
    row: Row = {"visitor_id": visitor, "customer_id": chance.choice(known)}
    kind = chance.choice(["campaign", "campaign", "view", "search", "cart"])
    if kind == "campaign":
        channel, campaign_id = chance.choice(ORIGINS)
        types = ["landing_view", "landing_view", "link_click", "impression", "ad_click"]
        return "raw_activity.campaign_events", row | {
            "event_id": f"e{n}",
            "event_type": chance.choice(types),
            "occurred_at": text(at),
            "received_at": text(at + timedelta(seconds=3)),
            "channel": channel,
            "campaign_id": campaign_id,
            "is_bot": False,
        }
    key = {"pk": f"VISITOR#{visitor}", "sk": f"{kind.upper()}#{text(at)}#{n}", "type": kind}
    row |= key | {"occurred_at": text(at)}
    if kind == "view":
        # now and then a product that the shop does not have (any more)
        product_id = "gone" if n % 7 == 0 else "p1"
        more = {"event_id": f"e{n}", "product_id": product_id, "event_type": "view"}
        return "raw_activity.product_events", row | more
    if kind == "search":
        return "raw_activity.searches", row | {"search_id": f"e{n}", "query": "mug"}
    more = {"event_id": f"e{n}", "cart_id": f"cart{n}", "product_id": "p2", "action": "add"}
    return "raw_activity.cart_events", row | more | {"quantity": 1, "unit_price": 2}


def _prices_and_stock(chance: random.Random) -> dict[str, list[Row]]:
    """Return dated prices of p1 and p2, and movements of some products' stock, many at one time."""

    def time() -> datetime:
        return START + timedelta(hours=chance.randrange(150 * 24 // 12) * 12)

    prices = {(product, time()): chance.randrange(1, 900) for product in ("p1", "p2") * 9}
    quantities = {"receipt": 40, "sale": -3, "return": 1, "adjustment": -2}
    movements: list[Row] = [
        {
            "movement_id": f"m{n}",
            "product_id": f"p{chance.randrange(1, 4)}",
            "kind": kind,
            "quantity": quantities[kind],
            "moved_at": time(),
        }
        for n, kind in enumerate(chance.choices(list(quantities), [1, 8, 2, 1], k=300))
    ]
    on_hand: dict[str, int] = dict.fromkeys(("p1", "p2", "p3", "p4"), 0)
    for movement in movements:
        on_hand[movement["product_id"]] += movement["quantity"]
    return {
        "raw_shop.product_prices": [
            {"product_id": product, "valid_from": at, "price": price, "currency": "GBP"}
            for (product, at), price in prices.items()
        ],
        "raw_shop.inventory_movements": movements,
        "raw_shop.inventory": [
            {"product_id": product, "on_hand": units} for product, units in on_hand.items()
        ],
    }


def _order(chance: random.Random, n: int, at: datetime) -> tuple[Row, list[Row]]:
    order = {
        "order_id": f"o{n:03}",
        "user_id": chance.choice([*CUSTOMERS, None]),
        "visitor_id": chance.choice(VISITORS),
        "ordered_at": at,
        "status": chance.choice(["placed", "paid", "shipped", "shipped", "cancelled"]),
        "country": "France",
        "currency": "GBP",
    }
    lines = [
        {
            "order_line_id": f"o{n:03}-{place}",
            "order_id": order["order_id"],
            "product_id": f"p{chance.randrange(1, 5)}",
            "quantity": chance.randrange(1, 6),
            "unit_price": chance.choice(["1.255", "2.500", "0.000"]),
            "entered_at": at,
        }
        for place in range(chance.randrange(1, 4))
    ]
    return order, lines


def _refund(chance: random.Random, n: int, rows: dict[str, list[Row]]) -> Row:
    line = chance.choice(rows["raw_shop.order_lines"])
    order = next(one for one in rows["raw_shop.orders"] if one["order_id"] == line["order_id"])
    named = n % 4 == 0
    return {
        "refund_id": f"r{n}",
        "refund_document_id": f"C{n // 2}",
        "order_id": order["order_id"] if named else None,
        "order_line_id": line["order_line_id"] if named else None,
        "user_id": order["user_id"],
        "product_id": line["product_id"].upper() if n % 3 == 0 and named else line["product_id"],
        "quantity": chance.randrange(1, 7),
        "unit_price": line["unit_price"],
        "amount": f"{chance.randrange(0, 9000) / 1000:.3f}",
        "currency": "GBP",
        "country": "France",
        "refunded_at": order["ordered_at"] + timedelta(days=chance.randrange(0, 20)),
    }
