"""What is payable is paid once: batches, the provider's results, failures, kills in between."""

import csv
import shutil
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.errors import ConfigError
from extractors.package import write_atomically
from tests.warehouse.ledger.office import APRIL, MARCH, MAY, TERMS, Office, at
from warehouse.backup import restore
from warehouse.ledger import (
    claims,
    closing,
    columns,
    decisions,
    kept,
    payments,
    payouts,
    posted,
    provider_file,
    results,
    statements,
)
from warehouse.ledger.payments import Payment
from warehouse.state import segments

HEADER = "payout_id,status,amount,currency,paid_at"


@pytest.fixture
def closed(office: Office) -> Office:
    """Return a warehouse where March is closed: 40.00 are payable to ann, 30.00 EUR to ben."""
    office.mature("ann", "40.00", "2026-03-10")
    office.mature("ben", "30.00", "2026-03-11", line="l2", currency="EUR")
    office.publish("2026-05-01")
    statements.close(office.settings, MARCH)
    office.clock("2026-05-15")
    return office


@dataclass(frozen=True)
class Desk:
    """The commands on a warehouse, as a clerk gives them."""

    office: Office

    def export(self, name: str = "pay.csv", **options: Any) -> list[dict[str, str]]:
        """Export, and return the rows of the file; none where nothing could be paid."""
        to = self.office.directory / name
        done = payouts.export(self.office.settings, to, **options)
        return rows_of(to) if done.batch else []

    def bring(self, *rows: str, header: str = HEADER) -> results.Imported:
        """Import a provider's file of these rows, in June."""
        self.office.clock("2026-06-01")
        return results.import_file(self.office.settings, self.file(*rows, header=header))

    def file(self, *rows: str, header: str = HEADER) -> Path:
        path = self.office.directory / "results.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    def payable(self) -> dict[str, Decimal]:
        found = payouts.payable_now(self.office.settings)
        return {one.affiliate_id: one.amount for one in found}

    def owed(self, affiliate: str = "ann", currency: str = "GBP") -> Decimal:
        table = posted.table(self.office.state, account=closing.PAYABLE)
        return posted.balances(table).get((affiliate, currency), Decimal(0))

    def outcomes(self) -> dict[str, str]:
        known = payments.payments(self.office.state)
        return {payout_id: one.outcome for payout_id, one in known.items()}

    def statuses(self) -> dict[str, str]:
        return {
            row["statement_number"]: row["status"] for row in statements.closed(self.office.state)
        }


@pytest.fixture
def desk(closed: Office) -> Desk:
    return Desk(closed)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_batch_holds_what_is_payable_and_each_statement_once(desk: Desk) -> None:
    assert desk.export() == [
        {
            "payout_id": "P-0001-0001",
            "affiliate_id": "ann",
            "amount": "40.00",
            "currency": "GBP",
            "statement_number": "S-2026-03-0001",
        },
        {
            "payout_id": "P-0001-0002",
            "affiliate_id": "ben",
            "amount": "30.00",
            "currency": "EUR",
            "statement_number": "S-2026-03-0002",
        },
    ]
    assert desk.export("second.csv") == []
    assert not (desk.office.directory / "second.csv").exists()
    assert desk.outcomes() == {"P-0001-0001": "open", "P-0001-0002": "open"}
    assert desk.owed() == Decimal("40.00")  # until it has arrived
    ledger = kept.kept_in(desk.office.state)
    assert [row["payout_id"] for row in ledger.statements] == ["P-0001-0001", "P-0001-0002"]
    assert columns.table(ledger.payments, columns.PAYMENTS).to_pylist()[0] == {
        "payout_id": "P-0001-0001",
        "affiliate_id": "ann",
        "currency": "GBP",
        "amount": Decimal("40.00"),
        "statement_number": "S-2026-03-0001",
        "outcome": "open",
        "exported_at": at("2026-05-15"),
    }


