"""The questions of docs/recommendation.md have answers in the demo, whose lists are popular."""

import re
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from analytics.recommender_gate import choose, judge
from orchestration.recommendations import ROWS
from tests.shops import Shop

pytestmark = pytest.mark.slow


def test_every_question_has_a_query_and_the_demo_an_answer(
    demo_shop: Shop, repository: Path
) -> None:
    text = (repository / "docs" / "recommendation.md").read_text(encoding="utf-8")
    questions = dict(
        re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?```sql\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    )
    assert len(questions) == text.count("\n## ") == text.count("```sql")
    assert [asked for asked, query in questions.items() if not demo_shop.query(query)] == []


def test_the_first_version_shows_what_is_popular_and_may_be_recommended(demo_shop: Shop) -> None:
    assert demo_shop.query(
        "select distinct status, recommender from recommendation.evaluation where is_published"
    ) == [("baseline", "popularity")]
    [(products, lists, shortest)] = demo_shop.query(
        "select (select count(*) from core.products), count(distinct product_id), min(length) from"
        " (select product_id, count(*) as length from recommendation.related_products group by all)"
    )
    assert (lists, shortest) == (products, 20)
    gone = demo_shop.query(
        "select distinct related_product_id from recommendation.related_products as lists"
        " inner join core.products on related_product_id = products.product_id where on_hand <= 0"
        " union all select distinct lists.product_id"
        " from recommendation.customer_recommendations as lists"
        " inner join core.products using (product_id) where on_hand <= 0"
        " union all select distinct product_id from recommendation.customer_recommendations"
        " semi join recommendation.interactions using (customer_id, product_id)"
    )
    assert gone == []


def test_status_says_in_one_line_which_recommender_is_live(demo_shop: Shop) -> None:
    lines = demo_shop.command("status").stdout.splitlines()
    [line] = [line for line in lines if line.startswith("recommender ")]
    assert line.startswith("recommender popularity (baseline): the first version publishes")
    choice = demo_shop.json("status")["recommender"]
    [(reason,)] = demo_shop.query("select distinct reason from recommendation.evaluation")
    assert (choice["recommender"], choice["reason"]) == ("popularity", reason)


def test_the_figures_are_those_of_the_published_interactions_and_the_demo_has_no_taste(
    demo_shop: Shop,
) -> None:
    with duckdb.connect(str(demo_shop.published), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.sql(ROWS).to_arrow_table()
        [(begins_at, ends_at)] = connection.execute(
            "SELECT DISTINCT CAST(window_start AS TIMESTAMP) AT TIME ZONE 'Europe/London',"
            " CAST(window_last_date + 1 AS TIMESTAMP) AT TIME ZONE 'Europe/London'"
            " FROM recommendation.evaluation"
        ).fetchall()
        published = connection.execute(
            "SELECT recommender, metric, k, value, lower, upper FROM recommendation.evaluation"
        ).fetchall()
    judged = judge(rows, begins_at, ends_at)
    assert sorted(judged.rows) == sorted(published)
    assert judged.asked > 1000
    # people there choose by popularity alone, but for a few pairs: an honest gate keeps it
    assert choose("popularity", judged)[:2] == ("popularity", "kept")
    earlier = judge(rows, begins_at - timedelta(days=7), begins_at)
    assert choose("popularity", earlier)[:2] == ("popularity", "kept")
