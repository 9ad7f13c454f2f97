"""The pairs that the demo shop planted are the first that its orders show."""

import re
from pathlib import Path

import duckdb
import pytest

from tests.shops import Shop

pytestmark = pytest.mark.slow

# By the likelihood ratio, ties by product: the rank of each planted pair, seen from both products.
RANKS = """
with ranked as (
    select
        product_id,
        other_product_id,
        row_number() over (
            partition by product_id order by llr desc, other_product_id
        ) as rank
    from build.recommendation.product_pairs
    where kind = ?
),

planted as (
    select product_id, other_product_id
    from truth.product_pairs
    union all
    select other_product_id, product_id
    from truth.product_pairs
)

select coalesce(ranked.rank, 1000000)
from planted
left join ranked using (product_id, other_product_id)
"""


@pytest.mark.parametrize(
    ("kind", "page_says"),
    [("co_purchase", r"(\d+) of the (\d+)\s+are the first"), ("co_cart", None)],
)
def test_planted_pairs_are_in_each_others_top_20(
    demo_shop: Shop, repository: Path, kind: str, page_says: str | None
) -> None:
    var = demo_shop.directory / "var"
    with duckdb.connect() as connection:
        connection.execute(f"attach '{var / 'build.duckdb'}' as build (read_only)")
        connection.execute(f"attach '{var / 'demo' / 'truth.duckdb'}' as truth (read_only)")
        ranks = [rank for (rank,) in connection.execute(RANKS, [kind]).fetchall()]
    assert len(ranks) == 24
    assert sum(rank <= 20 for rank in ranks) >= 0.95 * len(ranks)
    if page_says:
        page = (repository / "docs" / "explanation" / "product-pairs.md").read_text(
            encoding="utf-8"
        )
        stated = re.search(page_says, page)
        assert stated is not None
        assert [int(figure) for figure in stated.groups()] == [ranks.count(1), len(ranks)]