def test_rule_19_a_statement_is_closed_then_paid_when_its_payment_arrives(desk: Desk) -> None:
    desk.export()
    done = desk.bring(
        "P-0001-0001,paid,40.00,GBP,2026-05-20T10:00:00Z",
        "P-0001-0002,failed,30.00,EUR,2026-05-21",
    )
    assert (done.paid, done.failed, done.bounced, done.known) == (1, 1, 0, 0)
    assert desk.statuses() == {"S-2026-03-0001": "paid", "S-2026-03-0002": "closed"}
    row = statements.closed(desk.office.state)[0]
    assert (row["paid_at"], row["payout_id"]) == ("2026-05-20T10:00:00.000000Z", "P-0001-0001")
    paid = posted.entries(desk.office.state, order_line_id="(none)")
    assert [
        (one["account"], one["entry_type"], one["amount"], one["cause_id"], one["period"])
        for one in paid
    ] == [
        ("affiliate_payable", "payout", Decimal("40.00"), "P-0001-0001", MAY),
        ("affiliate_paid", "payout", Decimal("-40.00"), "P-0001-0001", MAY),
    ]
    assert desk.owed() == 0
    assert desk.owed("ben", "EUR") == 30


def test_a_file_that_comes_again_changes_nothing(desk: Desk) -> None:
    desk.export()
    rows = ("P-0001-0001,paid,40.00,GBP,2026-05-20", "P-0001-0002,failed,30.00,EUR,2026-05-21")
    desk.bring(*rows)
    number = segments.newest_number(desk.office.state)
    for again in (rows, rows[::-1], ("P-0001-0001,paid,40.00,GBP,2026-05-20T00:00:00+01:00",)):
        assert desk.bring(*again).known == len(again)
    # the provider tells another time of what is paid: it is paid
    assert desk.bring("P-0001-0001,paid,40.00,GBP,2026-05-22").known == 1
    assert segments.newest_number(desk.office.state) == number


def test_what_failed_is_payable_again_in_the_next_batch(desk: Desk) -> None:
    desk.export()
    desk.bring("P-0001-0002,failed,30.00,EUR,2026-05-21")
    assert desk.export("second.csv") == [
        {
            "payout_id": "P-0002-0001",
            "affiliate_id": "ben",
            "amount": "30.00",
            "currency": "EUR",
            "statement_number": "S-2026-03-0002",
        }
    ]


def test_what_bounced_is_owed_and_payable_again(desk: Desk) -> None:
    desk.export()
    desk.bring("P-0001-0001,paid,40.00,GBP,2026-05-20")
    done = desk.bring("P-0001-0001,failed,40.00,GBP,2026-05-25")
    assert (done.bounced, desk.owed(), desk.payable()) == (1, 40, {"ann": Decimal("40.00")})
    assert desk.statuses()["S-2026-03-0001"] == "closed"
    assert [
        (one["account"], one["amount"])
        for one in posted.entries(desk.office.state)
        if one["entry_type"] == "payout_reversal"
    ] == [("affiliate_payable", Decimal("-40.00")), ("affiliate_paid", Decimal("40.00"))]
    # both files again, in the wrong order
    desk.bring("P-0001-0001,failed,40.00,GBP,2026-05-25")
    desk.bring("P-0001-0001,paid,40.00,GBP,2026-05-20")
    assert desk.owed() == 40


def test_paid_and_bounced_in_one_file_whatever_the_order_of_its_rows(desk: Desk) -> None:
    desk.export()
    desk.bring("P-0001-0001,failed,40.00,GBP,2026-05-20", "P-0001-0001,paid,40.00,GBP,2026-05-20")
    assert (desk.outcomes()["P-0001-0001"], desk.owed()) == ("bounced", 40)


