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

ACCOUNT = ("affiliate_id", "currency")
# What `balances` needs of entries.
BALANCE = (*ACCOUNT, "amount")


def table(
    state: Path,
    *,
    period: date | None = None,
    before: date | None = None,
    only: Sequence[str] | None = None,
    **wanted: str | Sequence[str],
) -> columns.Table:
    """Return the posted entries of a month, or of those before one; of all months by default.

    `wanted` names columns with the value, or values, that an entry has in them; `only` the columns
    that are read, all by default: a big ledger is read in parts.
    """
    chosen = pc.scalar(True)
    for name, value in wanted.items():
        values = [value] if isinstance(value, str) else list(value)
        chosen &= pc.field(name).isin(values)
    if period:
        chosen &= pc.field("period") == pa.scalar(period, pa.date32())
    if before:
        chosen &= pc.field("period") < pa.scalar(before, pa.date32())
    paths = [str(one.path) for one in stored.postings(state)]
    if not paths:
        return columns.ENTRIES.empty_table()
    files = ds.dataset(paths, columns.ENTRIES, format="parquet")
    return files.to_table(columns=list(only) if only else None, filter=chosen)


def entries(
    state: Path,
    *,
    period: date | None = None,
    only: Sequence[str] | None = None,
    **wanted: str | Sequence[str],
) -> list[dict[str, Any]]:
    """Return what `table` does as rows: amounts as decimals, times in UTC."""
    return table(state, period=period, before=None, only=only, **wanted).to_pylist()


def balances(entries: columns.Table) -> dict[tuple[str, str], Decimal]:
    """Return what entries sum to by affiliate and currency: positive is owed (a credit)."""
    sums = entries.group_by(list(ACCOUNT)).aggregate([("amount", "sum")])
    return {(row["affiliate_id"], row["currency"]): -row["amount_sum"] for row in sums.to_pylist()}
