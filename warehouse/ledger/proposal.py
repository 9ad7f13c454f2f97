"""The entries that make what is posted equal to what is due."""

from datetime import date, datetime

import duckdb

from warehouse.engines import duckdb_proposal


def propose(
    connection: duckdb.DuckDBPyConnection,
    *,
    into: str,
    due: str,
    posted: str,
    closed_through: date | None,
    as_of: datetime,
    posted_at: datetime,
    zone: str,
    run_id: str,
) -> int:
    """Replace the table `into` by the entries to post (`columns.ENTRIES`); return its row count.

    `due` names a table as `due.write` makes it, `posted` one of all entries that are posted. The
    same arguments give the same entries, and none once these are posted: what is proposed depends
    on what is due and on the balances that are posted, not on how either came about.

    Each cause whose amount differs from what is posted for it gives one transaction: the first of
    an affiliate and line is an `accrual`; what a refund, a chargeback, a cancellation or another
    affiliate's claim takes is a `reversal`; the rest are `adjustment`s. It is effective when its
    cause happened; a correction of what was posted before, which has no time of its own, at
    `as_of`. Then a line that is past its hold and not held has all of its balance in
    affiliate_payable (`maturity`), any other in affiliate_pending. An entry counts in the month
    that it is effective in (time zone `zone`), or in the first that is open: months up to
    `closed_through` (its first day) are closed.
    """
    return duckdb_proposal.write(
        connection,
        into=into,
        due=due,
        posted=posted,
        closed_through=closed_through,
        as_of=as_of,
        posted_at=posted_at,
        zone=zone,
        run_id=run_id,
    )
