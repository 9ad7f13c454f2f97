"""What a line's commission comes to, cause by cause, counted by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.warehouse.ledger.programme import ALLOCATIONS, COMMISSIONS, PAYMENTS, REFUNDS
from warehouse.ledger import columns, due

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)


def on(day: int) -> datetime:
    return datetime(2026, 3, day, tzinfo=UTC)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def computed(
    connection: duckdb.DuckDBPyConnection,
    price: str,
    rate: str,
    *,
    fx_rate: str = "1",
    commission: str,
    refunds: tuple[str, ...] = (),
    payments: tuple[tuple[str, str, str] | tuple[str, str], ...] = (),
    decisions: tuple[dict[str, Any], ...] = (),
    currency: str = "GBP",
) -> dict[str, str]:
    """Return the amount of each cause: refunds r1, r2 … by day, payments p1, p2 … after them."""
    line = {
        "order_line_id": "l1",
        "order_id": "o1",
        "affiliate_id": "ann",
        "rate": Decimal(rate),
        "fx_rate": Decimal(fx_rate),
        "base_amount": Decimal(price),
        "reporting_line_amount": Decimal(price),
        "currency": currency,
        "commission_amount": Decimal(commission),
        "ordered_at": on(1),
        "matures_at": on(31),
    }
    given = {
        "commissions": ([line], COMMISSIONS),
        "allocations": (
            [
                {"refund_id": f"r{n}", "order_line_id": "l1", "amount": Decimal(amount)}
                for n, amount in enumerate(refunds, 1)
            ],
            ALLOCATIONS,
        ),
        "refunds": (
            [{"refund_id": f"r{n}", "refunded_at": on(1 + n)} for n in range(1, len(refunds) + 1)],
            REFUNDS,
        ),
        "payments": (
            [
                {
                    "payment_id": f"p{n}",
                    "order_id": "o1",
                    "kind": kind,
                    "status": status,
                    "amount": Decimal(amount[0] if amount else "10.00"),
                    "paid_at": on(20 + n),
                }
                for n, (kind, status, *amount) in enumerate(payments, 1)
            ],
            PAYMENTS,
        ),
        "decisions": (list(decisions), columns.DECISIONS),
    }
    for name, (rows, schema) in given.items():
        connection.register("given", pa.Table.from_pylist(rows, schema=schema))
        connection.execute(f"create or replace table {name} as from given")
    due.write(
        connection,
        into="due",
        **{name: name for name in given},
        as_of=AS_OF,
    )
    found = connection.execute("select cause_id, amount from due order by effective_at, 1")
    return {cause: str(amount) for cause, amount in found.fetchall()}


@pytest.mark.parametrize(
    ("refunds", "amounts"),
    [
        # 10.00 at 10 %: thirds of 1.00 are 0.333…, and what is left of them 0.666…, 0.333…, 0
        (("3.3333", "3.3333", "3.3334"), {"r1": "-0.33", "r2": "-0.34", "r3": "-0.33"}),
        # 5 % of it is left: 0.05 of 1.00
        (("9.5000",), {"r1": "-0.95"}),
        # of 9.95 and 9.85 left half a cent is rounded away from 0: 1.00, 0.99
        (("0.0500", "0.1000"), {"r2": "-0.01"}),
        # a cent too much takes no more than there was
        (("10.0100", "1.0000"), {"r1": "-1.00"}),
        # a refund below 0, which the audit names, gives nobody more than the whole
        (("-5.0000", "2.5000"), {}),
    ],
    ids=["in thirds", "in part", "half a cent", "more than it was", "below 0"],
)
def test_refunds_take_what_is_left_less_and_together_never_a_cent_too_much(
    connection: duckdb.DuckDBPyConnection, refunds: tuple[str, ...], amounts: dict[str, str]
) -> None:
    found = computed(connection, "10.00", "0.1", commission="1.00", refunds=refunds)
    assert found == {"o1": "1.00"} | amounts


def test_who_is_paid_in_rupiah_is_reckoned_like_others(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Thousands of units of their money for one of the order's are not too many."""
    found = computed(
        connection,
        "100.00",
        "0.1",
        fx_rate="21543.21987654",
        commission="215432.20",
        refunds=("50.00",),
    )
    assert found == {"o1": "215432.20", "r1": "-107716.10"}


