"""Days that are loaded one by one give what one run at their end gives."""

from pathlib import Path

import pytest

from tests.demo_shops import published
from tests.shops import differences

pytestmark = pytest.mark.slow

# A month of runs takes minutes: `make soak` makes it, `make test` a few days of it.
DAYS = [3, pytest.param(30, marks=pytest.mark.soak)]


@pytest.mark.parametrize("days", DAYS)
def test_a_run_after_each_day_publishes_what_one_run_at_the_end_publishes(
    days: int, tmp_path: Path
) -> None:
    with published(tmp_path, "--scale", "0.1") as daily:
        first = daily.current()
        for _ in range(days):
            daily.command("demo", "advance", "--days", "1")
            daily.command("run")
        last = daily.current()
        assert len(daily.versions()) == days + 1
        assert last["as_of"] > first["as_of"]
        assert last["tables"] != first["tables"]
        once = daily.sibling(tmp_path / "once")
        once.command("run", "--as-of", last["as_of"])
        assert differences(daily.published, once.published) == []
        assert last["tables"] == once.current()["tables"]
