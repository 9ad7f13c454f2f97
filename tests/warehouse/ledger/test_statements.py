"""A month is closed once, from what is posted: its figures, its number, its hash, and when."""

import json
import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.errors import AuditError, ConfigError, SourceError
from tests.warehouse.ledger.office import APRIL, MARCH, MAY, TERMS, Office, maturity
from warehouse import lease
from warehouse.ledger import closing, kept, statements
from warehouse.publish import versions
from warehouse.state import segments

FIGURES = (
    *("opening", "matured", "reversals", "adjustments", "payouts", "carried_forward"),
    *("closing", "payable"),
)


def figures(row: Any) -> dict[str, str]:
    return {name: row[name] for name in FIGURES if Decimal(row[name])}


def close(office: Office, period: date) -> dict[str, Any]:
    """Close a month and return its statements by affiliate."""
    return {
        row["affiliate_id"]: row for row in statements.close(office.settings, period).statements
    }


def test_a_statement_tells_each_kind_of_movement_and_what_is_payable(office: Office) -> None:
    office.mature("ann", "40.00", "2026-03-10", line="l1")
    office.mature("ann", "5.00", "2026-03-11", line="l2", entry_type="accrual")
    office.mature("ann", "-10.00", "2026-03-12", line="l1", entry_type="reversal")
    office.mature("ann", "2.50", "2026-03-13", line="(none)", entry_type="adjustment")
    office.mature("ann", "99.00", "2026-04-01", line="l3")
    office.publish("2026-05-01", {("ann", MARCH): "812.3400"})
    row = close(office, MARCH)["ann"]
    assert row == {
        "statement_number": "S-2026-03-0001",
        "affiliate_id": "ann",
        "period": "2026-03-01",
        "currency": "GBP",
        "opening": "0.00",
        "matured": "45.00",
        "reversals": "-10.00",
        "adjustments": "2.50",
        "payouts": "0.00",
        "carried_forward": "0.00",
        "closing": "37.50",
        "payable": "37.50",
        "net_sales": "812.3400",
        "minimum_payout": "25.00",
        "affiliate_status": "active",
        "due_date": "2026-03-31",
        "status": "closed",
        "closed_at": "2026-06-01T00:00:00.000000Z",
        "paid_at": None,
        "payout_id": None,
        "content_hash": row["content_hash"],
    }
    assert kept.kept_in(office.state).texts()["statements"]


def test_rule_28_what_is_below_the_minimum_carries_forward_until_it_is_reached(
    office: Office,
) -> None:
    office.mature("ann", "24.99", "2026-03-10")
    office.mature("ann", "0.01", "2026-04-10")
    office.publish("2026-06-01")
    march, april = close(office, MARCH)["ann"], close(office, APRIL)["ann"]
    assert figures(march) == {"matured": "24.99", "closing": "24.99", "carried_forward": "24.99"}
    assert figures(april) == {
        "opening": "24.99",
        "matured": "0.01",
        "closing": "25.00",
        "payable": "25.00",
    }


def test_rule_28_the_minimum_holds_in_the_currency_they_are_paid_in_only(office: Office) -> None:
    office.mature("ben", "24.00", "2026-03-10", line="l1", currency="EUR")
    office.mature("ben", "1.00", "2026-03-11", line="l2", currency="GBP")
    office.publish("2026-06-01", {("ben", MARCH): "500"})
    rows = statements.close(office.settings, MARCH).statements
    shown = ("statement_number", "currency", "payable", "net_sales")
    assert [tuple(row[name] for name in shown) for row in rows] == [
        ("S-2026-03-0001", "EUR", "0.00", "500.0000"),
        ("S-2026-03-0002", "GBP", "1.00", "0.00"),
    ]


