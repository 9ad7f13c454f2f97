"""Entries are posted whole, once, and in a chain; a file that no record names is none of them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from extractors.errors import AuditError
from warehouse.ledger import columns, entries, kept, posting
from warehouse.state import segments

AT = datetime(2026, 3, 5, tzinfo=UTC)


def entry(transaction: str, account: str, amount: str, **changes: Any) -> dict[str, Any]:
    return {
        "entry_id": f"{transaction} {account}",
        "transaction_id": transaction,
        "account": account,
        "affiliate_id": "ann",
        "order_line_id": "l1",
        "entry_type": "accrual",
        "amount": Decimal(amount),
        "currency": "GBP",
        "effective_at": AT,
        "posted_at": AT,
        "period": date(2026, 3, 1),
        "cause_type": "order",
        "cause_id": "o1",
        "as_of": AT,
        "run_id": "run 1",
        **changes,
    }


def accrual(transaction: str, amount: str, **changes: Any) -> list[dict[str, Any]]:
    return [
        entry(transaction, "commission_expense", amount, **changes),
        entry(transaction, "affiliate_pending", f"-{amount}", **changes),
    ]


def rows(*found: dict[str, Any]) -> columns.Table:
    return columns.table(found, columns.ENTRIES)


def post(state: Path, *found: dict[str, Any], as_of: datetime | None = AT) -> None:
    with segments.exclusive(state):
        segments.append(state, posting.write(state, rows(*found), "run 1", as_of))


def test_what_is_posted_is_read_back_and_each_file_continues_the_one_before_it(
    tmp_path: Path,
) -> None:
    post(tmp_path, *accrual("t1", "10.00"))
    post(tmp_path, *accrual("t2", "0.01"), as_of=datetime(2026, 4, 1, tzinfo=UTC))
    post(tmp_path)
    first, second = entries.postings(tmp_path)
    assert (first.previous, second.previous) == (entries.GENESIS, first.sha256)
    assert entries.verify(tmp_path) == 2
    with duckdb.connect() as connection:
        kept.write(connection, kept.kept_in(tmp_path))
        query = (
            "select transaction_id, sum(amount), count(*) from ledger.entries group by 1 order by 1"
        )
        assert connection.execute(query).fetchall() == [
            ("t1", Decimal(0), 2),
            ("t2", Decimal(0), 2),
        ]
        # a version for an earlier tick has the ledger of its time
        kept.write(connection, kept.kept_in(tmp_path).at(tmp_path, AT))
        assert connection.execute(query).fetchall() == [("t1", Decimal(0), 2)]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (accrual("t1", "10.00"), "entry t1 commission_expense is posted already"),
        (
            [*accrual("t2", "1.00"), entry("t2", "affiliate_pending", "0.00")],
            "entry t2 affiliate_pending is posted already",
        ),
        (
            [
                entry("t3", "commission_expense", "1.00"),
                entry("t3", "affiliate_pending", "-1.01"),
            ],
            r"t3 does not sum to 0 but to -0\.01 GBP",
        ),
        (
            [
                entry("t4", "commission_expense", "1.00"),
                entry("t4", "affiliate_pending", "-1.00", currency="EUR"),
            ],
            r"t4 does not sum to 0 but to -?1\.00 (EUR|GBP)",
        ),
    ],
    ids=["posted before", "twice in one file", "a cent is missing", "in two currencies"],
)
def test_an_entry_is_posted_once_and_a_transaction_only_as_a_whole(
    tmp_path: Path, found: list[dict[str, Any]], message: str
) -> None:
    post(tmp_path, *accrual("t1", "10.00"))
    with pytest.raises(AuditError, match=message):
        posting.write(tmp_path, rows(*found), "run 2")
    assert [path.name for path in (tmp_path / "ledger").iterdir()] == ["entries-000001.parquet"]


def test_a_file_that_no_record_names_is_not_posted_and_is_removed(tmp_path: Path) -> None:
    post(tmp_path, *accrual("t1", "10.00"))
    posting.write(tmp_path, rows(*accrual("t2", "1.00")), "killed")
    (tmp_path / "ledger" / ".entries-000003.parquet.tmp").write_bytes(b"half")
    assert len(entries.postings(tmp_path)) == 1
    entries.sweep(tmp_path)
    assert [path.name for path in (tmp_path / "ledger").iterdir()] == ["entries-000001.parquet"]
    post(tmp_path, *accrual("t2", "1.00"))
    assert entries.verify(tmp_path) == 2


def test_a_file_that_was_changed_or_removed_is_named(tmp_path: Path) -> None:
    post(tmp_path, *accrual("t1", "10.00"))
    path = tmp_path / "ledger" / "entries-000001.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"x")
    with pytest.raises(AuditError, match=r"entries-000001\.parquet: was changed"):
        entries.verify(tmp_path)
    path.unlink()
    with pytest.raises(AuditError, match=r"entries-000001\.parquet: is missing"):
        entries.verify(tmp_path)


def test_records_that_do_not_continue_each_other_are_refused(tmp_path: Path) -> None:
    post(tmp_path, *accrual("t1", "10.00"))
    [record] = posting.write(tmp_path, rows(*accrual("t2", "1.00")), "run 2")
    with segments.exclusive(tmp_path):
        segments.append(tmp_path, [record | {"previous": "0" * 64}])
    with pytest.raises(AuditError, match="does not continue the entries posted before it"):
        entries.postings(tmp_path)
