"""What `close-statements`, `statement`, `payouts` and `decide` print, and their exit codes."""

import csv
import json
from pathlib import Path

import pytest

from tests.cli.command import Command
from tests.warehouse.ledger.office import Office


@pytest.fixture
def office(warehouse: Command) -> Office:
    """Return a warehouse where ann and ben earned something in March that they can be paid."""
    office = Office(warehouse.directory)
    office.mature("ann", "40.00", "2026-03-10")
    office.mature("ben", "30.00", "2026-03-11", line="l2", currency="EUR")
    office.publish("2026-06-01", sql="insert into affiliate.clicks values ('k1', 'ann')")
    return office


def lines(command: Command, *arguments: str) -> list[str]:
    result = command(*arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_from_the_closing_to_the_payment(office: Office, warehouse: Command) -> None:
    assert office.state.is_dir()
    assert lines(warehouse, "payouts", "export", "--to", "pay.csv") == [
        "nothing can be paid now; no file is written: no month is closed yet; `warehouse"
        " close-statements` makes what was earned payable"
    ]
    first, head, ann, _ = lines(warehouse, "close-statements", "--period", "2026-03")
    assert first == "2026-03 is closed: 2 statements"
    assert head.split()[:2] == ["number", "affiliate"]
    assert ann.split() == [
        *("S-2026-03-0001", "ann", "0.00", "40.00", "0.00", "0.00", "0.00", "40.00", "40.00"),
        *("GBP", "2026-03-31", "closed"),
    ]
    again = lines(warehouse, "close-statements", "--period", "2026-03")
    assert again[0] == "2026-03 was closed before and stays as it is: 2 statements"
    office.clock("2026-05-15")
    assert lines(warehouse, "payouts", "export", "--to", "pay.csv") == [
        "batch 1: 2 payments written to pay.csv",
        "  30.00 EUR",
        "  40.00 GBP",
    ]
    assert lines(warehouse, "payouts", "export", "--to", "more.csv") == [
        "nothing can be paid now; no file is written: 2 payments of batch 1 wait for the provider's"
        " results; `warehouse payouts export --batch` writes a file again, `import` takes the"
        " results"
    ]
    office.clock("2026-06-01")
    results = warehouse.directory / "results.csv"
    results.write_text(
        "payout_id,status,amount,currency,paid_at\nP-0001-0001,paid,40.00,GBP,2026-05-20\n"
    )
    assert lines(warehouse, "payouts", "match", "results.csv")[0] == (
        "2 payments, 1 row of results.csv and 0 refunds of lines with commission: 2 differences,"
        " 0 without a known cause"
    )
    for known in (
        "1 paid, 0 failed, 0 came back, 0 known",
        "0 paid, 0 failed, 0 came back, 1 known",
    ):
        assert lines(warehouse, "payouts", "import", "results.csv") == [
            f"results.csv: {known} before"
        ]
    results.write_text(results.read_text().replace("0001,paid,40", "0002,paid,30", 1))
    results.write_text(results.read_text().replace("GBP", "EUR"))
    assert lines(warehouse, "payouts", "import", "results.csv")[0].startswith("results.csv: 1 paid")
    assert lines(warehouse, "payouts", "export", "--to", "more.csv") == [
        "nothing can be paid now; no file is written: what closed statements hold is paid, not due"
        " yet, less than the least payout, or of an affiliate who is not active; affiliate.payable"
        " tells which"
    ]
    listed = json.loads(warehouse("payouts", "list", "--json").stdout)
    assert [(one["payout_id"], one["outcome"]) for one in listed] == [
        ("P-0001-0001", "paid"),
        ("P-0001-0002", "paid"),
    ]
    first_paid, _ = lines(warehouse, "payouts", "list", "--outcome", "paid")[1:]
    assert first_paid.split()[-2:] == ["paid", "2026-05-19T23:00:00Z"]
    shown = json.loads(warehouse("statement", "S-2026-03-0001", "--json").stdout)
    assert (shown["statement"]["status"], shown["lines"][0]["amount"]) == ("paid", "40.00")


def test_a_payment_that_nobody_knows_of_ends_a_match_with_1(
    office: Office, warehouse: Command
) -> None:
    assert office.state.is_dir()
    (warehouse.directory / "results.csv").write_text(
        "payout_id,status,amount,currency,paid_at\nP-7,paid,40.00,GBP,2026-05-20\n"
    )
    result = warehouse("payouts", "match", "results.csv", "--json")
    assert (result.returncode, result.stderr) == (1, "")
    assert json.loads(result.stdout) == {
        "payments": 0,
        "rows": 1,
        "refunds": 0,
        "unexplained": 1,
        "differences": [
            {
                "subject": "P-7",
                "affiliate_id": None,
                "cause": "unknown_payout",
                "is_explained": False,
                "ours": None,
                "theirs": "40.00",
                "row": 2,
            }
        ],
    }


def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    office: Office, warehouse: Command
) -> None:
    assert office.state.is_dir()
    (warehouse.directory / "results.csv").write_text("payout_id\n")
    for arguments, message in (
        (
            ("close-statements", "--period", "2026-04"),
            "before 2026-03: months close in their order",
        ),
        (("close-statements", "--period", "April"), "'April' is not a month such as 2011-09"),
        (("statement", "S-1"), "there is no statement S-1; no month is closed yet"),
        (("payouts", "import", "results.csv"), "results.csv: has no column status, amount"),
        (("payouts", "import", "none.csv"), "'none.csv' does not exist"),
        (("payouts", "export", "--to", "a.csv", "--batch", "1"), "there is no payout batch 1"),
        (("payouts", "export", "--to", "a", "--format", "pain.001"), "'pain.001' is not 'csv'"),
        (("decide", "adjust", "ann", "0.001", "--reason", "x"), "'0.001' is not an amount"),
        (("decide", "adjust", "ann", "nan", "--reason", "x"), "'nan' is not an amount"),
        (("decide", "adjust", "zoe", "1", "--reason", "x"), "knows no affiliate 'zoe'"),
        (("decide", "adjust", "ann", "1", "--reason", " "), "--reason is empty"),
        (("decide", "click", "k1", "--reason", "x"), "Missing option '--valid' or '--held'"),
    ):
        assert message in warehouse.fails(2, *arguments), arguments


