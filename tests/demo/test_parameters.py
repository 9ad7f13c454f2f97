"""The figures of the shop can be changed by a file, and a wrong file is refused in one line."""

from pathlib import Path

import pytest

from demo.parameters import Parameters, read
from extractors.errors import ConfigError


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "figures.yml"
    path.write_text("late_events: 0\nsession_clicks: [[0, 1], [0.5, 2], [1, 9]]\n")

    assert read(path).as_dict() == Parameters().as_dict() | {
        "late_events": 0.0,
        "session_clicks": [[0.0, 1.0], [0.5, 2.0], [1.0, 9.0]],
    }


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "figures.yml"
    path.write_text("# as measured\n")

    assert read(path) == Parameters()


def test_parameters_survive_being_written_down() -> None:
    changed = Parameters(bots=0.5, browsing_peak_hour=3)

    assert Parameters.of(changed.as_dict(), "shop.json") == changed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shipping: 1", "unknown parameter shipping; known are bots, "),
        ("late_event: 1", "unknown parameter late_event; did you mean late_events? known are bots"),
        ("bots: 2", "bots is 2, not a number from 0 to 1"),
        ("bots: true", "bots is True, not a number from 0 to 1"),
        ("bots: .nan", "bots is nan, not a number from 0 to 1"),
        ("click_through: 0", "click_through is 0, not a number from 0 to 1, and not 0"),
        ("product_pairs: 1.5", "product_pairs is 1.5, not a whole number of 0 or more"),
        ("order_peak_hour: 24", "order_peak_hour is 24, not an hour from 0 to 23"),
        ("session_clicks: [[0, 4], [1, 2]]", "not a list of [share, value]"),
        ("session_clicks: [[0.1, 1], [1, 2]]", "not a list of [share, value]"),
        ("session_clicks: 4", "not a list of [share, value]"),
        ("commission_lowest: 0.5", "commission_lowest is above commission_highest"),
        ("- bots", "not a mapping"),
        ("bots: [", "not YAML"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "figures.yml"
    path.write_text(f"{text}\n")

    with pytest.raises(ConfigError) as caught:
        read(path)

    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yml: No such file"):
        read(tmp_path / "nowhere.yml")
