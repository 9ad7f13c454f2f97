"""Refunds are allocated to order lines by the rules, and never lose or invent money."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import perf_counter
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.refund_allocation import ALLOCATIONS, allocate
from analytics.shares import largest_remainder

START = datetime(2011, 1, 1, tzinfo=UTC)
LINES = pa.schema(
    [
        ("order_line_id", pa.string()),
        ("order_id", pa.string()),
        ("customer_id", pa.string()),
        ("product_code", pa.string()),
        ("line_kind", pa.string()),
        ("currency", pa.string()),
        ("unit_price", pa.decimal128(18, 4)),
        ("quantity", pa.int64()),
        ("ordered_at", pa.timestamp("us", "UTC")),
    ]
)
REFUNDS = pa.schema(
    [
        ("refund_id", pa.string()),
        ("order_id", pa.string()),
        ("order_line_id", pa.string()),
        ("customer_id", pa.string()),
        ("product_code", pa.string()),
        ("currency", pa.string()),
        ("unit_price", pa.decimal128(18, 4)),
        ("quantity", pa.int64()),
        ("amount", pa.decimal128(18, 4)),
        ("refunded_at", pa.timestamp("us", "UTC")),
    ]
)


def line(line_id: str, day: int, quantity: int, **other: Any) -> dict[str, Any]:
    return {
        "order_line_id": line_id,
        "order_id": line_id.split("-", maxsplit=1)[0],
        "customer_id": "c1",
        "product_code": "mug",
        "line_kind": "product",
        "currency": "GBP",
        "unit_price": Decimal("2.5"),
        "quantity": quantity,
        "ordered_at": START + timedelta(days=day),
        **other,
    }


def refund(refund_id: str, day: int, quantity: int, **other: Any) -> dict[str, Any]:
    return {
        "refund_id": refund_id,
        "order_id": None,
        "order_line_id": None,
        "customer_id": "c1",
        "product_code": "mug",
        "currency": "GBP",
        "unit_price": Decimal("2.5"),
        "quantity": quantity,
        "amount": Decimal("2.5") * quantity,
        "refunded_at": START + timedelta(days=day),
        **other,
    }


def allocated(
    refunds: list[dict[str, Any]], lines: list[dict[str, Any]]
) -> list[tuple[str, str, int, Decimal, str]]:
    table = allocate(
        pa.Table.from_pylist(refunds, schema=REFUNDS), pa.Table.from_pylist(lines, schema=LINES)
    )
    assert table.schema == ALLOCATIONS
    return [tuple(row.values()) for row in table.to_pylist()]


def test_the_latest_line_of_equal_quantity_comes_before_a_later_one() -> None:
    lines = [line("o1-1", 1, 4), line("o2-1", 2, 4), line("o3-1", 3, 9)]
    assert allocated([refund("r1", 5, 4)], lines) == [
        ("r1", "o2-1", 4, Decimal(10), "exact_quantity")
    ]


def test_a_refund_is_split_from_the_latest_line_on_and_the_rest_is_unmatched() -> None:
    lines = [line("o1-1", 1, 2), line("o2-1", 2, 3), line("o2-2", 2, 1)]
    assert allocated([refund("r1", 5, 8)], lines) == [
        ("r1", "(unmatched)", 2, Decimal(5), "unmatched"),
        ("r1", "o1-1", 2, Decimal(5), "latest_with_quantity_left"),
        ("r1", "o2-1", 3, Decimal("7.5"), "latest_with_quantity_left"),
        ("r1", "o2-2", 1, Decimal("2.5"), "latest_with_quantity_left"),
    ]


def test_the_quantity_left_counts_and_earlier_refunds_come_first() -> None:
    lines = [line("o1-1", 1, 5)]
    refunds = [refund("r1", 6, 3), refund("r2", 5, 2)]
    assert allocated(refunds, lines) == [
        ("r1", "o1-1", 3, Decimal("7.5"), "exact_quantity"),
        ("r2", "o1-1", 2, Decimal(5), "latest_with_quantity_left"),
    ]


def test_another_customer_price_currency_or_kind_and_a_later_order_match_nothing() -> None:
    lines = [
        line("o1-1", 1, 1, customer_id="c2"),
        line("o2-1", 1, 1, unit_price=Decimal("2.4999")),
        line("o3-1", 1, 1, line_kind="shipping"),
        line("o4-1", 9, 1),
        line("o5-1", 1, 1, customer_id=None),
        line("o6-1", 1, -1),
        line("o7-1", 1, 1, currency="EUR"),
    ]
    refunds = [refund("r1", 5, 1), refund("r2", 5, 1, customer_id=None)]
    assert [row[1] for row in allocated(refunds, lines)] == ["(unmatched)", "(unmatched)"]


def test_a_named_line_is_taken_whatever_its_price_and_only_it() -> None:
    lines = [line("o1-1", 1, 1, unit_price=Decimal(9), line_kind="shipping"), line("o2-1", 2, 9)]
    named = refund("r1", 5, 2, order_id="o1", order_line_id="o1-1", amount=Decimal("0.0003"))
    assert allocated([named], lines) == [
        ("r1", "(unmatched)", 1, Decimal("0.0002"), "unmatched"),
        ("r1", "o1-1", 1, Decimal("0.0001"), "reference"),
    ]


def test_a_named_order_gives_its_lines_of_the_product() -> None:
    lines = [line("o1-1", 1, 1), line("o1-2", 1, 2, product_code="cup"), line("o2-1", 2, 1)]
    assert allocated([refund("r1", 5, 1, order_id="o1")], lines) == [
        ("r1", "o1-1", 1, Decimal("2.5"), "reference")
    ]


def test_money_without_goods_goes_to_the_named_line_only() -> None:
    lines = [line("o1-1", 1, 1)]
    refunds = [
        refund("r1", 5, 0, order_line_id="o1-1", amount=Decimal("1.1")),
        refund("r2", 5, 0, amount=Decimal("1.2")),
    ]
    assert allocated(refunds, lines) == [
        ("r1", "o1-1", 0, Decimal("1.1"), "reference"),
        ("r2", "(unmatched)", 0, Decimal("1.2"), "unmatched"),
    ]


def test_nothing_to_allocate_gives_an_empty_table() -> None:
    assert allocated([], []) == []


SIMILAR = ("customer_id", "product_code", "currency", "unit_price")


def plain_loop(
    refunds: list[dict[str, Any]], lines: list[dict[str, Any]]
) -> dict[tuple[str, str], tuple[int, str]]:
    """Say again what the rules say, one refund and one line after the other."""
    left = {one["order_line_id"]: one["quantity"] for one in lines}
    taken: dict[tuple[str, str], tuple[int, str]] = {}
    latest_first = sorted(lines, key=lambda one: one["order_line_id"], reverse=True)
    latest_first.sort(key=lambda one: one["ordered_at"], reverse=True)
    for one in sorted(refunds, key=lambda one: (one["refunded_at"], one["refund_id"])):
        fitting = [
            other
            for other in latest_first
            if other["line_kind"] == "product"
            and one["customer_id"] is not None
            and all(one[x] == other[x] for x in SIMILAR)
            and other["ordered_at"] <= one["refunded_at"]
        ]
        names = [other["order_line_id"] for other in fitting]
        wanted = one["quantity"]
        equal = [name for name in names if left[name] == wanted]
        rule = "exact_quantity" if equal else "latest_with_quantity_left"
        for name in equal[:1] or names:
            quantity = min(wanted, left[name])
            if quantity > 0:
                taken[one["refund_id"], name] = (quantity, rule)
                left[name] -= quantity
                wanted -= quantity
        if wanted:
            taken[one["refund_id"], "(unmatched)"] = (wanted, "unmatched")
    return taken


some_lines = st.lists(
    st.builds(
        dict,
        day=st.integers(0, 4),
        quantity=st.integers(-2, 4),
        customer_id=st.sampled_from(["c1", "c2", None]),
        product_code=st.sampled_from(["mug", "cup"]),
        currency=st.sampled_from(["GBP", "GBP", "EUR"]),
        unit_price=st.sampled_from([Decimal("2.5"), Decimal("1.255")]),
        line_kind=st.sampled_from(["product", "product", "fee"]),
    ),
    max_size=14,
).map(lambda rows: [line(f"o{n // 2}-{n}", **row) for n, row in enumerate(rows)])
some_refunds = st.lists(
    st.builds(
        dict,
        day=st.integers(0, 5),
        quantity=st.integers(1, 6),
        customer_id=st.sampled_from(["c1", "c2", None]),
        product_code=st.sampled_from(["mug", "cup"]),
        currency=st.sampled_from(["GBP", "GBP", "EUR"]),
        unit_price=st.sampled_from([Decimal("2.5"), Decimal("1.255")]),
        amount=st.decimals(0, 50, places=4),
    ),
    max_size=8,
).map(lambda rows: [refund(f"r{n}", **row) for n, row in enumerate(rows)])


@settings(max_examples=150, deadline=None)
@given(some_refunds, some_lines)
def test_it_allocates_as_a_plain_loop_does_and_every_cent_once(
    refunds: list[dict[str, Any]], lines: list[dict[str, Any]]
) -> None:
    rows = allocated(refunds, lines)
    assert {(r, name): (n, rule) for r, name, n, _, rule in rows} == plain_loop(refunds, lines)
    for one in refunds:
        mine = [row for row in rows if row[0] == one["refund_id"]]
        assert sum(row[3] for row in mine) == one["amount"]
        assert sum(row[2] for row in mine) == one["quantity"]
    assert allocated(refunds[::-1], lines[::-1]) == rows


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 99), min_size=1))
def test_shares_sum_to_the_total_and_differ_less_than_one_from_the_fair_part(
    total: int, weights: list[int]
) -> None:
    weights[0] += 1
    keys = [f"{n:03}" for n in range(len(weights))]
    shares = largest_remainder(total, weights, keys)
    assert sum(shares) == total
    whole = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * whole - total * weight) < whole


def test_equal_remainders_go_to_the_lower_key() -> None:
    assert largest_remainder(5, [1, 1, 1], ["c", "a", "b"]) == [1, 2, 2]


def test_six_thousand_refunds_against_many_lines_take_seconds_at_most() -> None:
    lines = [line(f"o{n}-1", n % 300, 1 + n % 7, customer_id=f"c{n % 900}") for n in range(60_000)]
    refunds = [refund(f"r{n}", 310, 1 + n % 9, customer_id=f"c{n % 900}") for n in range(6_000)]
    tables = (
        pa.Table.from_pylist(refunds, schema=REFUNDS),
        pa.Table.from_pylist(lines, schema=LINES),
    )
    started = perf_counter()
    allocate(*tables)
    assert perf_counter() - started < 10
