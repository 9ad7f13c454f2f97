"""The warehouse's now."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractors.errors import ConfigError
from warehouse import clock


def test_the_system_clock_is_now_in_utc(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    moment = clock.now("system", tmp_path)
    assert before <= moment <= datetime.now(UTC)
    assert moment.tzinfo is UTC


def test_a_clock_file_beside_the_configuration_says_what_now_is(tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("2011-09-01T01:30:00+01:00\n")
    assert clock.now("clock", tmp_path) == datetime(2011, 9, 1, 0, 30, tzinfo=UTC)
    assert clock.now(tmp_path / "clock", Path("/elsewhere")).tzinfo is UTC


@pytest.mark.parametrize("text", ["", "yesterday", "2011-09-01T00:00:00", "2011-13-01T00:00:00Z"])
def test_a_clock_file_without_an_exact_instant_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "clock").write_text(text)
    with pytest.raises(ConfigError, match=r"clock file .*clock: .* is not an instant"):
        clock.now("clock", tmp_path)


def test_a_missing_clock_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"clock file .*nowhere: No such file"):
        clock.now("nowhere", tmp_path)


def test_a_clock_file_of_bytes_is_named(tmp_path: Path) -> None:
    (tmp_path / "clock").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not a text file"):
        clock.now("clock", tmp_path)
