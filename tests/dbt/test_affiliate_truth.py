"""Verdicts on affiliates' clicks find the fraud that the demo planted, and spare the honest."""

from typing import Any

import pytest

from tests.dbt.affiliate_truth import PAGE, page, read
from tests.shops import Shop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(demo_shop: Shop) -> dict[str, list[tuple[Any, ...]]]:
    return read(demo_shop)


def test_the_page_of_fraud_is_what_the_demo_shows(
    found: dict[str, list[tuple[Any, ...]]],
) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(found)


def test_each_planted_kind_is_found_and_little_else(
    found: dict[str, list[tuple[Any, ...]]],
) -> None:
    kinds = {kind: figures for kind, *figures in found["kinds"]}
    assert set(kinds) == {"bot", "duplicate", "flood", "self", "valid"}
    for kind, (planted, given, right, _) in kinds.items():
        assert planted >= 10, kind
        assert right >= 0.95 * given, kind
        assert right >= 0.95 * planted, kind


def test_of_no_affiliates_valid_clicks_more_than_one_percent_is_held(
    found: dict[str, list[tuple[Any, ...]]],
) -> None:
    assert len(found["affiliates"]) > 5
    for affiliate, planted, held in found["affiliates"]:
        assert held <= 0.01 * planted, affiliate