def test_what_the_provider_pays_after_a_failure_is_paid_unless_another_batch_pays_it(
    desk: Desk,
) -> None:
    desk.export()
    desk.bring("P-0001-0001,failed,40.00,GBP,2026-05-20", "P-0001-0002,failed,30.00,EUR,2026-05-20")
    assert desk.bring("P-0001-0001,paid,40.00,GBP,2026-05-21").paid == 1
    assert desk.owed() == 0
    assert [row["affiliate_id"] for row in desk.export("second.csv")] == ["ben"]
    with pytest.raises(ConfigError, match=r"row 2, status: .*P-0002-0001 of batch 2 pays S-2026"):
        desk.bring("P-0001-0002,paid,30.00,EUR,2026-05-22")
    assert desk.owed("ben", "EUR") == 30


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("P-0009-0001,paid,40.00,GBP,2026-05-20", "payout_id: 'P-0009-0001' is in no payout batch"),
        ("P-0001-0001,paid,40.01,GBP,2026-05-20", "amount: is 40.01, 40.00 was exported"),
        ("P-0001-0001,paid,40.00,EUR,2026-05-20", "currency: is EUR, GBP was exported"),
        ("P-0001-0001,done,40.00,GBP,2026-05-20", "status: 'done' is neither paid nor failed"),
        ("P-0001-0001,paid,forty,GBP,2026-05-20", "amount: 'forty' is not an amount"),
        ("P-0001-0001,paid,40.001,GBP,2026-05-20", "amount: '40.001' is not an amount"),
        ("P-0001-0001,paid,NaN,GBP,2026-05-20", "amount: 'NaN' is not an amount"),
        ("P-0001-0001,paid,-40.00,GBP,2026-05-20", "amount: '-40.00' is not an amount"),
        ("P-0001-0001,paid,40.00,GBP,20 May", "paid_at: '20 May' is neither a day"),
        ("P-0001-0001,paid,40.00,GBP,2026-05-20T10:00", "paid_at: .* is neither a day"),
        ("P-0001-0001,paid,40.00,GBP,9999-12-31T23:59-05:00", "paid_at: .* is neither a day"),
        ("P-0001-0001,paid,40.00,GBP,2026-06-02", "paid_at: 2026-06-01T23:00.* is yet to come"),
        (
            "P-0001-0001,paid,40.00,GBP,2026-05-13",
            "paid_at: 2026-05-12T23:00.* is before the payment was exported, on 2026-05-15",
        ),
        ("P-0001-0001,paid,40.00,,2026-05-20", "currency: is empty"),
        ("P-0001-0001,paid,40.00", "currency: is empty"),
    ],
)
def test_a_bad_row_is_named_and_nothing_of_its_file_is_posted(
    desk: Desk, row: str, message: str
) -> None:
    desk.export()
    with pytest.raises(ConfigError, match=rf"results\.csv, row 3, {message}") as raised:
        desk.bring("P-0001-0002,paid,30.00,EUR,2026-05-20", row)
    assert raised.value.exit_code == 2
    assert set(desk.outcomes().values()) == {"open"}
    assert desk.owed("ben", "EUR") == 30


def test_a_file_without_its_columns_or_that_is_no_text_is_refused(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="has no column status, paid_at; it needs payout_id, "):
        desk.bring(header="payout_id,amount,currency")
    with pytest.raises(ConfigError, match="has the column amount, paid_at twice, and nobody can"):
        desk.bring(header=f"{HEADER},amount,note,paid_at,note")
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        with pytest.raises(ConfigError, match=f"has {name} between its columns; save it with comm"):
            desk.bring(header=HEADER.replace(",", separator))
    path = desk.office.directory / "results.csv"
    path.write_bytes(b"")
    with pytest.raises(ConfigError, match="is empty; it needs payout_id, .* in its first line"):
        results.import_file(desk.office.settings, path)
    path.write_bytes(b"payout_id\xff")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        results.import_file(desk.office.settings, path)


def test_columns_may_stand_in_any_order_among_others_after_a_byte_order_mark(desk: Desk) -> None:
    desk.export()
    header = "\ufeffnote,paid_at,currency,amount,status,payout_id"
    assert desk.bring("x,2026-05-20,GBP,40,paid,P-0001-0001", header=header).paid == 1


class Killed(BaseException):
    """What a kill is to the code that it ends."""