def test_rule_27_a_negative_balance_carries_forward_and_is_never_paid_out(office: Office) -> None:
    office.mature("ann", "-30.00", "2026-03-10", entry_type="reversal")
    office.mature("ann", "54.00", "2026-04-10", line="l2")
    office.publish("2026-06-01")
    march, april = close(office, MARCH)["ann"], close(office, APRIL)["ann"]
    assert figures(march) == {
        "reversals": "-30.00",
        "closing": "-30.00",
        "carried_forward": "-30.00",
    }
    assert figures(april) == {
        "opening": "-30.00",
        "matured": "54.00",
        "closing": "24.00",
        "carried_forward": "24.00",
    }


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_rule_30_nothing_is_payable_to_who_is_not_active(office: Office, status: str) -> None:
    office.mature("cat", "80.00", "2026-03-10")
    office.publish("2026-05-01", terms=[("cat", "Cat", status, "GBP", "25.00", "net_days 0")])
    row = close(office, MARCH)["cat"]
    assert figures(row) == {"matured": "80.00", "closing": "80.00", "carried_forward": "80.00"}
    assert row["affiliate_status"] == status


def test_rule_30_a_deleted_affiliate_keeps_the_balance_and_is_paid_nothing(office: Office) -> None:
    office.mature("gone", "80.00", "2026-03-10")
    office.publish("2026-05-01")
    row = close(office, MARCH)["gone"]
    assert (row["closing"], row["payable"], row["affiliate_status"]) == (
        "80.00",
        "0.00",
        "(unknown)",
    )


def test_rule_26_a_refund_after_the_closing_is_in_the_next_statement(office: Office) -> None:
    office.mature("ann", "40.00", "2026-03-10")
    office.publish("2026-06-01")
    march = close(office, MARCH)["ann"]
    # dated in March, and posted to April: March is closed
    office.mature("ann", "-40.00", "2026-03-20", entry_type="reversal", period=APRIL)
    april = close(office, APRIL)["ann"]
    assert figures(april) == {"opening": "40.00", "reversals": "-40.00"}
    assert close(office, MARCH)["ann"] == march


def test_rule_39_closing_twice_changes_nothing(office: Office) -> None:
    office.mature("ann", "40.00", "2026-03-10")
    office.publish("2026-05-01", {("ann", MARCH): "800"})
    first = statements.close(office.settings, MARCH)
    number = segments.newest_number(office.state)
    office.publish("2026-05-20", {("ann", MARCH): "999"})
    again = statements.close(office.settings, MARCH)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.statements == first.statements
    assert segments.newest_number(office.state) == number + 1  # that of the publication


def test_rule_39_numbers_have_no_gap_and_follow_the_affiliates(office: Office) -> None:
    for affiliate in ("cat", "ann", "ben"):
        currency = "EUR" if affiliate == "ben" else "GBP"
        office.mature(affiliate, "30.00", "2026-03-10", currency=currency)
    office.publish("2026-06-01")
    rows = statements.close(office.settings, MARCH).statements
    assert [(row["statement_number"], row["affiliate_id"]) for row in rows] == [
        ("S-2026-03-0001", "ann"),
        ("S-2026-03-0002", "ben"),
        ("S-2026-03-0003", "cat"),
    ]


def test_who_only_sold_has_a_statement_that_freezes_the_sales_for_tiers(office: Office) -> None:
    office.mature("ann", "30.00", "2026-03-10")
    office.publish("2026-05-01", {("ben", MARCH): "120.0000"})
    row = close(office, MARCH)["ben"]
    assert (figures(row), row["currency"], row["net_sales"]) == ({}, "EUR", "120.0000")


def test_who_earned_something_that_is_still_held_has_a_statement_without_it(office: Office) -> None:
    expense, liability = maturity("ann", "7.00", "2026-03-10", entry_type="accrual")
    office.post(expense, liability | {"account": "affiliate_pending"})
    office.publish("2026-05-01")
    assert figures(close(office, MARCH)["ann"]) == {}


def test_a_rollback_changes_nothing_of_what_is_closed(office: Office) -> None:
    office.mature("ann", "40.00", "2026-03-10")
    office.publish("2026-04-01", {("ann", MARCH): "1"})
    office.publish("2026-05-01", {("ann", MARCH): "800"})
    with segments.exclusive(office.state):
        segments.append(office.state, [{"kind": "hold", "version": "v000001"}])
    versions.switch(office.directory / "var" / "published", "v000001")
    assert close(office, MARCH)["ann"]["net_sales"] == "800.0000"


