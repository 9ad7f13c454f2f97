"""Read posted entries as rows, and the balances that they make."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from warehouse.ledger import columns
from warehouse.ledger import entries as stored

ACCOUNT = ["affiliate_id", "currency"]


def table(
    state: Path,
    *,
    accounts: Sequence[str] = (),
    period: date | None = None,
    before: date | None = None,
    order_line_id: str | None = None,
) -> columns.Table:
    """Return the posted entries of some accounts, a month, the months before one, or a line.

    All of them by default.
    """
    wanted = pc.scalar(True)
    if accounts:
        wanted &= pc.field("account").isin(list(accounts))
    if period:
        wanted &= pc.field("period") == pa.scalar(period, pa.date32())
    if before:
        wanted &= pc.field("period") < pa.scalar(before, pa.date32())
    if order_line_id:
        wanted &= pc.field("order_line_id") == order_line_id
    paths = [str(one.path) for one in stored.postings(state)]
    if not paths:
        return columns.ENTRIES.empty_table()
    return ds.dataset(paths, columns.ENTRIES, format="parquet").to_table(filter=wanted)


def entries(
    state: Path,
    *,
    accounts: Sequence[str] = (),
    period: date | None = None,
    order_line_id: str | None = None,
) -> list[dict[str, Any]]:
    """Return what `table` does as rows: amounts as decimals, times in UTC."""
    found = table(state, accounts=accounts, period=period, order_line_id=order_line_id)
    return found.to_pylist()


def balances(entries: columns.Table) -> dict[tuple[str, str], Decimal]:
    """Return what entries sum to by affiliate and currency: positive is owed (a credit)."""
    sums = entries.group_by(ACCOUNT).aggregate([("amount", "sum")])
    return {(row["affiliate_id"], row["currency"]): -row["amount_sum"] for row in sums.to_pylist()}
