"""The generated data is what the page says, and close to what was asked for."""

import pytest

from tests.demo.generated_data import PAGE, PLOTS, page
from tests.demo.generated_figures import figures


@pytest.fixture(scope="module")
def found() -> dict[str, bool]:
    return {figure.name: figure.is_near for figure in figures()}


def test_every_figure_is_within_its_tolerance(found: dict[str, bool]) -> None:
    assert [name for name, is_near in found.items() if not is_near] == []


def test_the_page_says_what_is_generated() -> None:
    assert page() == PAGE.read_text(encoding="utf-8"), "run make docs-generated"


def test_the_plots_are_drawings_without_a_date() -> None:
    text = PLOTS.read_text(encoding="utf-8")

    assert text.count("<svg") == 1
    assert "dc:date" not in text
