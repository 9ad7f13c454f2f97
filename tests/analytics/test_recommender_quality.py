"""On real orders and clicks the recommenders are worth what the page says, and beat popularity."""

from pathlib import Path

from analytics.recommenders.evaluation import Outcome, differences
from tests.analytics.recommender_quality import PAGE, SEED, factor, figure, page


def lower(one: Outcome, other: Outcome, metric: str) -> float:
    """Return the lower end of by how much the first is better at 20."""
    end = figure(differences(one, other, SEED), metric, 20).lower
    assert end is not None
    return end


def test_the_page_says_what_recommenders_are_worth_and_they_beat_popularity(
    shared_data: Path,
) -> None:
    text, orders, clicks = page(shared_data)
    assert PAGE.read_text(encoding="utf-8") == text
    recent = orders["popularity, half-life 30 days"]
    for metric in ("recall", "mrr", "ndcg"):
        for name, result in orders.items():
            if name.startswith(("item-item", "user-user", "blend")):
                assert lower(result, recent, metric) > 0, f"{name}: {metric}"
        assert lower(clicks["item-item, cosine"], clicks["popularity"], metric) > 0
        assert lower(clicks["V-SKNN"], clicks["item-item, cosine"], metric) > 0
    assert factor(clicks["V-SKNN"], clicks["popularity"], "recall") > 2
    assert factor(clicks["V-SKNN"], clicks["popularity"], "mrr") > 3
