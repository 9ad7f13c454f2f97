"""What is paid for an order: whole, in parts, too much, not at all, and back again."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from demo.parameters import Parameters
from demo.rows.payments import payments

D = Decimal
ORDERED = datetime(2026, 3, 2, 12, tzinfo=UTC)
# Every order is paid whole, once.
PLAIN = replace(
    Parameters(), unpaid_orders=0.0, split_payments=0.0, overpaid_orders=0.0, charged_back=0.0
)
ORDERS = 300


def orders(cancelled: datetime | None = None) -> pa.Table:
    """Return 300 orders of 10.005 each."""
    never = pa.array([cancelled] * ORDERS, pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "order_id": [f"o{number}" for number in range(ORDERS)],
            "ordered_at": pa.array([ORDERED] * ORDERS, pa.timestamp("us", "UTC")),
            "currency": ["EUR"] * ORDERS,
            "total": pa.array([D("10.005")] * ORDERS, pa.decimal128(14, 3)),
            "cancelled_at": never,
            "deleted_at": pa.nulls(ORDERS, pa.timestamp("us", "UTC")),
        }
    )


def paid(parameters: Parameters, given: pa.Table | None = None) -> tuple[Any, list[Any]]:
    """Return the payments that do not fail, and when each order is paid."""
    found, whens = payments(given or orders(), 1, parameters)
    rows = [row for row in found.to_pylist() if row["status"] != "failed"]
    return rows, whens.to_pylist()


def test_an_order_is_paid_once_and_exactly_and_settles_later() -> None:
    rows, whens = paid(PLAIN)

    assert sorted(row["order_id"] for row in rows) == sorted(f"o{n}" for n in range(ORDERS))
    assert {(row["kind"], row["amount"], row["currency"], row["status"]) for row in rows} == {
        ("payment", D("10.005"), "EUR", "settled")
    }
    assert all(ORDERED < row["paid_at"] < row["settled_at"] for row in rows)
    assert {row["order_id"]: row["settled_at"] for row in rows} == dict(
        zip(orders().column("order_id").to_pylist(), whens, strict=True)
    )


def test_a_first_attempt_sometimes_fails_and_the_next_one_succeeds() -> None:
    found, _ = payments(orders(), 1, PLAIN)

    failed = [row for row in found.to_pylist() if row["status"] == "failed"]
    later = {row["order_id"]: row for row in found.to_pylist() if row["status"] == "settled"}
    assert 1 <= len(failed) <= 15
    assert all(row["amount"] == D("10.005") for row in failed)
    assert all(row["paid_at"] < later[row["order_id"]]["paid_at"] for row in failed)


def test_two_parts_are_the_total_to_the_last_decimal() -> None:
    rows, whens = paid(replace(PLAIN, split_payments=1.0))

    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row["order_id"]] = sums.get(row["order_id"], D(0)) + row["amount"]
    assert len(rows) == 2 * ORDERS
    assert set(sums.values()) == {D("10.005")}
    assert min(row["amount"] for row in rows) > 3
    # Paid when the last part is.
    last = {name: max(r["settled_at"] for r in rows if r["order_id"] == name) for name in sums}
    ids = orders().column("order_id").to_pylist()
    assert last == dict(zip(ids, whens, strict=True))


def test_too_much_is_five_more_or_twice_the_total() -> None:
    rows, _ = paid(replace(PLAIN, overpaid_orders=1.0))

    assert {row["amount"] for row in rows} == {D("15.005"), D("20.010")}


def test_an_unpaid_order_has_no_payment_not_even_one_that_failed() -> None:
    found, whens = payments(orders(), 1, replace(PLAIN, unpaid_orders=1.0))

    assert found.num_rows == 0
    assert set(whens.to_pylist()) == {None}


def test_a_cancelled_order_was_never_paid() -> None:
    found, whens = payments(orders(cancelled=ORDERED), 1, PLAIN)

    assert {row["status"] for row in found.to_pylist()} == {"failed"}
    assert set(whens.to_pylist()) == {None}


@pytest.mark.parametrize(("won", "kinds"), [(0.0, 2), (1.0, 3)])
def test_a_chargeback_takes_all_back_after_weeks_and_a_won_one_returns_it(
    won: float, kinds: int
) -> None:
    rows, _ = paid(replace(PLAIN, charged_back=1.0, chargebacks_won=won))

    names = ["payment", "chargeback", "reversal"][:kinds]
    by_kind = {name: [row for row in rows if row["kind"] == name] for name in names}
    assert [len(found) for found in by_kind.values()] == [ORDERS] * kinds
    assert {row["amount"] for row in rows} == {D("10.005")}
    days = [
        (back["paid_at"] - row["paid_at"]).total_seconds() / 86_400
        for row, back in zip(by_kind["payment"], by_kind["chargeback"], strict=True)
    ]
    assert 20 <= min(days) < max(days) <= 60


def test_one_more_order_changes_no_other_payment() -> None:
    fewer, _ = payments(orders().slice(0, ORDERS - 1), 1, Parameters())
    more, _ = payments(orders(), 1, Parameters())

    last = f"o{ORDERS - 1}"
    assert [row for row in more.to_pylist() if row["order_id"] != last] == fewer.to_pylist()