def test_who_is_paid_in_yen_is_owed_no_part_of_one(connection: duckdb.DuckDBPyConnection) -> None:
    # 10.00 at 10 % and 193.55 yen a pound: 193.55, that is 194; of two thirds left 129.03, of one
    # third 64.52
    found = computed(
        connection,
        "10.00",
        "0.1",
        fx_rate="193.55",
        commission="194.00",
        refunds=("3.3333", "3.3333", "3.3334"),
        currency="JPY",
    )
    assert found == {"o1": "194.00", "r1": "-65.00", "r2": "-64.00", "r3": "-65.00"}


def test_a_commission_under_a_cap_is_shared_out_as_it_is(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    found = computed(connection, "100.00", "0.1", commission="4.00", refunds=("50.00", "50.00"))
    assert found == {"o1": "4.00", "r1": "-2.00", "r2": "-2.00"}


def test_what_is_left_is_reckoned_from_the_exact_commission_and_not_from_its_cents(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    # 0.10 x 0.145 = 0.0145, in cents 0.01; of 0.09 left 0.01305; of 0.03 left 0.00435
    found = computed(
        connection, "0.10", "0.145", commission="0.01", refunds=("0.01", "0.06", "0.03")
    )
    assert found == {"o1": "0.01", "r2": "-0.01"}


def test_the_largest_lines_are_exact_in_another_currency(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    # 99,999,999.99 x 0.07 x 0.86512345 = 6,055,864.1493…; of 33,333,333.33 left 2,018,621.3830…
    found = computed(
        connection,
        "99999999.99",
        "0.07",
        fx_rate="0.86512345",
        commission="6055864.15",
        refunds=("66666666.66",),
    )
    assert found == {"o1": "6055864.15", "r1": "-4037242.77"}


@pytest.mark.parametrize(
    ("payments", "amounts"),
    [
        ((("payment", "settled"), ("chargeback", "pending")), {}),
        ((("chargeback", "failed"),), {}),
        ((("chargeback", "settled"),), {"p1": "-0.75"}),
        ((("chargeback", "settled"), ("reversal", "pending")), {"p1": "-0.75"}),
        ((("chargeback", "settled"), ("reversal", "settled")), {}),
        (
            (("chargeback", "settled"), ("reversal", "settled"), ("chargeback", "settled")),
            {"p3": "-0.75"},
        ),
        ((("chargeback", "settled"), ("chargeback", "settled")), {"p1": "-0.75"}),
        # what was won is told by its amount and time, whichever came first
        (
            (
                *(("chargeback", "settled", "6.00"), ("chargeback", "settled", "4.00")),
                ("reversal", "settled", "4.00"),
            ),
            {"p1": "-0.75"},
        ),
        (
            (
                *(("chargeback", "settled", "6.00"), ("chargeback", "settled", "4.00")),
                ("reversal", "settled", "6.00"),
            ),
            {"p2": "-0.75"},
        ),
        (
            (("chargeback", "settled"), ("chargeback", "settled"), ("reversal", "settled")),
            {"p1": "-0.75"},
        ),
        ((("reversal", "settled"), ("chargeback", "settled")), {"p2": "-0.75"}),
        ((("chargeback", "settled", "6.00"), ("reversal", "settled", "5.90")), {}),
    ],
    ids=[
        *("open", "failed", "lost", "not won yet", "won", "won and lost", "lost twice"),
        *("the second won", "the first won", "lost, then won", "no reversal before it"),
        "won less a fee",
    ],
)
def test_a_chargeback_takes_what_refunds_left_once_and_only_where_it_is_lost(
    connection: duckdb.DuckDBPyConnection,
    payments: tuple[tuple[str, str], ...],
    amounts: dict[str, str],
) -> None:
    found = computed(
        connection, "10.00", "0.1", commission="1.00", refunds=("2.50",), payments=payments
    )
    assert found == {"o1": "1.00", "r1": "-0.25"} | amounts


def test_decisions_stand_for_themselves_from_their_own_time_on(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    made = [
        ("d1", "adjustment", "5.00", on(5)),
        ("d2", "forfeit", "-1.50", on(6)),
        ("d3", "write_off", "0.25", on(7)),
        ("d4", "adjustment", "9.00", datetime(2026, 7, 1, tzinfo=UTC)),
        ("d5", "click_held", None, on(8)),
    ]
    decisions = tuple(
        {
            "decision_id": name,
            "kind": kind,
            "affiliate_id": "ann",
            "amount": Decimal(amount) if amount else None,
            "currency": "GBP",
            "effective_at": at,
        }
        for name, kind, amount, at in made
    )
    found = computed(connection, "10.00", "0.1", commission="1.00", decisions=decisions)
    assert found == {"o1": "1.00", "d1": "5.00", "d2": "-1.50", "d3": "0.25"}
