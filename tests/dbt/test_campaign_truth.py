"""What the pages say of campaigns is what the demo shop shows, whose truth is known."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.dbt.campaign_truth import (
    PAGE,
    WORTHLESS,
    Figures,
    Found,
    by_model,
    figure,
    misplaced,
    page,
    read,
    spearman,
)
from tests.shops import Shop

pytestmark = pytest.mark.slow


def test_equal_values_share_their_rank_and_the_interval_holds_the_value() -> None:
    # by hand: ranks 1.5 1.5 3 4 against 1 2 3 4
    tied, straight = np.array([1.0, 1, 2, 9]), np.array([0.0, 1, 5, 6])
    assert spearman(tied, straight) == pytest.approx(4.5 / 22.5**0.5)
    assert spearman(straight, -straight) == pytest.approx(-1)
    assert misplaced(np.array([3.0, 1]), np.array([2.0, 6])) == pytest.approx(0.5)
    credit = np.eye(4)[[0, 1, 1, 2, 2, 2, 3, 3, 3, 3] * 20]
    assert figure(spearman, credit, credit) == pytest.approx((1, 1, 1))
    value, low, high = figure(spearman, credit, credit[:, [1, 0, 2, 3]])
    assert value == pytest.approx(0.8)
    assert low <= value <= high
    value, low, high = figure(misplaced, credit, credit[:, [1, 0, 2, 3]])
    assert value == pytest.approx(0.1)
    assert low < value < high


@pytest.fixture(scope="module")
def found(demo_shop: Shop) -> Found:
    return read(demo_shop)


@pytest.fixture(scope="module")
def figures(found: Found) -> Figures:
    return by_model(found)


def test_the_page_of_attribution_and_the_truth_is_what_the_demo_shows(
    found: Found, figures: Figures
) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(found, figures)


def test_the_data_driven_models_beat_the_last_touch_where_budgets_can_be_moved(
    figures: Figures,
) -> None:
    assert len(figures) == 8
    last = figures["last_touch"]
    for model in ("markov", "shapley"):
        assert figures[model]["campaigns"] > last["campaigns"]
        assert figures[model]["misplaced"] < last["misplaced"]
    best = sorted(figures, key=lambda model: figures[model]["misplaced"])[:2]
    assert sorted(best) == ["markov", "shapley"]
    channels = {model: figures[model]["channels"][0] for model in figures}
    assert max(channels, key=lambda model: channels[model]) == "last_non_direct"


@pytest.fixture(scope="module")
def questions(repository: Path) -> dict[str, str]:
    """Return the query of each question of the page."""
    text = (repository / "docs" / "campaign.md").read_text(encoding="utf-8")
    return dict(
        re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?```sql\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    )


def test_every_question_has_one_query_and_the_demo_an_answer(
    demo_shop: Shop, questions: dict[str, str], repository: Path
) -> None:
    text = (repository / "docs" / "campaign.md").read_text(encoding="utf-8")
    assert len(questions) == text.count("\n## ") == text.count("```sql")
    unanswered = [asked for asked, query in questions.items() if not demo_shop.query(query)]
    assert unanswered == ["Did a figure that I reported change, and why?"]


def test_the_first_question_doubts_the_planted_campaign_and_no_other(
    demo_shop: Shop, questions: dict[str, str]
) -> None:
    query = questions["Which campaign should I stop?"]
    advice = {campaign: words.split(":")[0] for campaign, *_, words in demo_shop.query(query)}
    assert len(advice) == 10
    assert {campaign for campaign, words in advice.items() if words == "doubt"} == {WORTHLESS}
    assert "stop" not in advice.values()
