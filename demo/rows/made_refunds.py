"""Cancellations of made-up orders: documents of their own that come days to months later."""

import math

import numpy as np
import pyarrow as pa

from demo.draws import Draws
from demo.parameters import Parameters, Quantiles
from demo.rows.columns import (
    DAY,
    Flags,
    Floats,
    Ints,
    exact,
    instants,
    numbered,
    pc,
    picked,
    prices,
)
from demo.rows.made_lines import MadeLines
from demo.rows.made_orders import (
    ADJUSTED_SHARE,
    CANCELLED_SHARE,
    DEBT_SHARE,
    TEST_SHARE,
    MadeOrders,
)

# Of the documents, those that can be cancelled.
ELIGIBLE = (1 - DEBT_SHARE - ADJUSTED_SHARE) * (1 - TEST_SHARE) * (1 - CANCELLED_SHARE)
# What the value of a cancellation is of its order's when it names some lines, not all.
PART = 0.28
NAMED_SHARE = 0.5
MISTYPED_SHARE = 0.01


def quantile(points: Quantiles, uniform: Floats) -> Floats:
    """Return the values of a quantile function, straight between its points in logarithms."""
    shares, values = zip(*points, strict=True)
    return np.exp(np.interp(uniform, shares, [math.log(value) for value in values]))


def refund_lines(
    orders: MadeOrders,
    lines: MadeLines,
    can_be_refunded: Flags,
    codes: pa.Array,
    order_ids: pa.Array,
    users: pa.Array,
    countries: pa.Array,
    first_number: int,
    parameters: Parameters,
) -> pa.Table:
    """Return the rows of refunds, those after the clock included, with what was typed at first.

    A cancellation takes back the whole order or some of its lines, whole or in part; about half
    name the order and the line. `typed_amount` stands in a row until `corrected_at`.
    """
    draw = orders.draws.uniform
    documents = parameters.cancelled_invoices / max(1 - parameters.cancelled_invoices, 1e-9)
    is_refunded = can_be_refunded & (draw("refunded") < documents / ELIGIBLE)
    value = parameters.cancelled_value / max(documents, 1e-9)
    is_whole = draw("whole") < (value - PART) / (1 - PART)
    goods = (lines.article >= 0) & (lines.quantity > 0) & (lines.thousandths > 0)
    drawn = Draws(orders.seed, "made refund", lines.key)
    chosen = is_whole[lines.order] | (lines.number == 1) | (drawn.uniform("chosen") < 0.2)
    found = np.flatnonzero(goods & is_refunded[lines.order] & chosen)
    order = lines.order[found]
    partly = ~is_whole[order] & (drawn.uniform("partly")[found] < 0.3)
    part = 1 + (drawn.uniform("part")[found] * lines.quantity[found]).astype(np.int64)
    quantity = np.where(partly, np.minimum(part, lines.quantity[found]), lines.quantity[found])
    waits = (quantile(parameters.cancelled_after_days, draw("refund wait")) * DAY).astype(np.int64)
    # Whole minutes, as on every document, and not before a line that was added later.
    at = (orders.seconds + waits)[order] // 60 * 60
    at = np.maximum(at, orders.seconds[order] + lines.delay[found] + 60)
    amount = quantity * lines.thousandths[found]
    is_mistyped = drawn.uniform("mistyped")[found] < MISTYPED_SHARE
    document = numbered("C", first_number + 100_000 + order)
    unnamed = draw("named")[order] >= NAMED_SHARE
    line_ids = _joined(order_ids.take(pa.array(order)), lines.number[found])
    return pa.table(
        {
            "refund_id": _joined(document, _run_numbers(order)),
            "refund_document_id": document,
            "order_id": picked(order_ids, order, unnamed),
            "order_line_id": picked(line_ids, np.arange(len(found)), unnamed),
            "user_id": users.take(pa.array(order)),
            "product_id": codes.take(pa.array(found)),
            "quantity": pa.array(quantity, pa.int32()),
            "unit_price": prices(lines.thousandths[found]),
            "amount": exact(amount, 14, 3),
            "currency": currencies(orders.is_euro[order]),
            "country": countries.take(pa.array(order)),
            "refunded_at": instants(at),
            "typed_amount": exact(np.where(is_mistyped, amount * 10, amount), 14, 3),
            "corrected_at": instants(at + drawn.integers("corrected", 1, 10)[found] * DAY),
        }
    )


def currencies(is_euro: Flags) -> pa.Array:
    """Return EUR or GBP."""
    return picked(["GBP", "EUR"], is_euro.astype(np.int64))


def _joined(left: pa.Array, number: Ints) -> pa.Array:
    texts = pa.array(number, pa.int64()).cast(pa.string())
    return pc.binary_join_element_wise(left, texts, "-")


def _run_numbers(sorted_values: Ints) -> Ints:
    """Return 1, 2, ... within each run of equal values."""
    starts = np.flatnonzero(np.diff(sorted_values, prepend=-1))
    runs = np.diff(np.append(starts, len(sorted_values)))
    return np.arange(len(sorted_values)) - np.repeat(starts, runs) + 1
