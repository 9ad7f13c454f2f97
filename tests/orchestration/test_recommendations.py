"""Which recommender is published is decided once a window, and kept in state."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from analytics.recommendation_lists import BLEND, POPULARITY
from extractors.package import utc_text
from orchestration import recommendations
from tests.analytics.test_recommendation_lists import done, table
from tests.analytics.test_recommender_gate import BEGINS, WEEK, shop
from warehouse.publish import recommender_choices
from warehouse.publish.recommender_choices import Choice
from warehouse.state import segments

Choices = dict[date, Choice]


@pytest.fixture
def build() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a build database in which people have taste."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE SCHEMA recommendation; CREATE SCHEMA intermediate")
        fill(connection, shop(taste=0.9))
        connection.execute(
            "CREATE TABLE intermediate.int_recommendation__products AS SELECT DISTINCT product_id,"
            " product_id <> 'p07' AS is_recommendable FROM recommendation.interactions;"
            "CREATE TABLE intermediate.int_recommendation__customer_exclusions AS"
            " SELECT 'c1' AS customer_id, 'p08' AS product_id;"
            "CREATE SCHEMA staging; CREATE TABLE staging.stg_shop__customers AS SELECT DISTINCT"
            " customer_id, CAST(NULL AS VARCHAR) AS merged_into FROM recommendation.interactions"
            " WHERE customer_id IS NOT NULL"
        )
        yield connection


def fill(connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> None:
    rows = pa.concat_tables([rows, table(done("c1", "mine", "p00", "p01"))])
    connection.register("told", rows)
    connection.execute("CREATE OR REPLACE TABLE recommendation.interactions AS FROM told")


def solved(
    connection: duckdb.DuckDBPyConnection, kept: Choices, ends: datetime = BEGINS + WEEK
) -> Choice:
    """Solve everything for a window, and return the choice that was built."""
    connection.execute(
        "CREATE OR REPLACE TABLE intermediate.int_recommendation__terms AS SELECT"
        " ?::DATE AS window_start, ?::DATE AS window_end, ?::TIMESTAMPTZ AS begins_at,"
        " ?::TIMESTAMPTZ AS ends_at, false AS is_bought_again",
        [(ends - WEEK).date(), ends.date(), ends - WEEK, ends],
    )
    for name in recommendations.SOLVED:
        recommendations.solve(connection, name, kept)
    choice = recommender_choices.built(connection)
    assert choice is not None
    return choice


def recommenders(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the recommenders that the lists are of."""
    found = connection.execute(
        "SELECT recommender FROM solved.related_products UNION"
        " SELECT recommender FROM solved.customer_recommendations"
    ).fetchall()
    return {name for (name,) in found}


def publish(state: Path, kept: Choices, made: Choice, at: datetime) -> Choices:
    """Write the choice of a version into state as a publication does, and read state again."""
    after = recommender_choices.with_built(kept, made)
    new = recommender_choices.records(kept, after, datetime(2026, 3, 30, tzinfo=UTC))
    segments.append(
        state, [{**record, "published_at": utc_text(at), "version": "v"} for record in new]
    )
    return recommender_choices.choices(state)