def test_months_close_in_their_order(office: Office) -> None:
    office.mature("ann", "40.00", "2026-03-10")
    office.publish("2026-06-01")
    for period, message in (
        (APRIL, r"2026-04 cannot be closed before 2026-03: .*--period 2026-03` first$"),
        (MAY, r"2026-05 cannot be closed before 2026-03: .* first, then the others up to 2026-04$"),
        (date(2026, 2, 1), r"2026-02 is before 2026-03, the first month with entries$"),
    ):
        with pytest.raises(ConfigError, match=message) as raised:
            close(office, period)
        assert raised.value.exit_code == 2
    close(office, MARCH)
    with pytest.raises(ConfigError, match="2026-02 is before the first month that was closed"):
        close(office, date(2026, 2, 1))


def test_a_month_waits_for_the_end_of_its_longest_hold_and_for_a_version_as_of_then(
    office: Office,
) -> None:
    office.mature("ann", "40.00", "2026-03-10")
    office.publish("2026-04-29")
    office.clock("2026-04-29T23:59")
    with pytest.raises(ConfigError, match="2026-03 can be closed from 2026-04-30T00:00:00"):
        close(office, MARCH)
    office.clock("2026-04-30")
    with pytest.raises(ConfigError, match=r"the newest, v000001, is as of .*: run `warehouse run`"):
        close(office, MARCH)
    assert statements.closed(office.state) == []
    office.publish("2026-04-30")
    assert close(office, MARCH)["ann"]["closing"] == "40.00"


def test_a_version_of_a_time_to_come_closes_nothing_since_it_posted_nothing(
    office: Office,
) -> None:
    office.mature("ann", "40.00", "2026-03-10")
    office.publish("2026-12-31")
    with pytest.raises(ConfigError, match="a version of a time to come posts nothing"):
        close(office, MARCH)
    office.publish("2026-06-01")
    assert close(office, MARCH)["ann"]["closing"] == "40.00"


def test_without_a_version_or_entries_the_next_step_is_named(office: Office) -> None:
    with pytest.raises(ConfigError, match="nothing is published yet; run `warehouse run` first"):
        close(office, MARCH)
    office.publish("2026-06-01", months={})
    with pytest.raises(ConfigError, match="no affiliate has earned anything yet"):
        close(office, MARCH)
    office.publish("2026-06-01")
    for path in (office.directory / "var" / "published").glob("v000002.duckdb"):
        path.unlink()
    with pytest.raises(ConfigError, match="the file of v000002 is gone"):
        close(office, MARCH)


def test_a_month_that_has_not_begun_is_refused(office: Office) -> None:
    office.mature("ann", "40.00", "2026-03-10")
    office.publish("2026-05-01", months={MARCH: "2026-04-30"})
    close(office, MARCH)
    office.publish("2026-05-01", months={MAY: "2026-07-01"})
    with pytest.raises(ConfigError, match="2026-04 has not begun by 2026-05-01"):
        close(office, APRIL)


def test_a_month_of_years_to_come_has_not_begun_whatever_has_to_close_first(
    office: Office,
) -> None:
    office.mature("ann", "40.00", "2026-03-10")
    office.publish("2026-05-01")
    with pytest.raises(ConfigError, match="2062-03 has not begun by 2026-05-01"):
        close(office, MARCH.replace(year=2062))


def test_a_run_that_goes_on_is_not_disturbed(office: Office) -> None:
    office.publish("2026-06-01")
    with (
        lease.hold(office.settings.home),
        pytest.raises(SourceError, match="the writer lease is held"),
    ):
        close(office, MARCH)


def test_entries_that_were_changed_stop_a_closing(office: Office) -> None:
    office.mature("ann", "40.00", "2026-03-10")
    office.publish("2026-06-01")
    close(office, MARCH)
    (path,) = (office.state / "ledger").glob("*.parquet")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(AuditError, match="was changed after it was written"):
        close(office, APRIL)