def test_decisions_are_listed_with_author_and_reason(office: Office, warehouse: Command) -> None:
    assert office.state.is_dir()
    assert lines(warehouse, "decide", "list") == ["nothing was decided yet"]
    reason = ("--reason", "double payment in March")
    assert lines(warehouse, "decide", "adjust", "ann", *reason, "--", "-12.5") == [
        "D-0001: adjustment of ann, -12.50 GBP; the next `warehouse run` acts on it"
    ]
    again = warehouse.fails(2, "decide", "adjust", "ann", "-12.50", *reason)
    assert "D-0001 (" in again
    assert "amounts add up" in again
    assert lines(warehouse, "decide", "click", "k1", "--held", *reason) == [
        "D-0002: click_held of ann, k1; the next `warehouse run` acts on it"
    ]
    _, first, second = lines(warehouse, "decide", "list")
    assert first.split()[:5] == ["D-0001", "adjustment", "ann", "-12.50", "GBP"]
    assert second.endswith("double payment in March")
    one, two = json.loads(warehouse("decide", "list", "--affiliate", "ann", "--json").stdout)
    assert (one["amount"], one["author"], two["click_id"]) == ("-12.50", two["author"], "k1")
    assert lines(warehouse, "decide", "list", "--affiliate", "ben") == ["nothing was decided yet"]


def test_who_holds_a_click_is_told_what_of_it_is_paid_already(
    office: Office, warehouse: Command
) -> None:
    paid = """
        insert into affiliate.clicks values ('k1', 'ann'), ('k2', 'ann');
        insert into affiliate.conversions (order_line_id, click_id, status, due_amount, currency)
        values ('l1', 'k1', 'paid', 4.00, 'GBP'), ('l2', 'k1', 'paid', 3.50, 'GBP'),
            ('l3', 'k1', 'payable', 9.00, 'GBP'), ('l4', 'k2', 'payable', 9.00, 'GBP')"""
    office.publish("2026-06-01", sql=paid)
    reason = ("--reason", "same device as the affiliate's")
    held = warehouse("decide", "click", "k1", "--held", *reason)
    assert held.stdout.startswith("D-0001: click_held of ann, k1; ")
    assert held.stderr == (
        "k1 earned 7.50 GBP by 2 order lines that is paid already: the next run takes it back, and"
        " it is set off against what the affiliate earns next\n"
    )
    for click, decision in (("k2", "--held"), ("k1", "--valid")):
        assert warehouse("decide", "click", click, decision, *reason).stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("ann", "-12.50", "--reason", "-1"),
        ("--reason", "-1", "ann", "-12.50"),
        ("--reason", "-1", "ann", "--", "-12.50"),
        ("-12.50", "ann", "--reason=-1", "--json"),
    ],
)
def test_an_amount_below_0_is_no_option(
    office: Office, warehouse: Command, arguments: tuple[str, ...]
) -> None:
    assert office.state.is_dir()
    warehouse("decide", "adjust", *arguments)
    (made,) = json.loads(warehouse("decide", "list", "--json").stdout)
    assert (made["affiliate_id"], made["amount"], made["reason"]) == ("ann", "-12.50", "-1")