def test_popularity_is_published_first_and_the_blend_when_it_has_won_a_window(
    build: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    assert recommender_choices.newest(tmp_path, date(2026, 3, 29)) is None
    first = solved(build, {}, BEGINS)
    assert (first.chosen, first.status) == (POPULARITY, "baseline")
    assert recommenders(build) == {POPULARITY}
    kept = publish(tmp_path, {}, first, datetime(2026, 3, 22, 1, tzinfo=UTC))
    second = solved(build, kept)
    assert (second.chosen, second.status) == (BLEND, "published")
    assert second.window_end == date(2026, 3, 29)
    assert recommenders(build) == {BLEND}
    kept = publish(tmp_path, kept, second, datetime(2026, 3, 29, 1, tzinfo=UTC))
    for later in (date(2026, 3, 29), date(2026, 4, 4), date(2026, 4, 20)):
        assert recommender_choices.newest(tmp_path, later) == second
    # readers see an earlier version again after a rollback
    assert recommender_choices.newest(tmp_path, date(2026, 3, 28)) == first
    # a rebuild of what was known at the first version chooses as that did
    known = recommender_choices.choices(tmp_path, datetime(2026, 3, 22, 1, tzinfo=UTC))
    assert known == {date(2026, 3, 22): first}
    assert solved(build, known, BEGINS) == first


def test_a_window_is_judged_once_whatever_comes_in_late(
    build: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    kept = publish(tmp_path, {}, solved(build, {}, BEGINS), datetime(2026, 3, 22, 1, tzinfo=UTC))
    second = solved(build, kept)
    fill(build, shop(taste=0.0))
    assert solved(build, kept) != second  # nothing was published yet: it is judged anew
    kept = publish(tmp_path, kept, second, datetime(2026, 3, 29, 1, tzinfo=UTC))
    assert solved(build, kept) == second
    assert (
        recommender_choices.records(kept, recommender_choices.with_built(kept, second), BEGINS)
        == []
    )


def test_the_former_recommender_stays_where_the_blend_does_not_win(
    build: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    fill(build, shop(taste=0.0))
    kept = publish(tmp_path, {}, solved(build, {}, BEGINS), datetime(2026, 3, 22, 1, tzinfo=UTC))
    second = solved(build, kept)
    assert (second.chosen, second.status) == (POPULARITY, "kept")
    assert second.reason.startswith("the blend did not beat popularity beyond chance: recall@20")
    # in a later window nobody comes: what won before stays
    won = Choice(second.window_start, second.window_end, BLEND, "published", "it won", 9, ())
    later = solved(build, {**kept, won.window_end: won}, BEGINS + 6 * WEEK)
    assert (later.chosen, later.status, later.asked) == (BLEND, "kept", 0)
    # an earlier tick goes on from what was live before it
    earlier = solved(build, {won.window_end: won}, BEGINS)
    assert (earlier.chosen, earlier.status) == (POPULARITY, "baseline")


def test_solved_lists_hold_only_what_may_be_shown(build: duckdb.DuckDBPyConnection) -> None:
    solved(build, {BEGINS.date() - timedelta(days=1): _won()})
    for query in (
        "SELECT related_product_id FROM solved.related_products",
        "SELECT product_id FROM solved.customer_recommendations",
    ):
        shown = {name for (name,) in build.execute(query).fetchall()}
        assert len(shown) > 15
        assert "p07" not in shown
    mine = build.execute(
        "SELECT product_id FROM solved.customer_recommendations WHERE customer_id = 'c1'"
    ).fetchall()
    assert len(mine) == 20
    assert not {"p00", "p01", "p08"} & {name for (name,) in mine}


@pytest.mark.parametrize(
    "leaves",
    [
        "DELETE FROM staging.stg_shop__customers WHERE customer_id = 'c1'",
        "UPDATE staging.stg_shop__customers SET merged_into = 'gone' WHERE customer_id = 'c1'",
    ],
)
def test_who_is_no_customer_of_the_shop_any_more_has_no_list_and_is_in_none(
    build: duckdb.DuckDBPyConnection, leaves: str
) -> None:
    others = table(done("c2", "theirs", "p00", "p01"), done("c3", "hers", "p00", "p01"))
    fill(build, pa.concat_tables([shop(taste=0.9), others]))
    build.execute("INSERT INTO staging.stg_shop__customers VALUES ('c2', NULL), ('c3', NULL)")
    found: list[tuple[Any, ...]] = []
    for change in ("SELECT 1", leaves):
        build.execute(change)
        solved(build, {})
        [told] = build.execute(
            "SELECT (SELECT list(DISTINCT customer_id) FROM solved.customer_recommendations),"
            " (SELECT list(customer_id || ' ' || other_customer_id)"
            " FROM solved.customer_neighbours),"
            " (SELECT list(r ORDER BY product_id, rank) FROM solved.related_products AS r)"
        ).fetchall()
        found.append(told)
    before, after = found
    assert sorted(before[0]) == ["c1", "c2", "c3"]
    assert sorted(before[1]) == ["c1 c2", "c1 c3", "c2 c1", "c2 c3", "c3 c1", "c3 c2"]
    assert sorted(after[0]) == ["c2", "c3"]
    assert sorted(after[1]) == ["c2 c3", "c3 c2"]
    # what they did says as before what goes with what
    assert len(after[2]) > 10
    assert after[2] == before[2]


def test_lists_are_made_again_when_a_choice_was_recorded_and_not_otherwise() -> None:
    won = _won()
    texts: list[dict[str, Any]] = [
        recommendations.texts(kept) for kept in ({}, {won.window_end: won}, {won.window_end: won})
    ]
    assert texts[0] == {"recommender_evaluation": ""}
    assert texts[1] == texts[2] != texts[0]


def _won() -> Choice:
    return Choice(date(2026, 3, 1), date(2026, 3, 8), BLEND, "published", "it won", 9, ())