def die(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("where", ["before the record", "before the file", "before its record"])
def test_a_killed_export_goes_on_with_the_same_batch(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    appended = payouts._append  # pyright: ignore[reportPrivateUsage]

    def append_until_file(state: Path, record: dict[str, Any]) -> None:
        if record["kind"] == (payments.BATCH if where == "before the record" else payments.FILE):
            raise Killed
        appended(state, record)

    with monkeypatch.context() as patch:
        if where == "before the file":
            patch.setattr(payouts, "write_atomically", die)
        else:
            patch.setattr(payouts, "_append", append_until_file)
        with pytest.raises(Killed):
            desk.export()
    # meanwhile another month is closed: its amount waits for the next batch
    desk.office.clock("2026-06-01")
    desk.office.mature("cat", "50.00", "2026-04-10", line="l3")
    desk.office.publish(
        "2026-06-01", terms=[*TERMS[:2], ("cat", "Cat", "active", "GBP", "25.00", "net_days 0")]
    )
    statements.close(desk.office.settings, APRIL)
    first = desk.export("again.csv")
    second = desk.export("second.csv")
    paid = [(row["payout_id"], row["affiliate_id"], row["amount"]) for row in [*first, *second]]
    of_march = [("P-0001-0001", "ann", "40.00"), ("P-0001-0002", "ben", "30.00")]
    last = "P-0001-0003" if where == "before the record" else "P-0002-0001"
    assert paid == [*of_march, (last, "cat", "50.00")]
    assert desk.payable() == {}


def test_a_killed_import_posts_all_or_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.export()
    with monkeypatch.context() as patch:
        patch.setattr(segments, "append", die)
        with pytest.raises(Killed):
            desk.bring("P-0001-0001,paid,40.00,GBP,2026-05-20")
    assert (desk.outcomes()["P-0001-0001"], desk.owed()) == ("open", 40)
    assert desk.bring("P-0001-0001,paid,40.00,GBP,2026-05-20").paid == 1
    assert desk.owed() == 0


def test_the_file_of_a_batch_can_be_written_again(desk: Desk) -> None:
    first = desk.export()
    assert desk.export("copy.csv", batch=1) == first
    with pytest.raises(ConfigError, match="there is no payout batch 2; there are 1 to 1"):
        desk.export("other.csv", batch=2)


def test_a_file_that_would_be_lost_or_cannot_be_written_records_no_batch(desk: Desk) -> None:
    (desk.office.directory / "pay.csv").write_text("mine")
    with pytest.raises(ConfigError, match="exists and holds something else"):
        desk.export()
    with pytest.raises(ConfigError, match="there is no folder"):
        desk.export("none/pay.csv")
    assert desk.outcomes() == {}
    assert (desk.office.directory / "pay.csv").read_text() == "mine"


def test_a_newer_statement_includes_what_an_older_one_left_unpaid(desk: Desk) -> None:
    desk.office.clock("2026-06-01")
    desk.office.mature("ann", "7.00", "2026-04-10", line="l3")
    desk.office.publish("2026-06-01")
    statements.close(desk.office.settings, APRIL)
    rows = {row["affiliate_id"]: row for row in desk.export()}
    assert (rows["ann"]["amount"], rows["ann"]["statement_number"]) == ("47.00", "S-2026-04-0001")
    desk.bring("P-0001-0001,paid,47.00,GBP,2026-05-31")
    assert desk.statuses() == {
        "S-2026-03-0001": "paid",
        "S-2026-03-0002": "closed",
        "S-2026-04-0001": "paid",
        "S-2026-04-0002": "closed",
    }


def test_a_statement_that_closes_while_a_payment_is_under_way_pays_the_rest_only(
    desk: Desk,
) -> None:
    desk.export()
    desk.office.clock("2026-06-01")
    desk.office.mature("ann", "26.00", "2026-04-10", line="l3")
    desk.office.publish("2026-06-01")
    statements.close(desk.office.settings, APRIL)
    assert desk.payable() == {"ann": Decimal("26.00")}
    desk.bring("P-0001-0001,failed,40.00,GBP,2026-05-20")
    assert desk.payable() == {"ann": Decimal("66.00")}


def test_rule_26_a_refund_since_the_closing_is_not_paid_first_and_reclaimed_later(
    desk: Desk,
) -> None:
    desk.office.mature("ann", "-10.00", "2026-05-10", entry_type="reversal")
    assert desk.payable() == {"ann": Decimal("30.00"), "ben": Decimal("30.00")}
    desk.office.mature("ann", "-10.00", "2026-05-11", entry_type="reversal")
    assert desk.payable() == {"ben": Decimal("30.00")}  # 20.00 are below the minimum


def test_rule_30_who_is_suspended_after_the_closing_is_paid_nothing(desk: Desk) -> None:
    suspended = ("ann", "Ann", "suspended", "GBP", "25.00", "net_days 0")
    desk.office.publish("2026-05-02", terms=[suspended, TERMS[1]])
    assert desk.payable() == {"ben": Decimal("30.00")}


def test_rule_29_a_statement_is_paid_from_its_day_of_the_calendar(office: Office) -> None:
    office.mature("ann", "40.00", "2026-03-10")
    office.publish("2026-05-01", terms=[("ann", "Ann", "active", "GBP", "25.00", "net_days 60")])
    row = statements.close(office.settings, MARCH).statements[0]
    assert row["due_date"] == "2026-05-30"
    office.clock("2026-05-29T22:59")  # the 30th begins at 23:00 UTC in London
    assert Desk(office).payable() == {}
    office.clock("2026-05-29T23:00")
    assert Desk(office).payable() == {"ann": Decimal("40.00")}


def test_what_was_taken_away_by_a_decision_is_not_paid_before_it_is_posted(desk: Desk) -> None:
    taken = decisions.forfeit(desk.office.settings, "ann", "terms broken", 0)
    assert (taken["amount"], desk.payable()) == ("-40.00", {"ben": Decimal("30.00")})
    decisions.adjust(desk.office.settings, "ben", Decimal(9), "bonus", 0)
    assert desk.payable() == {"ben": Decimal("30.00")}  # what is added waits for its statement


PAYOUT = Payment("P-0001-0001", 1, "ann", "GBP", Decimal(40), "S", ("S",), at("2026-05-01"))
STATUS = st.tuples(st.sampled_from(provider_file.STATUSES), st.integers(2, 9))


def told(row: int, status: str, day: int) -> provider_file.Told:
    moment = at(f"2026-05-0{day}")
    return provider_file.Told(row, PAYOUT.payout_id, status, PAYOUT.amount, "GBP", moment)


@given(st.lists(st.lists(STATUS, max_size=4), max_size=6))
@settings(deadline=None)
def test_whatever_files_come_a_payment_is_out_once_or_not_at_all(
    files: list[list[tuple[str, int]]],
) -> None:
    known = {PAYOUT.payout_id: PAYOUT}
    balance = Decimal(0)
    ids: list[str] = []
    for rows in [*files, *files]:
        news = results.events(
            [told(number, *row) for number, row in enumerate(rows, 2)],
            known,
            at("2026-06-01"),
            Path("results.csv"),
            ZoneInfo("Europe/London"),
        )
        for event in news:
            known[PAYOUT.payout_id] = event.payment
            made = results.entries(event, MAY)
            assert sum(one["amount"] for one in made) == 0
            ids += [one["entry_id"] for one in made]
            balance += sum(one["amount"] for one in made if one["account"] == closing.PAYABLE)
        assert balance == (40 if known[PAYOUT.payout_id].outcome == "paid" else 0)
    assert len(ids) == len(set(ids))
    # the newest word counts, and of two of one day the failure
    every = sorted((day, status == "failed") for rows in files for status, day in rows)
    if every:
        assert (known[PAYOUT.payout_id].outcome == "paid") == (not every[-1][1])


def test_what_is_under_way_in_another_currency_is_no_matter() -> None:
    row = {
        "statement_number": "S",
        "affiliate_id": "ann",
        "currency": "GBP",
        "period": "2026-03-01",
        "due_date": "2026-03-31",
        "payable": "40.00",
    }
    other = Payment("P", 1, "ann", "EUR", Decimal(40), "T", ("T",), at("2026-05-01"))
    terms = {"ann": closing.Terms("ann", None, "active", "GBP", Decimal(25), "net_days 0")}
    owed = {("ann", "GBP"): Decimal("40.00")}
    [one] = claims.claims([row], owed, [], [other], {}, terms, MAY)
    assert one == claims.Claim("ann", "GBP", Decimal("40.00"), "S", ("S",))


def test_after_a_restore_nothing_is_paid_before_somebody_confirmed_it(desk: Desk) -> None:
    """What was exported after the backup is forgotten by it, and would be paid once more."""
    state, lost = desk.office.state, desk.office.directory / "lost"
    shutil.copytree(state, lost)
    assert len(desk.export("lost.csv")) == 2
    shutil.rmtree(state)
    lost.rename(state)
    write_atomically(desk.office.settings.home / restore.UNCONFIRMED, "b000001")
    with pytest.raises(ConfigError, match=r"backup b000001 was restored: .* would be paid again"):
        desk.export()
    assert payments.batches(state) == []
    # what was exported from the lost state keeps its ids to itself
    again = {row["payout_id"] for row in desk.export(after_restore=True)}
    assert len(again) == 2
    assert not again & {row["payout_id"] for row in rows_of(desk.office.directory / "lost.csv")}
    assert desk.export("next.csv") == []
    # a later batch belongs to the same series, one after another restore to another
    desk.office.clock("2026-06-01")
    desk.bring(*(f"{one},failed,{row}" for one, row in zip(sorted(again), FAILED, strict=True)))
    later = {row["payout_id"] for row in desk.export("later.csv")}
    assert {one.split("-")[1] for one in later} == {one.split("-")[1] for one in again}
    assert not later & again
    write_atomically(desk.office.settings.home / restore.UNCONFIRMED, "b000001")
    desk.bring(*(f"{one},failed,{row}" for one, row in zip(sorted(later), FAILED, strict=True)))
    last = {row["payout_id"] for row in desk.export("last.csv", after_restore=True)}
    assert {one.split("-")[1] for one in last}.isdisjoint(one.split("-")[1] for one in later)


FAILED = ("40.00,GBP,2026-06-01", "30.00,EUR,2026-06-01")


def test_an_id_that_a_spreadsheet_would_compute_is_a_text_in_the_payment_file(
    office: Office,
) -> None:
    terms = [
        (name, "A", "active", "GBP", "0.00", "net_days 0") for name in ("=1+1", "-2", "@x", "+x")
    ]
    for name, *_ in terms:
        office.mature(name, "40.00", "2026-03-10", line=f"l {name}")
    office.publish("2026-05-01", terms=[*terms, *TERMS])
    statements.close(office.settings, MARCH)
    rows = Desk(office).export()
    assert [row["affiliate_id"] for row in rows] == ["'+x", "'-2", "'=1+1", "'@x"]


def test_who_is_paid_in_a_currency_without_cents_is_paid_and_adjusted_by_whole_units(
    office: Office,
) -> None:
    terms = [*TERMS, ("yui", "Yui", "active", "JPY", "25.00", "net_days 0")]
    office.mature("yui", "1935.00", "2026-03-10", line="l9", currency="JPY")
    office.publish("2026-05-01", terms=terms)
    with pytest.raises(ConfigError, match=r"0\.50 JPY cannot be paid: JPY has no parts"):
        decisions.adjust(office.settings, "yui", Decimal("0.50"), "bonus", 0)
    decisions.adjust(office.settings, "yui", Decimal("5.00"), "bonus", 0)
    statements.close(office.settings, MARCH)
    desk = Desk(office)
    [row] = desk.export()
    assert (row["amount"], row["currency"]) == ("1935", "JPY")
    assert desk.bring("P-0001-0001,paid,1935,JPY,2026-06-01").paid == 1
