"""Days that are loaded one by one give what one run at their end gives."""

from pathlib import Path

import pytest

from tests.shops import OF_HISTORY, Shop, differences, without_history

pytestmark = [pytest.mark.slow, pytest.mark.drill]

# A month of runs takes many minutes: `make soak` makes it, `make drill` its first days.
DAYS = [2, pytest.param(30, marks=pytest.mark.soak)]


@pytest.mark.parametrize("days", DAYS)
def test_a_run_after_each_day_publishes_what_one_run_at_the_end_publishes(
    days: int, tmp_path: Path
) -> None:
    daily = Shop(tmp_path)
    daily.command("demo", "up", "--scale", "0.1")
    try:
        for _ in range(days):
            daily.command("demo", "advance", "--days", "1")
            daily.command("run")
        last, *_, first = sorted(
            daily.versions(), key=lambda version: version["as_of"], reverse=True
        )
        once = daily.sibling(tmp_path / "once")
        once.command("run", "--as-of", last["as_of"])
        assert last["tables"] != first["tables"]
        assert last["version"] == f"v{days:06d}"
        if days > 7:
            # March became final on the way, by what was known then: both take what is known now.
            restated = ("--period", "2026-03", "--reason", "the month is over")
            for shop in (daily, once):
                shop.command("restate", *restated)
        assert differences(daily.published, once.published, OF_HISTORY) == []
        assert without_history(daily.current()) == without_history(once.current())
    finally:
        daily.command("demo", "down", "--delete")
