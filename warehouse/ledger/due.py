"""What affiliates' commissions are due, movement by movement."""

from datetime import datetime

import duckdb

from warehouse.engines import duckdb_due
from warehouse.ledger import currencies


def write(
    connection: duckdb.DuckDBPyConnection,
    *,
    into: str,
    commissions: str,
    allocations: str,
    refunds: str,
    payments: str,
    decisions: str,
    as_of: datetime,
) -> int:
    """Replace the table `into` by what is due, and return its row count.

    One row per affiliate, order line (`(none)` for a decision) and cause, in the payout currency;
    the sum over a line is what it earns in the end, so rows that are 0 are left out. The order
    brings the whole commission. Each refund of the line takes what the commission of the rest is
    less, counted from the whole one, so that rounding never adds up and a line that is refunded
    whole earns exactly nothing. A chargeback that the shop lost takes what is left: one is won by a
    settled reversal of its amount after it, else by one of any amount. The other
    arguments name tables with the columns of `int_affiliate__commissions`,
    `solved.refund_allocations`, `int_core__refunds`, `stg_billing__payments`, `ledger.decisions`;
    decisions count from their own time on.
    """
    return duckdb_due.write(
        connection,
        into=into,
        commissions=commissions,
        allocations=allocations,
        refunds=refunds,
        payments=payments,
        decisions=decisions,
        as_of=as_of,
        whole=currencies.WHOLE,
    )
