"""What each table shows at the clock: from when, until when, and corrected when."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pyarrow as pa
import pytest

from demo.history import History
from demo.orders import OPENED, history_of, rows_of
from demo.parameters import Parameters


@cache
def blank() -> History:
    """Return a history in which nothing happens."""
    history = history_of(None, None, OPENED, OPENED, 1, 0.01, Parameters())
    return replace(history, life={name: table.slice(0, 0) for name, table in history.life.items()})


def day(number: int) -> datetime:
    """Return midnight of a day of May 2026, UTC."""
    return datetime(2026, 5, number, tzinfo=UTC)


def shown(table: str, now: int, **life: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a table on a day, without the columns that are NULL."""
    history = blank()
    filled = dict(history.life)
    for name, row in life.items():
        schema = history.life[name].schema
        filled[name] = pa.Table.from_pylist(
            [{column: row.get(column) for column in schema.names}], schema
        )
    rows = rows_of(replace(history, now=day(now), life=filled))[table].to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


USER = {"user_id": "7", "created_at": day(1), "closed_at": day(20)}
MERGE = {"user_id": "7", "merged_into": "5", "merged_at": day(10)}


@pytest.mark.parametrize(
    ("now", "status"), [(2, "active"), (10, "merged"), (19, "merged"), (20, "merged")]
)
def test_a_merged_account_names_the_one_that_survives(now: int, status: str) -> None:
    merged = {"merged_into": "5"} if status == "merged" else {}
    assert shown("users", now, users=USER, merges=MERGE) == [
        {"user_id": "7", "created_at": day(1), "account_status": status} | merged
    ]


def test_an_account_is_there_when_it_was_made_and_is_closed_later() -> None:
    late = USER | {"created_at": day(5)}

    statuses = [
        [row["account_status"] for row in shown("users", now, users=late)] for now in (4, 5, 20)
    ]
    assert statuses == [[], ["active"], ["closed"]]


def test_an_address_moves_and_goes_with_its_account() -> None:
    address = {
        "address_id": "a",
        "user_id": "7",
        "city": "Old",
        "moved_city": "New",
        "created_at": day(2),
        "moved_at": day(9),
    }

    cities = [
        [row["city"] for row in shown("addresses", now, users=USER, addresses=address)]
        for now in (1, 2, 9, 20)
    ]
    assert cities == [[], ["Old"], ["New"], []]


ORDER = {
    "order_id": "1",
    "user_id": "7",
    "ordered_at": day(2),
    "is_made": True,
    "visible_at": day(4),
    "paid_at": day(5),
    "shipped_at": day(6),
}


def test_an_order_goes_from_placed_to_shipped_once_it_is_entered() -> None:
    statuses = [
        [row["status"] for row in shown("orders", now, orders=ORDER)] for now in (3, 4, 5, 6)
    ]
    assert statuses == [[], ["placed"], ["paid"], ["shipped"]]


def test_a_cancelled_order_stays_cancelled_and_a_real_one_is_always_shipped() -> None:
    cancelled = ORDER | {"cancelled_at": day(5)}
    real = ORDER | {"is_made": False, "visible_at": day(2)}

    assert [row["status"] for row in shown("orders", 9, orders=cancelled)] == ["cancelled"]
    assert [row["status"] for row in shown("orders", 2, orders=real)] == ["shipped"]


def test_orders_and_refunds_name_the_survivor_from_the_merge_on() -> None:
    refund = {"refund_id": "C1-1", "user_id": "7", "refunded_at": day(8)}

    for table, row in (("orders", ORDER), ("refunds", refund)):
        owners = [
            [found["user_id"] for found in shown(table, now, merges=MERGE, **{table: row})]
            for now in (9, 10)
        ]
        assert owners == [["7"], ["5"]]


def test_a_line_typed_wrong_stands_so_until_it_is_corrected() -> None:
    line = {
        "order_line_id": "1-1",
        "order_id": "1",
        "quantity": 2,
        "typed_quantity": 20,
        "entered_at": day(5),
        "corrected_at": day(8),
    }

    quantities = [
        [row["quantity"] for row in shown("order_lines", now, orders=ORDER, order_lines=line)]
        for now in (4, 5, 7, 8)
    ]
    assert quantities == [[], [20], [20], [2]]


def test_a_removed_order_takes_lines_and_payments_with_it() -> None:
    removed = ORDER | {"deleted_at": day(9)}
    line = {"order_line_id": "1-1", "order_id": "1", "quantity": 2, "entered_at": day(2)}
    payment = {"payment_id": "p", "order_id": "1", "paid_at": day(2), "deleted_at": day(9)}

    for now, count in ((8, 1), (9, 0)):
        for table, row in (("order_lines", line), ("payments", payment)):
            assert len(shown(table, now, orders=removed, **{table: row})) == count


def test_a_payment_may_come_before_its_order_and_is_pending_until_it_settles() -> None:
    payment = {
        "payment_id": "p",
        "order_id": "1",
        "status": "settled",
        "paid_at": day(2),
        "settled_at": day(4),
    }

    statuses = [
        [row["status"] for row in shown("payments", now, payments=payment)] for now in (1, 3, 4)
    ]
    assert statuses == [[], ["pending"], ["settled"]]


def test_a_product_has_the_price_in_force_and_one_day_another_name_and_no_customers() -> None:
    product = {
        "product_id": "10001",
        "name": "MUG",
        "list_price": 1,
        "created_at": day(1),
        "renamed_at": day(5),
        "ended_at": day(9),
    }
    price = {"product_id": "10001", "valid_from": day(3), "price": 2}

    seen = [
        [
            (row["name"], row["list_price"], row["is_active"])
            for row in shown("products", now, products=product, prices=price)
        ]
        for now in (2, 3, 5, 9)
    ]
    assert seen == [
        [("MUG", 1, True)],
        [("MUG", 2, True)],
        [("SET OF 2 MUG", 2, True)],
        [("SET OF 2 MUG", 2, False)],
    ]


def test_a_rate_is_published_in_the_afternoon_and_corrected_the_next_day() -> None:
    rate = {
        "rate_date": day(2).date(),
        "currency": "EUR",
        "rate": 2,
        "typed_rate": 3,
        "published_at": day(3),
        "corrected_at": day(4),
    }

    rates = [[row["rate"] for row in shown("fx_rates", now, fx_rates=rate)] for now in (2, 3, 4)]
    assert rates == [[], [3], [2]]


def test_a_plan_says_when_it_ends_only_once_it_has() -> None:
    plan = {"plan_id": "usual", "valid_from": day(2), "ends_at": day(8)}

    ends = [
        [row.get("valid_to") for row in shown("commission_plans", now, commission_plans=plan)]
        for now in (1, 7, 8)
    ]
    assert ends == [[], [None], [day(8)]]


def test_an_affiliate_is_suspended_or_closed_from_a_day_on() -> None:
    partner = {"affiliate_id": "aff01", "joined_at": day(2), "suspended_at": day(5)}

    for row, statuses in (
        (partner, [[], ["active"], ["suspended"]]),
        (partner | {"closed_at": day(5)}, [[], ["active"], ["closed"]]),
    ):
        found = [
            [each["status"] for each in shown("affiliates", now, affiliates=row)]
            for now in (1, 4, 5)
        ]
        assert found == statuses
