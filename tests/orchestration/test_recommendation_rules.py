"""Mistakes in what a project says of recommendations are told before anything is read."""

from pathlib import Path

import pytest

from extractors.errors import ConfigError
from orchestration import dbt, recommendation_rules

HEADER = "category,valid_from,reason\n"


def problems(folder: Path, rows: str) -> list[str]:
    """Return what is said of a project with these blocked categories."""
    (folder / "seeds").mkdir()
    (folder / "seeds" / "blocked_categories.csv").write_text(HEADER + rows)
    try:
        recommendation_rules.require_understood(folder)
    except ConfigError as error:
        return str(error).splitlines()
    return []


def test_the_shipped_project_and_one_without_the_seed_have_no_mistake(tmp_path: Path) -> None:
    assert (dbt.SHIPPED / recommendation_rules.BLOCKED).read_text() == HEADER
    recommendation_rules.require_understood(dbt.SHIPPED)
    recommendation_rules.require_understood(tmp_path)
    assert problems(tmp_path, 'knives,2026-01-31,"by law, no"\nwine,,not here\n') == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("wine,", "has another number of fields than the header; empty fields need commas"),
        ("wine,,law,", "has another number of fields than the header; empty fields need commas"),
        (",,law", "category is empty: write one as the catalogue does"),
        (" wine,,law", "category is ' wine': take the spaces around it away"),
        (
            "Knives,2026-02-01,law",
            "category is that of line 2 too: one row is enough, from the first day on",
        ),
        ("wine,1 May,law", "valid_from is '1 May': write a day such as 2026-01-31"),
        ("wine,2026-02-30,law", "valid_from is '2026-02-30': write a day such as 2026-01-31"),
        ("wine,, ", "reason is empty: say why nothing of 'wine' is recommended"),
    ],
)
def test_a_mistake_in_a_blocked_category_is_told_with_its_line_and_field(
    tmp_path: Path, row: str, said: str
) -> None:
    assert problems(tmp_path, f"knives,,law\n{row}\n") == [
        f"seeds/blocked_categories.csv:3: {said}"
    ]
