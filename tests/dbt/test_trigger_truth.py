"""The trigger e-mails of the demo shop against the list that it planted."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from tests.dbt.trigger_truth import Judge, Judged
from tests.shops import Shop

pytestmark = pytest.mark.slow

PLANTED = """
select triggers.*, views.visitor_id, views.occurred_at as looked_at
from truth.triggers
inner join build.intermediate.int_core__session_events as views
    on triggers.evidence_id = views.event_id
order by triggers.kind, triggers.evidence_id
"""
LISTED = """
select kind, customer_id, product_id, evidence_id, evidence_at, due_at, expires_at
from {}
where {}
order by all
"""


@pytest.fixture(scope="module")
def known(demo_shop: Shop) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to the build database and the answers."""
    var = demo_shop.directory / "var"
    with duckdb.connect() as connection:
        connection.execute("load icu; set timezone = 'UTC'")
        connection.execute(f"attach '{var / 'build.duckdb'}' as build (read_only)")
        connection.execute(f"attach '{var / 'demo' / 'truth.duckdb'}' as truth (read_only)")
        yield connection


@pytest.fixture(scope="module")
def cases(known: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the planted cases with the visitor and the time of the look."""
    return known.sql(PLANTED).to_arrow_table().to_pylist()


def test_the_planted_people_have_the_planted_triggers_and_no_others(
    known: duckdb.DuckDBPyConnection,
) -> None:
    """Except for what is on sale and goes with what they bought, of which none is planted."""
    planted = known.execute(LISTED.format("truth.triggers", "true")).fetchall()
    theirs = (
        "kind <> 'on_sale_related' and (customer_id like 'T%'"
        " or evidence_id in (select evidence_id from truth.triggers))"
    )
    found = known.execute(LISTED.format("build.recommendation.email_triggers", theirs)).fetchall()
    assert len(planted) > 50
    assert found == planted


def test_each_planted_case_is_to_be_sent_or_not_for_the_reason_that_was_planted(
    demo_shop: Shop, known: duckdb.DuckDBPyConnection, cases: list[dict[str, Any]]
) -> None:
    compiled = demo_shop.directory / "var" / "dbt" / "target" / "compiled"
    judge = Judge(known, compiled, cases)
    wrong: list[tuple[str | None, list[Judged]]] = []
    for case in cases:
        expected = Judged(
            case["kind"],
            case["customer_id"],
            case["product_id"],
            case["evidence_id"],
            "suppressed" if case["reason"] else "due",
            case["reason"],
        )
        found = judge.of(case)
        if found != [expected]:
            wrong.append((case["reason"], found))
    assert wrong == []
    assert {case["reason"] for case in cases} == {
        *(None, "anonymous", "no_consent", "bought_since", "already_sent"),
        *("inactive_product", "out_of_stock", "expired", "daily_cap"),
    }
