"""The ledger's identities hold on real refunds and disputes, and each names what breaks it."""

import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration import ledger
from tests.dbt.build import Build

pytestmark = pytest.mark.slow

SUMMER, WINTER = (datetime(2011, month, 1, tzinfo=UTC) for month in (7, 12))
# Every product line of the shop is brought by one of three affiliates, at 5 %, with 30 days' hold.
EARNED = """
create or replace table intermediate.int_affiliate__commissions as
select order_line_id, order_id, 'a' || hash(order_id) % 3 as affiliate_id, 'GBP' as currency,
    round(line_amount * 0.05, 2)::decimal(18, 2) as commission_amount, line_amount as base_amount,
    0.05::decimal(18, 8) as rate, 1::decimal(18, 8) as fx_rate,
    line_amount as reporting_line_amount, ordered_at, ordered_at + interval 30 day as matures_at,
    null::timestamptz as held_since
from intermediate.int_core__order_lines where line_kind = 'product'
"""
POSTED = "insert into ledger.entries from solved.commission_proposal"
AGAIN = """
insert into ledger.entries select * replace (
    entry_id || ' again' as entry_id, transaction_id || ' again' as transaction_id,
    'reversal' as entry_type, -3 * amount as amount,
    replace(account, 'affiliate_pending', 'affiliate_payable') as account
) from ledger.entries
where transaction_id = (select min(transaction_id) from ledger.entries where entry_type = 'accrual')
"""
# What breaks the entries, and the identities that name it.
FAULTS = {
    "half a transaction": (
        "delete from ledger.entries where entry_id = (select max(entry_id) from ledger.entries"
        " where account = 'commission_expense')",
        {
            "assert_transactions_of_the_ledger_sum_to_nothing",
            "assert_the_ledger_equals_what_is_due",
        },
    ),
    "payable while it is held": (
        "update solved.commission_due set held_since = effective_at where order_line_id in"
        " (select order_line_id from ledger.entries where account = 'affiliate_payable')",
        {"assert_nothing_is_payable_inside_its_hold"},
    ),
    "more taken than earned": (
        AGAIN,
        {
            "assert_reversals_take_no_more_than_was_earned",
            "assert_the_ledger_equals_what_is_due",
        },
    ),
    "an entry in a closed month": (
        "insert into ledger.statements (statement_number, affiliate_id, period, closed_at)"
        " values ('S-1', 'a1', '2011-05-01', '2011-06-15')",
        {"assert_closed_months_get_no_entries"},
    ),
}


def solve(connection: duckdb.DuckDBPyConnection, at: datetime, closed: date | None = None) -> int:
    """Write what is due and what is proposed; return how many entries are."""
    terms = ledger.Terms(at, at, "Europe/London", closed, "a run")
    ledger.solve(connection, "commission_due", terms)
    return ledger.solve(connection, "commission_proposal", terms)


@pytest.fixture(scope="module")
def earning(small_shop: Build, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return the small shop with commissions, posted in summer and proposed in winter."""
    folder = tmp_path_factory.mktemp("earning")
    shutil.copy(small_shop.database, folder / "build.duckdb")
    build = Build(folder / "build.duckdb", small_shop.target, small_shop.as_of)
    with build.connect() as connection:
        connection.execute(EARNED)
        # in summer the shop knew of no refund or dispute yet
        connection.execute("create table later as from solved.refund_allocations")
        connection.execute("delete from solved.refund_allocations")
        assert solve(connection, SUMMER) > 100
        connection.execute(POSTED)
        connection.execute("insert into solved.refund_allocations from later")
        assert solve(connection, WINTER) > 100
    found = ended(build)
    assert {name for name, status in found.items() if status not in {"pass", "success"}} == set()
    return build


def ended(build: Build) -> dict[str, str]:
    """Build the public ledger, and return how it and each of its tests ended."""
    build.dbt(
        *("build", "--exclude-resource-type", "unit_test"),
        *("--select", "int_affiliate__commission_due", "affiliate__commission_ledger"),
        # what is compared with other marts, which are not built here
        *("--exclude", "affiliate__statements+", "affiliate__performance_daily+"),
    )
    return {name.split(".")[2]: status for name, status in build.results().items()}


def test_refunds_and_lost_disputes_are_reversed_and_the_rest_is_payable(earning: Build) -> None:
    [(lines, earned)] = earning.rows(
        "select count(*), sum(amount) from intermediate.int_affiliate__commission_due"
        " where cause_type = 'order'"
    )
    assert lines > 150
    kept = dict(
        earning.rows(
            "select account, sum(amount) from affiliate.commission_ledger group by account"
        )
    )
    reversed_by = dict(
        earning.rows(
            "select cause_type, sum(amount) from affiliate.commission_ledger"
            " where account = 'commission_expense' and entry_type = 'reversal' group by all"
        )
    )
    assert set(reversed_by) == {"refund", "chargeback"}
    assert max(reversed_by.values()) < 0
    assert kept["commission_expense"] == earned + sum(reversed_by.values()) > 0
    assert kept["affiliate_payable"] == -kept["commission_expense"]
    assert kept["affiliate_pending"] == Decimal(0)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_identity_names_what_breaks_it(earning: Build, tmp_path: Path, fault: str) -> None:
    broken = Build(tmp_path / "build.duckdb", earning.target, earning.as_of)
    shutil.copy(earning.database, broken.database)
    statement, expected = FAULTS[fault]
    with broken.connect() as connection:
        connection.execute(statement)
    found = ended(broken)
    assert {name for name, status in found.items() if status == "fail"} == expected


def test_a_posted_entry_that_the_public_ledger_shows_otherwise_is_named(
    earning: Build, tmp_path: Path
) -> None:
    broken = Build(tmp_path / "build.duckdb", earning.target, earning.as_of)
    shutil.copy(earning.database, broken.database)
    with broken.connect() as connection:
        connection.execute("update affiliate.commission_ledger set period = '2011-12-01'")
    broken.dbt("test", "--select", "assert_posted_entries_stay_as_they_are")
    assert [*broken.results().values()] == ["fail"]
