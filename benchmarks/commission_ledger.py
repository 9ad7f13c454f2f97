"""Propose entries of a large ledger, against one bare query that joins and sums the same.

1 M order lines are due, each with a refund in ten, and all of them are posted and matured: 4.4 M
entries. Then one line in a hundred is corrected. Prints what computing the due amounts, the first
proposal (everything), a proposal without news and one of the corrections cost, in seconds of the
processors; the ratio is to a bare DuckDB query that sums the posted entries by their key, joins
them with what is due and keeps what differs. LINES changes the number.
"""

import os
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime

import duckdb

from warehouse.ledger import columns, due, proposal

LINES = int(os.environ.get("LINES", "1000000"))
AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
KEY = "affiliate_id, order_line_id, cause_type, cause_id, currency"
MADE = f"""
set timezone = 'UTC';
create table commissions as select 'a' || i % 1000 as affiliate_id, 'line ' || i as order_line_id,
  'order ' || i // 3 as order_id, 'GBP' as currency,
  round((i % 9973 + 1) * 0.0005, 2)::decimal(18, 2) as commission_amount,
  ((i % 9973 + 1) * 0.01)::decimal(18, 4) as base_amount, 0.05::decimal(18, 8) as rate,
  1::decimal(18, 8) as fx_rate, ((i % 9973 + 1) * 0.01)::decimal(18, 4) as reporting_line_amount,
  timestamptz '2026-01-01' + interval (i % 2000) hour as ordered_at,
  timestamptz '2026-02-01' + interval (i % 2000) hour as matures_at,
  null::timestamptz as held_since from range({LINES}) as made (i);
create table allocations as select 'refund ' || i as refund_id, 'line ' || i as order_line_id,
  ((i % 9973 + 1) * 0.005)::decimal(18, 4) as amount from range(0, {LINES}, 10) as made (i);
create table refunds as select refund_id, timestamptz '2026-03-01' as refunded_at from allocations;
create table payments (payment_id varchar, order_id varchar, kind varchar, status varchar,
  amount decimal(18, 4), paid_at timestamptz);
"""
BARE = f"""
with posted as (
  select {KEY}, sum(amount) as amount from posted where account = 'commission_expense' group by all
)
select {KEY}, coalesce(due.amount, 0) - coalesce(posted.amount, 0) as difference
from due full join posted using ({KEY}) where coalesce(due.amount, 0) <> coalesce(posted.amount, 0)
"""


def timed(work: Callable[[], object]) -> float:
    """Return the seconds of the processors that work took, whatever else the machine does."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main() -> None:
    """Measure and print."""
    connection = duckdb.connect()
    connection.execute(MADE)
    for name, schema in (("posted", columns.ENTRIES), ("decisions", columns.DECISIONS)):
        connection.register("none", schema.empty_table())
        connection.execute(f"create table {name} as from none")

    def compute_due() -> None:
        due.write(
            connection,
            into="due",
            commissions="commissions",
            allocations="allocations",
            refunds="refunds",
            payments="payments",
            decisions="decisions",
            as_of=AS_OF,
        )

    def propose() -> int:
        return proposal.propose(
            connection,
            into="proposal",
            due="due",
            posted="posted",
            closed_through=None,
            as_of=AS_OF,
            posted_at=AS_OF,
            zone="Europe/London",
            run_id="benchmark",
        )

    took = {f"what is due of {LINES:,} lines": timed(compute_due)}
    took["the first proposal"] = timed(propose)
    connection.execute("insert into posted from proposal")
    entries = len(connection.table("posted"))
    print(f"{entries:,} entries are posted")
    bare = min(timed(lambda: connection.execute(BARE).fetchall()) for _ in range(3))
    took["a proposal without news"] = min(timed(propose) for _ in range(3))
    assert len(connection.table("proposal")) == 0
    connection.execute("update due set amount = amount + 1 where hash(cause_id) % 100 = 0")
    took["a proposal of 1 % corrections"] = min(timed(propose) for _ in range(3))
    took[f"its {len(connection.table('proposal')):,} entries"] = 0
    for name, seconds in took.items():
        print(f"{name:40}" + (f"{seconds:7.2f} s {seconds / bare:6.1f} x bare" if seconds else ""))
    print(f"{'bare: sum, join, compare':40}{bare:7.2f} s")
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")


if __name__ == "__main__":
    main()
