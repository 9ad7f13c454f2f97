"""What a build proposes is posted with its version: once, whole, and whatever strikes the run."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

import warehouse
from extractors.errors import AuditError
from orchestration import dbt, definitions, ledger, resources, run
from orchestration.defs.publication.assets import JOB
from orchestration.rebuild import rebuild
from tests.warehouse.conftest import MakePackage
from warehouse import config
from warehouse.config import Settings
from warehouse.ledger import columns, entries, kept
from warehouse.publish import publication, versions
from warehouse.state import segments

pytestmark = pytest.mark.slow

# The order is of March 10; what it brings is held until April 8.
HELD, MATURE, LATER = (datetime(2011, 4, day, tzinfo=UTC) for day in (7, 8, 9))
TO_COME = datetime(2099, 1, 1, tzinfo=UTC)

SHIPPED = dbt.SHIPPED
MART = "models/marts/affiliate/affiliate__commission_ledger.sql"
NOTHING = "select {} where false"
PROJECT = {
    "dbt_project.yml": "name: small\nprofile: commerce_warehouse\n"
    "flags: {require_generic_test_arguments_property: true}\n"
    "models: {small: {+materialized: table, +schema: intermediate}}\n"
    "data_tests: {small: {+store_failures: true, +schema: audit}}\n",
    "macros/names.sql": "{% macro generate_schema_name(name, node) %}"
    "{{ name or target.schema }}{% endmacro %}"
    "{% macro as_of() %}cast('{{ env_var('WAREHOUSE_AS_OF', '') if execute else '' }}'"
    " as timestamptz){% endmacro %}{% macro varchar(length) %}varchar{% endmacro %}",
    "models/sources.yml": "sources: [{name: raw_s, tables: [{name: t}]},"
    " {name: ledger, description: d, tables: [{name: entries, description: d},"
    " {name: statements, description: d}, {name: decisions, description: d}]},"
    " {name: solved, description: d, tables: [{name: refund_allocations, description: d},"
    " {name: commission_due, description: d}, {name: commission_proposal, description: d}]}]\n",
    # a line earns as many pounds as its row says
    "models/int_affiliate__commissions.sql": "select 'ann' as affiliate_id, id as order_line_id,"
    " id as order_id, 'GBP' as currency, n::decimal(18, 2) as commission_amount,"
    " n::decimal(18, 4) as base_amount, 1::decimal(18, 8) as rate, 1::decimal(18, 8) as fx_rate,"
    " n::decimal(18, 4) as reporting_line_amount, timestamptz '2011-03-10 12:00:00+00' as"
    " ordered_at, timestamptz '2011-04-08 00:00:00+00' as matures_at,"
    " null::timestamptz as held_since from {{ source('raw_s', 't') }} where _deleted_at is null\n",
    "models/int_core__refunds.sql": NOTHING.format("'' as refund_id, now() as refunded_at"),
    "models/int_core__refunds_to_allocate.sql": NOTHING.format(
        "'' as refund_id, '' as order_id, '' as order_line_id, '' as customer_id,"
        " '' as product_code, '' as currency, 0::decimal(18, 4) as unit_price, 0 as quantity,"
        " 0::decimal(18, 4) as amount, now() as refunded_at"
    ),
    "models/int_core__refundable_lines.sql": NOTHING.format(
        "'' as order_line_id, '' as order_id, '' as customer_id, '' as product_code,"
        " '' as line_kind, '' as currency, 0::decimal(18, 4) as unit_price, 0 as quantity,"
        " now() as ordered_at"
    ),
    "models/stg_billing__payments.sql": "{{ config(schema='staging') }} "
    + NOTHING.format(
        "'' as payment_id, '' as order_id, '' as kind, '' as status,"
        " 0::decimal(18, 4) as amount, now() as paid_at"
    ),
    "models/affiliate__commission_ledger.sql": "{{ config(alias='commission_ledger',"
    " schema='affiliate') }}\n" + (SHIPPED / MART).read_text(),
    "models/int_affiliate__commission_due.sql": (
        SHIPPED / "models/intermediate/affiliate/int_affiliate__commission_due.sql"
    ).read_text(),
    **{
        f"tests/{name}.sql": (SHIPPED / f"tests/affiliate/{name}.sql").read_text()
        for name in (
            "assert_transactions_of_the_ledger_sum_to_nothing",
            "assert_the_ledger_equals_what_is_due",
            "assert_nothing_is_payable_inside_its_hold",
            "assert_closed_months_get_no_entries",
            "assert_reversals_take_no_more_than_was_earned",
            "assert_posted_entries_stay_as_they_are",
        )
    },
}


@pytest.fixture
def small(settings: Settings) -> Settings:
    """Return the configuration of a warehouse with one table of commissions."""
    folder = settings.path.parent / "project"
    for name, text in PROJECT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    text = settings.path.read_text().replace("{home: ./var}", "{home: ./var, dbt_project: project}")
    settings.path.write_text(text)
    return config.load(settings.path)


def refreshed(settings: Settings, as_of: datetime) -> int:
    """Build and publish what landed, without a source; return how many versions there are."""
    session = resources.Session()
    job = definitions.build(settings, session=session).resolve_job_def(JOB)
    tags = {resources.INTERACTIVE_TAG: "true", resources.AS_OF_TAG: as_of.isoformat()}
    with run.instance(settings) as dagster:
        run.execute(settings, job, dagster, session, tags, [])
    return len(list(versions.publications(settings)))


def posted(settings: Settings) -> list[int]:
    """Return how many entries each posting has, and check that all of them are whole."""
    state = settings.state_directory
    assert entries.verify(state) == len(entries.postings(state))
    return [one.rows for one in entries.postings(state)]


def balances(settings: Settings, version: str | None = None) -> dict[str, Decimal]:
    """Return the balance of each account in a version, without those that are 0."""
    with warehouse.open(version, config=settings.path) as opened:
        rows = opened.execute(
            "select account, sum(amount) from affiliate.commission_ledger group by 1"
        ).fetchall()
    return {account: amount for account, amount in rows if amount}


def hashes(settings: Settings) -> list[str]:
    """Return the content hash of the ledger in each version, oldest first."""
    return [
        table["content_hash"]
        for record in reversed(list(versions.publications(settings)))
        for table in record["tables"]
        if table["table"] == "commission_ledger"
    ]


class StruckError(Exception):
    """What a test lets a run end with."""


@pytest.fixture
def strike() -> Iterator[pytest.MonkeyPatch]:
    """Yield what replaces a function of the product for the length of a test."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def struck(*_: Any, **__: Any) -> Any:
    raise StruckError


