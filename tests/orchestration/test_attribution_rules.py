"""Mistakes in what a project says of attribution are told before anything is read."""

from pathlib import Path

import pytest

from extractors.errors import ConfigError
from orchestration import attribution_rules, dbt

HEADER = "rule_rank,rule_name,channel,valid_from,valid_to\n"


def problems(folder: Path, settings: str = "", rules: str = HEADER) -> list[str]:
    """Return what is said of a project with these settings and channel rules."""
    (folder / "seeds").mkdir()
    (folder / "seeds" / "channel_rules.csv").write_text(rules)
    (folder / "dbt_project.yml").write_text(f"vars: {{attribution_settings: [{settings}]}}\n")
    try:
        attribution_rules.read(folder)
    except ConfigError as error:
        return str(error).splitlines()
    return []


def test_the_shipped_project_has_no_mistake() -> None:
    assert set(attribution_rules.read(dbt.SHIPPED).rules) == set(attribution_rules.RULES)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            "{valid_from: 1900-01, lookback_day: 30}",
            "row 1: lookback_day is no setting; there are fit_days, group_by, half_life_days,"
            " lookback_days, markov_order, path_transform, position_first, position_last",
        ),
        (
            "{valid_from: 1900-01, lookback_days: soon}",
            "row 1: lookback_days is 'soon': use a whole number from 1 to 3650",
        ),
        (
            "{valid_from: 1900-01, markov_order: 4}",
            "row 1: markov_order is 4: use a whole number from 1 to 3",
        ),
        (
            "{valid_from: 1900-01, path_transform: last}",
            "row 1: path_transform is 'last': use exposure or unique or first or frequency",
        ),
        (
            "{valid_from: 1900-01, position_first: 60}, {valid_from: 2026-02, position_last: 50}",
            "row 2: position_first and position_last are 60 and 50: together at most 100 percent",
        ),
        (
            "{valid_from: 2026-01, fit_days: 30}",
            "row 1: valid_from is '2026-01': the first row holds from '1900-01'",
        ),
        (
            "{valid_from: 1900-01}, {valid_from: January}",
            "row 2: valid_from is 'January': write a month such as '2026-01'",
        ),
        (
            "{valid_from: 1900-01}, {valid_from: 2026-02}, {valid_from: 2026-02}",
            "row 3: valid_from '2026-02' does not follow '2026-02': each row begins in a later"
            " month than the one before it",
        ),
        ("30", "row 1: 30 is no row of settings, write {valid_from: …, …}"),
    ],
)
def test_a_mistake_in_the_settings_is_told_with_its_row_and_field(
    tmp_path: Path, settings: str, said: str
) -> None:
    assert problems(tmp_path, settings) == [f"dbt_project.yml: attribution_settings, {said}"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "20,b,c,,,9",
            "has another number of fields than the header; empty fields need commas",
        ),
        ("20,b", "has another number of fields than the header; empty fields need commas"),
        ("20,b,c,1 May,", "valid_from is '1 May': write a day such as 2026-01-31"),
        ("20,b,c,,2026-02-30", "valid_to is '2026-02-30': write a day such as 2026-01-31"),
        ("ten,b,c,,", "rule_rank is 'ten': write a whole number, lower ones go first"),
        ("10,b,c,,", "rule_rank 10 is that of line 2 too: give it its own"),
    ],
)
def test_a_mistake_in_the_rules_is_told_with_its_line_and_field(
    tmp_path: Path, row: str, said: str
) -> None:
    rules = f"{HEADER}10,a,c,,\n{row}\n"
    assert problems(tmp_path, rules=rules) == [f"seeds/channel_rules.csv:3: {said}"]
