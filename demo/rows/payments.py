"""What was paid for the orders, as the payment provider reports it: drawn from each order's id."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from demo.draws import Draws, keys_of
from demo.parameters import Parameters
from demo.rows.columns import (
    DAY,
    NEVER,
    Flags,
    Ints,
    exact,
    instants,
    pc,
    picked,
    seconds_in,
    thousandths,
)

FAILED_SHARE = 0.02  # a first attempt fails, the next one a few minutes later succeeds
SLOW_SHARE = 0.03  # bank transfers settle after days, the others within half an hour
OVERPAID_BY = 5_000  # thousandths; the other half of the overpaid orders are paid twice
STATUSES = ("settled", "failed")
KINDS = ("payment", "chargeback", "reversal")


@dataclass(frozen=True)
class _Part:
    """Some payments of one sort, by the position of their order."""

    order: Ints
    suffix: str
    kind: int  # in KINDS
    amount: Ints  # thousandths
    paid: Ints  # seconds
    settled: Ints  # pending until then
    failed: bool = False

    def where(self, chosen: Flags) -> "_Part":
        return replace(
            self,
            order=self.order[chosen],
            amount=self.amount[chosen],
            paid=self.paid[chosen],
            settled=self.settled[chosen],
        )


def payments(orders: pa.Table, seed: int, parameters: Parameters) -> tuple[pa.Table, pa.Array]:
    """Return the payments of orders, those after the clock included, and when each order is paid.

    `orders` has order_id, ordered_at, total (DECIMAL(14,3), above 0), currency, cancelled_at and
    deleted_at (nullable). The payments' columns are those of the table and settled_at: until then
    a payment is pending. The second value is NULL for an order that nobody pays in full.
    """
    ids = orders.column("order_id").combine_chunks()
    draws = Draws(seed, "payment", keys_of(ids.to_pylist()))
    total = thousandths(orders.column("total"))
    ordered = seconds_in(orders.column("ordered_at"))
    is_cancelled = seconds_in(orders.column("cancelled_at")) < NEVER
    every = np.arange(len(total))

    kind = draws.uniform("kind")
    bounds = np.cumsum(
        [parameters.unpaid_orders, parameters.split_payments, parameters.overpaid_orders]
    )
    is_unpaid = kind < bounds[0]
    is_split = (kind >= bounds[0]) & (kind < bounds[1])
    is_overpaid = (kind >= bounds[1]) & (kind < bounds[2])
    fails = (draws.uniform("fails") < FAILED_SHARE) | is_cancelled

    tried = ordered + draws.integers("tried", 5, 600)
    paid = np.where(fails, tried + draws.integers("tried again", 120, 3600), tried)
    slow = draws.uniform("slow") < SLOW_SHARE
    quick = draws.integers("settled", 60, 1800)
    settled = paid + np.where(slow, draws.integers("settled days", DAY, 3 * DAY), quick)
    first_part = (total * (0.3 + 0.4 * draws.uniform("first part"))).astype(np.int64)
    extra = np.where(draws.uniform("twice") < 0.5, total, OVERPAID_BY)
    amount = np.where(is_split, first_part, np.where(is_overpaid, total + extra, total))
    rest_paid = paid + draws.integers("rest", DAY, 14 * DAY)
    back = paid + draws.integers("charged back", 20 * DAY, 60 * DAY)
    won = back + draws.integers("won", 20 * DAY, 40 * DAY)

    pays = ~is_unpaid & ~is_cancelled
    is_charged = pays & ~is_split & (draws.uniform("chargeback") < parameters.charged_back)
    is_won = is_charged & (draws.uniform("chargeback won") < parameters.chargebacks_won)
    parts = [
        _Part(every, "0", 0, total, tried, tried + quick, failed=True).where(fails & ~is_unpaid),
        _Part(every, "1", 0, amount, paid, settled).where(pays),
        _Part(every, "2", 0, total - first_part, rest_paid, rest_paid + quick).where(
            pays & is_split
        ),
        _Part(every, "3", 1, amount, back, back).where(is_charged),
        _Part(every, "4", 2, amount, won, won).where(is_won),
    ]
    complete = np.where(is_split, np.maximum(settled, rest_paid + quick), settled)
    return _table(orders, ids, parts), instants(np.where(pays, complete, NEVER))


def _table(orders: pa.Table, ids: pa.Array, parts: list[_Part]) -> pa.Table:
    tables: list[pa.Table] = []
    for part in parts:
        places, count = pa.array(part.order), len(part.order)
        order_ids = ids.take(places)
        names = pc.binary_join_element_wise("p", order_ids, pa.scalar(part.suffix), "-")
        columns = {
            "payment_id": names,
            "order_id": order_ids,
            "kind": picked(list(KINDS), np.full(count, part.kind)),
            "amount": exact(part.amount, 14, 3),
            "currency": orders.column("currency").combine_chunks().take(places),
            "status": picked(list(STATUSES), np.full(count, int(part.failed))),
            "paid_at": instants(part.paid),
            "settled_at": instants(part.settled),
            "deleted_at": orders.column("deleted_at").combine_chunks().take(places),
        }
        tables.append(pa.table(columns))
    return pa.concat_tables(tables).combine_chunks()
