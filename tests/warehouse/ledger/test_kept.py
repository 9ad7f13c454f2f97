"""The build database holds of the ledger what state keeps of it, and tells when that changed."""

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb

from tests.warehouse.ledger.office import MARCH, Office, at, maturity
from warehouse.export import outbox
from warehouse.ledger import columns, decisions, kept, posting, statements
from warehouse.state import segments

STATEMENT = {
    "statement_number": "S-2026-03-0001",
    "affiliate_id": "ann",
    "period": "2026-03-01",
    "currency": "GBP",
    "closing": "12.30",
    "payable": "12.30",
    "net_sales": "100.5000",
    "status": "closed",
    "closed_at": "2026-05-01T00:00:00.000000Z",
}


def test_an_empty_ledger_has_its_tables_with_all_their_columns() -> None:
    with duckdb.connect() as connection:
        kept.write(connection, kept.Kept())
        for name, schema in (
            ("entries", columns.ENTRIES),
            ("statements", columns.STATEMENTS),
            ("decisions", columns.DECISIONS),
            ("payments", columns.PAYMENTS),
            ("trigger_outbox", outbox.COLUMNS),
        ):
            table = connection.table(f"ledger.{name}")
            assert (table.columns, len(table)) == (schema.names, 0)
        types = dict(
            connection.execute(
                "select column_name, data_type from duckdb_columns() where table_name = 'entries'"
            ).fetchall()
        )
    assert types["amount"] == "DECIMAL(18,2)"
    assert types["posted_at"] == "TIMESTAMP WITH TIME ZONE"
    tables = ("entries", "statements", "decisions", "payments", "trigger_outbox")
    assert kept.Kept().texts() == dict.fromkeys(tables, "")


def test_amounts_and_times_of_records_become_values() -> None:
    ledger = kept.Kept(statements=[STATEMENT])
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        kept.write(connection, ledger)
        [row] = connection.execute(
            "select period, closing, net_sales, closed_at, paid_at from ledger.statements"
        ).fetchall()
    at = datetime(2026, 5, 1, tzinfo=UTC)
    assert row == (date(2026, 3, 1), Decimal("12.30"), Decimal("100.5000"), at, None)
    paid = kept.Kept(statements=[STATEMENT | {"status": "paid"}])
    assert ledger.texts()["statements"] != paid.texts()["statements"]


def test_an_earlier_tick_has_the_closed_months_and_decisions_of_its_time_too(
    office: Office,
) -> None:
    """A statement without the entries that made it would stop every version for such a tick."""

    def post(line: str, day: str) -> None:
        rows = columns.table(maturity("ann", "40.00", day, line), columns.ENTRIES)
        with segments.exclusive(office.state):
            segments.append(office.state, posting.write(office.state, rows, "r", at(day)))

    post("l1", "2026-03-10")
    decisions_before = kept.kept_in(office.state).decisions
    post("l2", "2026-03-20")
    office.publish("2026-05-01")
    statements.close(office.settings, MARCH)
    decisions.adjust(office.settings, "ann", Decimal(5), "a bonus", 0)
    whole = kept.kept_in(office.state)
    earlier = whole.at(office.state, at("2026-03-10"))
    assert [len(earlier.postings), len(whole.postings)] == [1, 2]
    assert (earlier.statements, earlier.closed_through) == ([], None)
    assert (whole.closed_through, len(whole.statements)) == (MARCH, 1)
    assert (earlier.decisions, len(whole.decisions)) == (decisions_before, 1)
    assert whole.at(office.state, at("2026-03-20")) == whole
