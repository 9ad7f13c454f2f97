"""A statement is shown with its lines, checked by its hash, and written as one page."""

import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from extractors.errors import AuditError, ConfigError
from tests.warehouse.ledger.office import APRIL, MARCH, Office
from warehouse.ledger import posted, statement_lines, statement_page, statements

LONDON = ZoneInfo("Europe/London")
SOLD = (
    "insert into core.order_lines values ('l1', 'o<1>', 900);"
    "insert into affiliate.conversions (order_line_id, base_amount, order_currency)"
    " values ('l1', 800, 'EUR')"
)


@pytest.fixture
def closed(office: Office) -> Office:
    office.mature("ann", "40.00", "2026-03-10")
    office.mature("ann", "-2.00", "2026-03-12", line="(none)", entry_type="adjustment")
    office.publish("2026-06-01", sql=SOLD)
    statements.close(office.settings, MARCH)
    office.mature("ann", "-10.00", "2026-04-03", entry_type="reversal", period=APRIL)
    return office


def test_a_line_tells_its_order_rate_base_amount_and_what_moved_later(closed: Office) -> None:
    shown = statement_lines.read(closed.settings, "S-2026-03-0001")
    first, second = shown.lines
    assert (shown.affiliate_name, shown.statement["payable"]) == ("Ann & Co", "38.00")
    assert (first.order_id, first.order_line_id, first.rate) == ("o<1>", "l1", Decimal("0.05"))
    assert (first.base_amount, first.base_currency) == (800, "EUR")
    assert (first.amount, first.later_amount) == (Decimal("40.00"), Decimal("-10.00"))
    assert (second.entry_type, second.order_id, second.amount) == ("adjustment", None, -2)
    assert second.later == ()


def test_an_unknown_number_is_told_with_the_newest(closed: Office, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no statement S-2026-03-0002; the newest are S-2026-03-"):
        statement_lines.read(closed.settings, "S-2026-03-0002")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ConfigError, match="there is no statement x; no month is closed yet"):
        statement_lines.read(Office(empty).settings, "x")


def test_a_statement_whose_lines_are_not_those_that_were_closed_is_not_shown(
    closed: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = posted.entries(closed.state)
    changed = [one | {"amount": one["amount"] + 1} for one in entries]
    monkeypatch.setattr(posted, "entries", lambda *_, **__: changed)
    with pytest.raises(AuditError, match="S-2026-03-0001 is not what was closed"):
        statement_lines.read(closed.settings, "S-2026-03-0001")


class Page(HTMLParser):
    """Collect what a page would fetch, its cells by their labels, and that its tags are closed."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.cells: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.label: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [name for name, _ in attrs if name in {"src", "href"}]
        if tag not in self.VOID:
            self.open.append(tag)
        self.label = dict(attrs).get("data-label")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.label = None

    def handle_data(self, data: str) -> None:
        if self.label:
            self.cells.append((self.label, data))


def test_the_page_stands_alone_and_is_read_at_the_width_of_a_phone(
    closed: Office, tmp_path: Path
) -> None:
    to = tmp_path / "ann.html"
    shown = statement_lines.read(closed.settings, "S-2026-03-0001")
    statement_page.write(shown, to, LONDON)
    text = to.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert (page.fetched, page.open) == ([], [])
    assert not re.search(r"url\(|@import|<script", text)
    assert page.cells[:7] == [
        ("Date", "2026-03-10"),
        ("What", "Commission, hold over"),
        ("Order", "o<1> / l1"),
        ("Rate", "5 %"),
        ("Base", "800.00 EUR"),
        ("Amount", "40.00 GBP"),
        ("Since", "Taken back 2026-04-03: -10.00 GBP"),
    ]
    # the summer day that has begun in London
    paid = {**shown.statement, "paid_at": "2026-05-19T23:00:00.000000Z"}
    assert "paid 2026-05-20." in statement_page.page(replace(shown, statement=paid), LONDON)
    # every cell of a line has its label beside it where the head is not shown
    assert "content: attr(data-label)" in text
    assert "color-scheme: light dark" in text
    assert "@media print" in text
    assert '<meta name="viewport" content="width=device-width' in text
    assert "Ann &amp; Co (ann), 2026-03" in text


def test_a_folder_that_is_missing_is_named(closed: Office, tmp_path: Path) -> None:
    shown = statement_lines.read(closed.settings, "S-2026-03-0001")
    with pytest.raises(ConfigError, match=r"none/ann\.html: No such file or directory"):
        statement_page.write(shown, tmp_path / "none" / "ann.html", LONDON)
