"""Figures are exact, periods are whole weeks, and plots lie where they should."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from warehouse import figures
from warehouse.report import plots
from warehouse.report.parts import bar
from warehouse.report.period import Period, last_weeks
from warehouse.report.plots import Point

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.0050", "0.01"),
        ("0.0150", "0.02"),
        ("-0.0050", "-0.01"),
        ("-0.0049", "0.00"),
        ("1234.5650", "1,234.57"),
        ("99999999999999999999999999999999.9950", "100,000,000,000,000,000,000,000,000,000,000.00"),
        ("0.10", "0.10"),
    ],
)
def test_money_is_rounded_half_away_from_zero_and_keeps_all_its_digits(
    amount: str, text: str
) -> None:
    assert figures.money(Decimal(amount)) == text


def test_what_cannot_be_divided_is_a_dash() -> None:
    nothing = (
        figures.ratio(5, 0),
        figures.percent(5, 0),
        figures.money(None),
        figures.count(None),
    )
    assert nothing == ("–",) * 4
    assert figures.change(5, 0) is None


def test_shares_and_changes_are_told_in_percent() -> None:
    assert figures.percent(1, 8) == "12.5 %"
    assert figures.percent(Decimal("-0.0120"), places=2) == "-1.20 %"
    assert figures.change(Decimal(90), Decimal(100)) == "-10.0 %"
    assert figures.change(1, -2) == "+150.0 %"
    assert figures.count(Decimal("1999.5")) == "2,000"


@pytest.mark.parametrize(
    ("as_of", "first", "last"),
    [
        # a Sunday's last minute in London: its week is not over
        (datetime(2026, 3, 29, 22, 59, tzinfo=UTC), date(2026, 2, 23), date(2026, 3, 22)),
        # midnight in London, which has summer time since that morning
        (datetime(2026, 3, 29, 23, 0, tzinfo=UTC), date(2026, 3, 2), date(2026, 3, 29)),
        (datetime(2026, 4, 1, tzinfo=UTC), date(2026, 3, 2), date(2026, 3, 29)),
    ],
)
def test_the_period_is_the_last_four_weeks_that_are_over(
    as_of: datetime, first: date, last: date
) -> None:
    assert last_weeks(as_of, LONDON) == Period(first, last)


def test_the_period_before_is_as_long_and_ends_where_the_period_begins() -> None:
    period = Period(date(2026, 3, 2), date(2026, 3, 29))
    assert period.before == Period(date(2026, 2, 2), date(2026, 3, 1))


def test_a_plot_lies_between_round_numbers_and_says_in_words_what_it_shows() -> None:
    points = [
        Point("2 Mar", Decimal(10)),
        Point("9 Mar", Decimal(20), (Decimal(5), Decimal(15)), is_unusual=True),
        Point("16 Mar", Decimal(12), (Decimal(4), Decimal(36))),
    ]
    plot = plots.line("visits", "Visits", points, figures.count)
    assert [rule.text for rule in plot.rules] == ["0", "10", "20", "30", "40"]
    assert plot.line == "46.0,126.5 177.0,89.0 308.0,119.0"
    assert plot.band == "177.0,107.8 308.0,29.0 308.0,149.0 177.0,145.2"
    assert [(mark.x, mark.y, mark.text) for mark in plot.marks] == [
        ("177.0", "89.0", "9 Mar: 20, unusual")
    ]
    assert plot.last == plots.Label("308.0", "119.0", "12")
    assert plot.description == (
        "Visits: from 10 (2 Mar) to 12 (16 Mar); least 10 (2 Mar), most 20 (9 Mar);"
        " unusual: 20 (9 Mar)."
    )


def test_a_plot_below_zero_has_its_base_inside_and_one_of_nothing_has_an_axis() -> None:
    below = plots.line("m", "M", [Point("a", Decimal(-30)), Point("b", Decimal(50))], figures.money)
    assert [rule.text for rule in below.rules] == ["-40", "-20", "0", "20", "40", "60"]
    assert below.base == "104.0"
    nothing = plots.line("m", "M", [Point("a", Decimal(0))], figures.money)
    assert (nothing.line, nothing.base) == ("46.0,164.0", "164.0")


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "0"), ("12.5", "12.5"), ("950", "950"), ("27162.3", "27.2k"), ("3000000", "3M")],
)
def test_figures_of_an_axis_are_short(value: str, text: str) -> None:
    assert plots.compact(Decimal(value)) == text


def test_a_bar_is_as_long_as_its_share_of_the_largest_and_below_zero_there_is_none() -> None:
    amounts = [Decimal(50), Decimal(200), Decimal(0), Decimal(-10)]
    assert [bar("", one, max(amounts)).share for one in amounts] == [0.25, 1.0, 0.0, 0.0]
    assert bar("", Decimal(-10), Decimal(-10)).share == 0.0
    assert bar("", 0, 0).share == 0.0
