"""A blend is published only where it beat popularity in a window that it had not seen."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from analytics import recommender_gate
from analytics.recommendation_lists import BLEND, POPULARITY
from analytics.recommender_gate import Judged, choose, judge
from tests.analytics.test_recommendation_lists import Row, done, table

WEEK = timedelta(days=7)
BEGINS = datetime(2026, 3, 22, tzinfo=UTC)


def shop(*, taste: float, seed: int = 1) -> pa.Table:
    """Return visits of four weeks: of 60 products, or with this chance of one kind of ten."""
    chance = random.Random(seed)
    parts: list[list[Row]] = []
    for visit in range(800):
        kind = chance.randrange(6)
        seen: dict[str, None] = {}
        for _ in range(4):
            of_kind, of_all = 10 * kind + chance.randrange(10), chance.randrange(60)
            seen[f"p{of_kind if chance.random() < taste else of_all:02}"] = None
        parts.append(done(f"v{visit}", f"s{visit}", *seen, day=visit % 28))
    return table(*parts)


def figures(judged: Judged) -> dict[tuple[str, str, int], float | None]:
    return {row[:3]: row[3] for row in judged.rows}


def test_a_blend_wins_where_people_have_taste_and_not_where_they_act_at_random() -> None:
    judged = judge(shop(taste=0.9), BEGINS, BEGINS + WEEK)
    found = figures(judged)
    assert found[BLEND, "recall", 20] > 1.5 * found[POPULARITY, "recall", 20]  # type: ignore[operator]
    assert judged.gain[0] == pytest.approx(
        found[BLEND, "recall", 20] - found[POPULARITY, "recall", 20]  # type: ignore[operator]
    )
    assert choose(POPULARITY, judged)[:2] == (BLEND, "published")
    at_random = judge(shop(taste=0.0), BEGINS, BEGINS + WEEK)
    assert choose(POPULARITY, at_random)[:2] == (POPULARITY, "kept")


def test_the_first_version_publishes_popularity_however_good_the_blend_is() -> None:
    chosen, status, reason = choose(None, judge(shop(taste=0.9), BEGINS, BEGINS + WEEK))
    assert (chosen, status) == (POPULARITY, "baseline")
    assert reason.startswith(
        "the first version publishes popularity; recall@20 of the blend less that of popularity is"
    )


@pytest.mark.parametrize(
    ("former", "gain", "expected"),
    [
        (POPULARITY, (0.1, 0.001, 0.2), (BLEND, "published")),
        (POPULARITY, (0.1, 0.0, 0.2), (POPULARITY, "kept")),
        (POPULARITY, (-0.1, -0.2, -0.01), (POPULARITY, "kept")),
        (POPULARITY, (None, None, None), (POPULARITY, "kept")),
        (BLEND, (0.1, 0.001, 0.2), (BLEND, "published")),
        (BLEND, (0.1, -0.1, 0.2), (BLEND, "kept")),
        (None, (0.1, 0.001, 0.2), (POPULARITY, "baseline")),
        (None, (None, None, None), (POPULARITY, "baseline")),
    ],
)
def test_the_former_stays_unless_the_interval_of_what_is_gained_lies_above_zero(
    former: str | None,
    gain: tuple[float | None, float | None, float | None],
    expected: tuple[str, str],
) -> None:
    judged = Judged(9, ((BLEND, "recall_over_popularity", 20, *gain),))
    assert choose(former, judged)[:2] == expected


@pytest.mark.parametrize(
    ("former", "uppers", "expected"),
    [
        (BLEND, (-0.01, -0.01), (POPULARITY, "withdrawn")),
        (BLEND, (0.01, -0.01), (BLEND, "kept")),
        (BLEND, (None, -0.01), (BLEND, "kept")),
        (BLEND, (-0.01, 0.0), (BLEND, "kept")),
        (BLEND, (-0.01, None), (BLEND, "kept")),
        (POPULARITY, (-0.01, -0.01), (POPULARITY, "kept")),
    ],
)
def test_a_blend_that_loses_beyond_chance_twice_in_a_row_is_withdrawn(
    former: str, uppers: tuple[float | None, float | None], expected: tuple[str, str]
) -> None:
    before, now = (
        Judged(9, ((BLEND, "recall_over_popularity", 20, upper, upper, upper),)) for upper in uppers
    )
    lost_before = recommender_gate.lost(before.rows)
    assert choose(former, now, lost_before=lost_before)[:2] == expected


@pytest.mark.parametrize(
    ("upper", "told"),
    [
        (-0.01, "popularity beat the blend: recall@20"),
        (0.0, "the blend did not beat popularity beyond chance: recall@20"),
    ],
)
def test_a_blend_that_lost_beyond_chance_is_told_from_one_that_did_not_win(
    upper: float, told: str
) -> None:
    judged = Judged(9, ((BLEND, "recall_over_popularity", 20, -0.1, -0.2, upper),))
    assert choose(POPULARITY, judged)[2].startswith(told)


def test_nothing_of_the_window_and_nothing_after_it_is_learned() -> None:
    rows = shop(taste=0.9)
    later = done("v", "later", *(f"p{number:02}" for number in range(60)), day=29)
    judged = judge(rows, BEGINS, BEGINS + WEEK)
    assert judge(pa.concat_tables([rows, table(later)]), BEGINS, BEGINS + WEEK) == judged
    # the same window, learned from: pairs that nothing before foretold would be foretold
    new = [done(f"v{n}", f"n{n}", f"a{n % 20}", f"b{n % 20}", day=22) for n in range(200)]
    unforeseen = judge(pa.concat_tables([rows, table(*new)]), BEGINS, BEGINS + WEEK)
    assert unforeseen.asked == judged.asked + 200
    before, after = figures(judged), figures(unforeseen)
    assert after[BLEND, "recall", 20] == pytest.approx(
        before[BLEND, "recall", 20] * judged.asked / unforeseen.asked  # type: ignore[operator]
    )


def test_a_window_without_visits_has_figures_without_values() -> None:
    judged = judge(shop(taste=0.9), BEGINS + 5 * WEEK, BEGINS + 6 * WEEK)
    assert judged.asked == 0
    assert {row[3:] for row in judged.rows} == {(None, None, None)}
    assert len({row[:3] for row in judged.rows}) == len(judged.rows) == 33
    assert judge(table(), BEGINS, BEGINS + WEEK) == judged


def test_of_many_visits_an_even_choice_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = shop(taste=0.9)
    all_asked = judge(rows, BEGINS, BEGINS + WEEK).asked
    monkeypatch.setattr(recommender_gate, "MOST_ASKED", 50)
    some = judge(rows, BEGINS, BEGINS + WEEK)
    assert 0.15 * all_asked < some.asked < 0.4 * all_asked
    assert choose(POPULARITY, some)[0] == BLEND


def test_the_blend_wins_a_week_of_a_real_shops_orders(shared_data: Path) -> None:
    rows = duckdb.sql(
        "SELECT 'purchase' AS kind, 'customer ' || CustomerID AS actor_key, CustomerID AS"
        " customer_id, NULL::VARCHAR AS session_id, InvoiceNo AS order_id, StockCode AS product_id,"
        " InvoiceDate::TIMESTAMPTZ AS occurred_at, 1.0::DOUBLE AS weight"
        f" FROM '{shared_data}/online_retail_*.parquet' WHERE Quantity > 0 AND UnitPrice > 0"
        " AND CustomerID IS NOT NULL AND InvoiceDate < '2011-01-20'"
    ).to_arrow_table()
    ends = datetime(2011, 1, 20, tzinfo=UTC)
    judged = judge(rows, ends - WEEK, ends)
    _, lower, _ = judged.gain
    assert lower is not None
    assert lower > 0.05
    assert choose(POPULARITY, judged)[:2] == (BLEND, "published")
