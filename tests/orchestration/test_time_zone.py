"""The marts do not depend on the time zone of the machine that makes them."""

from pathlib import Path

import pytest

from tests.shops import Shop

pytestmark = [pytest.mark.slow, pytest.mark.drill]

# 12:45 or 13:45 ahead of UTC: a day made in it, or an instant read in it, shows.
FAR_AWAY = "Pacific/Chatham"


def test_a_run_in_another_time_zone_publishes_identical_tables(
    demo_shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = demo_shop.current()
    far_away = demo_shop.sibling(tmp_path / "far_away")
    monkeypatch.setenv("TZ", FAR_AWAY)
    monkeypatch.setenv("PGTZ", FAR_AWAY)
    far_away.command("run", "--as-of", expected["as_of"])
    assert far_away.current()["tables"] == expected["tables"]
    assert any(table["rows"] for table in expected["tables"] if table["schema"] == "core")