def test_an_entry_in_a_closed_month_stops_the_next_closing(office: Office) -> None:
    office.mature("ann", "40.00", "2026-03-10")
    office.publish("2026-06-01")
    close(office, MARCH)
    office.mature("ann", "1.00", "2026-03-20", line="l2")
    with pytest.raises(AuditError, match=r"before 2026-04 are 41.00 GBP, .* closed with 40.00"):
        close(office, APRIL)


def test_a_killed_closing_is_closed_by_the_same_command(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.mature("ann", "40.00", "2026-03-10")
    office.publish("2026-06-01")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(segments, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            close(office, MARCH)
    assert statements.closed(office.state) == []
    assert close(office, MARCH)["ann"]["statement_number"] == "S-2026-03-0001"


TERM = {row[0]: closing.Terms(*row[:4], Decimal(row[4]), row[5]) for row in TERMS}
AMOUNTS = st.decimals(-999, 999, places=2)
KINDS = st.sampled_from(sorted(closing.MOVEMENTS))
LINE = st.tuples(
    st.sampled_from(sorted(TERM)), st.sampled_from((MARCH, APRIL, MAY)), AMOUNTS, KINDS
)


def month_by_month(lines: list[dict[str, Any]]) -> list[closing.Statement]:
    opening: dict[closing.Account, Decimal] = {}
    made: list[closing.Statement] = []
    for period in (MARCH, APRIL, MAY):
        of_month = closing.statements(
            period, [one for one in lines if one["period"] == period], opening, TERM, {}
        )
        opening = {(one.affiliate_id, one.currency): one.closing for one in of_month}
        made += of_month
    return made


@given(st.lists(LINE, max_size=30), st.randoms(use_true_random=False))
def test_statements_add_up_whatever_is_posted_in_whatever_order(
    drawn: list[tuple[str, date, Decimal, str]], order: random.Random
) -> None:
    lines = [
        maturity(
            affiliate,
            str(amount),
            f"{period:%Y-%m}-05",
            f"l{number}",
            TERM[affiliate].currency,
            entry_type=kind,
        )[1]
        for number, (affiliate, period, amount, kind) in enumerate(drawn)
    ]
    made = month_by_month(lines)
    last: dict[str, Decimal] = {}
    for one in made:
        moved = one.matured + one.reversals + one.adjustments + one.payouts
        assert one.opening == last.get(one.affiliate_id, closing.NOTHING)
        assert one.opening + moved == one.closing == one.payable + one.carried_forward
        assert one.payable in (0, one.closing)
        assert one.payable == 0 or (one.affiliate_id != "cat" and one.payable >= 25)
        last[one.affiliate_id] = one.closing
    for affiliate in TERM:
        posted = sum(
            (-line["amount"] for line in lines if line["affiliate_id"] == affiliate),
            closing.NOTHING,
        )
        assert last.get(affiliate, closing.NOTHING) == posted
    order.shuffle(lines)
    assert month_by_month(lines) == made


def changed(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda line: line | changes


@pytest.mark.parametrize(
    "change",
    [
        changed(entry_id="other"),
        changed(order_line_id="other"),
        changed(rate=Decimal("0.06")),
        changed(fx_rate=Decimal(2)),
        changed(cause_id="other"),
        changed(effective_at=maturity("ann", "1", "2026-03-11")[1]["effective_at"]),
        lambda line: line | {"amount": line["amount"] + Decimal("0.01")},
    ],
)
def test_rule_39_the_hash_tells_every_change_of_a_line(
    change: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    lines = [maturity("ann", "40.00", "2026-03-10")[1], maturity("ann", "1", "2026-03-10", "l2")[1]]
    [one] = closing.statements(MARCH, lines, {}, TERM, {})
    changed_lines = [change(lines[0]), lines[1]]
    assert closing.content_hash(one.texts(), lines[::-1]) == one.content_hash
    assert closing.content_hash(one.texts(), changed_lines) != one.content_hash
    assert closing.content_hash(one.texts() | {"payable": "0.00"}, lines) != one.content_hash
    assert closing.content_hash(json.loads(json.dumps(one.texts())), lines) == one.content_hash