def pending(amount: int) -> dict[str, Decimal]:
    return {"commission_expense": Decimal(amount), "affiliate_pending": Decimal(-amount)}


def payable(amount: int) -> dict[str, Decimal]:
    return {"commission_expense": Decimal(amount), "affiliate_payable": Decimal(-amount)}


def test_a_commission_is_posted_once_matures_by_itself_and_outlives_the_build_database(
    small: Settings, make_package: MakePackage
) -> None:
    make_package([("l1", 10), ("l2", 5)], to=1)
    assert refreshed(small, HELD) == 1
    assert (posted(small), balances(small)) == ([4], pending(15))
    # a run without news publishes nothing, and state does not grow
    before = sorted(small.state_directory.glob("segment-*"))
    assert refreshed(small, HELD) == 1
    assert sorted(small.state_directory.glob("segment-*")) == before
    # the end of the hold is news, though no source has any
    assert refreshed(small, MATURE) == 2
    assert (posted(small), balances(small)) == ([4, 4], payable(15))
    assert refreshed(small, LATER) == 2
    # the build database is a cache: made anew, it holds the same ledger and posts nothing
    small.build_database.unlink()
    assert refreshed(small, MATURE) == 3
    assert posted(small) == [4, 4]
    assert hashes(small)[2] == hashes(small)[1] != hashes(small)[0]
    # an earlier tick has the ledger of its time
    assert refreshed(small, HELD) == 4
    assert (posted(small), balances(small)) == ([4, 4], pending(15))
    assert hashes(small)[3] == hashes(small)[0]
    # so has what is built aside
    assert balances(small, rebuild(small, "v000001").version) == pending(15)
    assert posted(small) == [4, 4]
    # a rollback changes what is shown, and nothing that is posted; a correction goes on from there
    make_package([("l1", 8)], mode="incremental", start=1, to=2)
    assert refreshed(small, LATER) == 5
    assert (posted(small), balances(small)) == ([4, 4, 2], payable(13))
    versions.rollback(small, "v000004")
    make_package([("l3", 1)], mode="incremental", start=2, to=3)
    assert refreshed(small, LATER) == 6
    assert balances(small, "v000006") == payable(14)
    assert posted(small) == [4, 4, 2, 4]


