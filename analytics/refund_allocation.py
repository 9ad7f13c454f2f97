"""Allocate refunds to the order lines that they pay back."""

# pyarrow ships no types: its tables are Unknown in our signatures.
# pyright: reportUnknownParameterType=false

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analytics.shares import largest_remainder

UNMATCHED = "(unmatched)"
# Amounts are DECIMAL(18,4): whole numbers of ten-thousandths.
AMOUNT = pa.decimal128(18, 4)
UNIT = pa.scalar(Decimal("0.0001"), pa.decimal128(4, 4))
UNITS_PER_ONE = pa.scalar(10_000, pa.decimal128(5, 0))

ALLOCATIONS = pa.schema(
    [
        pa.field("refund_id", pa.string(), nullable=False),
        pa.field("order_line_id", pa.string(), nullable=False),
        pa.field("quantity", pa.int64(), nullable=False),
        pa.field("amount", AMOUNT, nullable=False),
        pa.field("match_rule", pa.string(), nullable=False),
    ]
)

REFUND_COLUMNS = (
    "refund_id",
    "order_id",
    "order_line_id",
    "customer_id",
    "product_code",
    "currency",
    "unit_price",
    "quantity",
    "amount",
    "refunded_at",
)
LINE_COLUMNS = (
    "order_line_id",
    "order_id",
    "customer_id",
    "product_code",
    "line_kind",
    "currency",
    "unit_price",
    "quantity",
    "ordered_at",
)

Key = tuple[Any, ...]


@dataclass(slots=True)
class _Line:
    """An order line and how much of it may still be refunded."""

    order_line_id: str
    ordered_at: int
    left: int


@dataclass(frozen=True, slots=True)
class _Refund:
    refund_id: str
    order_id: str | None
    order_line_id: str | None
    product_code: str
    similar: Key
    quantity: int
    amount: int
    refunded_at: int


@dataclass(slots=True)
class _Index:
    """Order lines as refunds look for them; candidates are sorted latest first."""

    by_id: dict[str, _Line]
    by_order: dict[Key, list[_Line]]
    by_similarity: dict[Key, list[_Line]]


def allocate(refunds: pa.Table, lines: pa.Table) -> pa.Table:
    """Return the allocations of all refunds, sorted by (refund_id, order_line_id).

    The tables have REFUND_COLUMNS and LINE_COLUMNS, product codes in one letter case. Unit prices
    are in `currency`, as the shop has them: converted ones differ from day to day. Amounts are in
    the reporting currency, and what is allocated of a refund sums exactly to its amount.

    Refunds are served in order of (refunded_at, refund_id). One that names a line or an order takes
    from there only; another from product lines of the same customer, product, currency and price
    ordered by then: from the latest whose quantity left equals its own, else from the latest on.
    What fits nowhere is `(unmatched)`.
    """
    index = _indexed(lines)
    rows: list[tuple[str, str, int, int, str]] = []
    for refund in sorted(_refunds(refunds), key=lambda one: (one.refunded_at, one.refund_id)):
        takes = _takes(refund, index)
        ids = [line_id for line_id, _, _ in takes]
        weights = [quantity for _, quantity, _ in takes] if refund.quantity else [1]
        amounts = largest_remainder(refund.amount, weights, ids)
        rows += [
            (refund.refund_id, line_id, quantity, amount, rule)
            for (line_id, quantity, rule), amount in zip(takes, amounts, strict=True)
        ]
    rows.sort()
    return _table(rows)


def _takes(refund: _Refund, index: _Index) -> list[tuple[str, int, str]]:
    """Return (order line, quantity, rule) of one refund and lower what is left of the lines."""
    candidates, rule = _candidates(refund, index)
    if refund.quantity == 0:
        # Money without goods: it belongs to the line that it names, and else to none.
        if rule == "reference" and candidates:
            return [(candidates[0].order_line_id, 0, rule)]
        return [(UNMATCHED, 0, "unmatched")]
    equal = next((line for line in candidates if line.left == refund.quantity), None)
    if equal is not None:
        equal.left = 0
        return [(equal.order_line_id, refund.quantity, rule or "exact_quantity")]
    takes: list[tuple[str, int, str]] = []
    wanted = refund.quantity
    for line in candidates:
        quantity = min(wanted, line.left)
        if quantity > 0:
            line.left -= quantity
            wanted -= quantity
            takes.append((line.order_line_id, quantity, rule or "latest_with_quantity_left"))
        if wanted == 0:
            return takes
    return [*takes, (UNMATCHED, wanted, "unmatched")]


def _candidates(refund: _Refund, index: _Index) -> tuple[list[_Line], str | None]:
    if refund.order_line_id is not None:
        line = index.by_id.get(refund.order_line_id)
        return ([line] if line else []), "reference"
    if refund.order_id is not None:
        return index.by_order.get((refund.order_id, refund.product_code), []), "reference"
    similar = index.by_similarity.get(refund.similar, [])
    return [line for line in similar if line.ordered_at <= refund.refunded_at], None


def _indexed(lines: pa.Table) -> _Index:
    by_id: dict[str, _Line] = {}
    by_order: dict[Key, list[_Line]] = defaultdict(list)
    by_similarity: dict[Key, list[_Line]] = defaultdict(list)
    latest_first = lines.sort_by([("ordered_at", "descending"), ("order_line_id", "descending")])
    for line_id, order_id, customer_id, code, kind, currency, price, quantity, ordered_at in zip(
        *_columns(latest_first, LINE_COLUMNS),
        strict=True,
    ):
        if quantity <= 0:
            continue
        line = by_id[line_id] = _Line(line_id, ordered_at, quantity)
        by_order[order_id, code].append(line)
        if customer_id is not None and kind == "product":
            by_similarity[customer_id, code, currency, price].append(line)
    return _Index(by_id, by_order, by_similarity)


def _refunds(refunds: pa.Table) -> Iterator[_Refund]:
    for (
        refund_id,
        order_id,
        line_id,
        customer_id,
        code,
        currency,
        price,
        quantity,
        amount,
        at,
    ) in zip(
        *_columns(refunds, REFUND_COLUMNS),
        strict=True,
    ):
        # No key of the index holds an unknown customer, so an unknown one matches nobody.
        similar = (customer_id, code, currency, price)
        yield _Refund(refund_id, order_id, line_id, code, similar, quantity, amount, at)


def _columns(table: pa.Table, names: tuple[str, ...]) -> Iterator[list[Any]]:
    """Yield columns as lists, times and amounts as whole numbers: those compare exactly."""
    for name in names:
        column = table.column(name)
        if pa.types.is_decimal(column.type):
            units = pc.call_function("multiply", [column.cast(pa.decimal128(28, 4)), UNITS_PER_ONE])
            column = units.cast(pa.int64())
        elif pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
        yield column.to_pylist()


def _table(rows: list[tuple[str, str, int, int, str]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(ALLOCATIONS)
    refund_ids, line_ids, quantities, units, rules = columns
    amounts = pc.call_function(
        "multiply", [pa.array(units, pa.int64()).cast(pa.decimal128(19, 0)), UNIT]
    )
    return pa.Table.from_arrays(
        [
            pa.array(refund_ids, pa.string()),
            pa.array(line_ids, pa.string()),
            pa.array(quantities, pa.int64()),
            amounts.cast(AMOUNT),
            pa.array(rules, pa.string()),
        ],
        schema=ALLOCATIONS,
    )
