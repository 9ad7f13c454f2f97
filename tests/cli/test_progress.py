"""The lines of progress."""

import pytest

from cli.progress import Reporter, line_of
from orchestration.progress import Event


def test_a_line_says_rows_rate_and_time() -> None:
    assert line_of(Event("extract", "shop.orders", rows=30_000), 2.0) == (
        "extract  shop.orders: 30,000 rows, 15,000/s, 2.0 s"
    )
    assert line_of(Event("build", "dbt", "building"), 0.0) == "build    dbt: building"
    assert line_of(Event("load", "shop.orders", rows=0), 0.05) == "load     shop.orders: 0 rows"
    assert line_of(Event("audit", "marts"), 0.0) == "audit    marts"


def test_elsewhere_than_on_a_terminal_a_subject_has_a_first_and_a_last_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reporter = Reporter(moving=False)
    reporter.tell(Event("extract", "shop.orders", "reading"))
    for rows in range(1000):
        reporter.tell(Event("extract", "shop.orders", rows=rows))
    reporter.tell(Event("extract", "shop.orders", rows=1000, done=True))
    reporter.close()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [line.split(":")[0] for line in printed.err.splitlines()] == ["extract  shop.orders"] * 2
    assert "1,000 rows" in printed.err


def test_on_a_terminal_one_line_moves_and_is_taken_away(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reporter = Reporter(moving=True)
    reporter.tell(Event("extract", "shop.orders", rows=1))
    reporter.tell(Event("extract", "shop.orders", rows=2))
    reporter.tell(Event("extract", "shop.orders", rows=2, done=True))
    reporter.close()
    printed = capsys.readouterr().err
    assert printed.count("\r") == 3
    # click leaves the escape that clears the line out of what is captured.
    assert printed.endswith("\rextract  shop.orders: 2 rows\n")