SOLD = """
create table affiliate.commission_ledger (
    effective_at timestamptz, posted_at timestamptz, entry_type varchar, account varchar,
    amount decimal(18, 2), currency varchar, period date, cause_type varchar, cause_id varchar,
    affiliate_id varchar, order_line_id varchar, entry_id varchar);
alter table affiliate.conversions add column order_id varchar;
insert into affiliate.conversions (order_line_id, order_id) values ('o1-10', 'o1'), ('o1-2', 'o1');
insert into core.order_lines (order_line_id, order_id)
values ('o1-1', 'o1'), ('o1-2', 'o1'), ('o1-10', 'o1'), ('o2-1', 'o2');
"""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("o1", "o1 is an order; name one of its lines that an affiliate brought: o1-2, o1-10"),
        ("o1-1", "no affiliate brought the order line o1-1 in v000002: it has no affiliate's coup"),
        ("o2", "no affiliate brought the order o2 in v000002"),
        ("o3", "v000002 knows no order line o3; `warehouse sql 'select order_line_id from"),
    ],
)
def test_what_has_no_commission_is_told_from_what_nobody_knows(
    office: Office, warehouse: Command, name: str, message: str
) -> None:
    office.publish("2026-06-01", sql=SOLD)
    assert message in warehouse.fails(2, "explain-commission", name)


def test_a_line_that_was_taken_from_its_affiliate_keeps_what_was_posted(
    office: Office, warehouse: Command
) -> None:
    posted = """
        insert into affiliate.commission_ledger
        select day, day, what, 'affiliate_pending', amount, 'GBP', date '2026-05-01', 'order', 'o1',
            'ann', 'o1-1', what
        from (values (timestamptz '2026-05-01 00:00Z', 'accrual', -3.14),
            (timestamptz '2026-05-09 00:00Z', 'reversal', 3.14)) as told (day, what, amount)"""
    office.publish("2026-06-01", sql=SOLD + posted)
    first, _, _, accrual, reversal = lines(warehouse, "explain-commission", "o1-1")
    assert first.startswith("no affiliate brings the order line o1-1 any more, as v000002 knows it")
    assert "`warehouse decide list --affiliate ann`" in first
    assert accrual.split()[1:5] == ["ann", "accrual", "affiliate_pending", "3.14"]
    assert reversal.split()[1:5] == ["ann", "reversal", "affiliate_pending", "-3.14"]
    shown = json.loads(warehouse("explain-commission", "o1-1", "--json").stdout)
    assert (shown["line"], len(shown["movements"])) == (None, 2)


def test_a_statement_is_written_as_a_page_and_the_payment_file_as_csv(
    office: Office, warehouse: Command
) -> None:
    assert office.state.is_dir()
    closed = json.loads(warehouse("close-statements", "--period", "2026-03", "--json").stdout)
    assert (closed["period"], closed["is_new"]) == ("2026-03", True)
    number = closed["statements"][0]["statement_number"]
    result = warehouse("statement", number, "--to", "ann.html")
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == "S-2026-03-0001 written to ann.html\n"
    assert number in (warehouse.directory / "ann.html").read_text(encoding="utf-8")
    assert lines(warehouse, "statement", number)[-1] == (
        f"content hash {closed['statements'][0]['content_hash']}, as its lines say"
    )
    exported = json.loads(warehouse("payouts", "export", "--to", "pay.csv", "--json").stdout)
    assert (exported["batch"], exported["is_new"], exported["file"]) == (1, True, "pay.csv")
    assert paid(warehouse.directory / "pay.csv") == ["40.00", "30.00"]
    again = json.loads(
        warehouse("payouts", "export", "--to", "again.csv", "--batch", "1", "--json").stdout
    )
    assert (again["batch"], again["is_new"]) == (1, False)
    assert paid(warehouse.directory / "again.csv") == ["40.00", "30.00"]


def paid(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return [row["amount"] for row in csv.DictReader(file)]