def test_nothing_is_posted_for_a_tick_that_is_yet_to_come_or_was_before_the_last(
    small: Settings, build: duckdb.DuckDBPyConnection
) -> None:
    state = small.state_directory
    rows = [
        {"entry_id": account, "transaction_id": "t", "account": account, "amount": amount}
        for account, amount in pending(1).items()
    ]
    build.execute("create schema solved")
    build.register("rows", columns.table(rows, columns.ENTRIES))
    build.execute("create table solved.commission_proposal as from rows")
    nothing = kept.kept_in(state)
    assert ledger.post(build, small, nothing, run_id="r", as_of=TO_COME) == []
    with segments.exclusive(state):
        segments.append(state, ledger.post(build, small, nothing, run_id="r", as_of=LATER))
    assert posted(small) == [2]
    build.execute("update solved.commission_proposal set entry_id = entry_id || ' anew'")
    before = kept.kept_in(state).at(state, HELD)
    assert ledger.post(build, small, before, run_id="r", as_of=HELD) == []
    assert len(ledger.post(build, small, kept.kept_in(state), run_id="r", as_of=LATER)) == 1


def test_a_run_that_ends_before_its_version_is_recorded_posts_nothing_and_the_next_posts_once(
    small: Settings, make_package: MakePackage, strike: pytest.MonkeyPatch
) -> None:
    make_package([("l1", 10)], to=1)
    files = small.state_directory / entries.FOLDER
    with strike.context() as patch:  # the file of entries is written, the version is not
        patch.setattr(publication, "write", struck)
        with pytest.raises(StruckError):
            refreshed(small, HELD)
    assert len(list(files.iterdir())) == 1
    assert posted(small) == []
    assert refreshed(small, HELD) == 1
    assert (posted(small), balances(small)) == ([2], pending(10))
    make_package([("l2", 7)], mode="incremental", start=1, to=2)
    with strike.context() as patch:  # the segment is written, readers see the version before
        patch.setattr(versions, "switch", struck)
        with pytest.raises(StruckError):
            refreshed(small, HELD)
    assert posted(small) == [2, 2]
    assert refreshed(small, HELD) == 2
    assert (posted(small), balances(small)) == ([2, 2], pending(17))
    # what fails the audit is not posted: here a line that takes more than it brought
    make_package([("l2", -7)], mode="incremental", start=2, to=3)
    with pytest.raises(AuditError, match="assert_reversals_take_no_more_than_was_earned"):
        refreshed(small, HELD)
    assert posted(small) == [2, 2]
    assert [path.name for path in sorted(files.iterdir())] == [
        "entries-000001.parquet",
        "entries-000002.parquet",
    ]
    make_package([("l2", 6)], mode="incremental", start=3, to=4)
    assert refreshed(small, HELD) == 3
    assert (posted(small), balances(small)) == ([2, 2, 2], pending(16))
