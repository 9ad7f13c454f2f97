"""Who the demo shop's visitors are, and their sessions, against the answers that it planted."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.shops import Shop

pytestmark = pytest.mark.slow

# The entity of the answer file that each source of visitors' events is.
ENTITIES = (
    *((1, "campaign_events"), (2, "product_events"), (3, "searches")),
    *((4, "cart_events"), (5, "affiliate_clicks"), (6, "orders")),
)
# One row per event of a visit: whose the pipeline takes it for, whom it names itself, whose it is.
# A person whose accounts were merged is the survivor.
EVENTS = f"""
create temp table events as
select
    named.source_rank,
    named.visitor_id,
    named.customer_id is null as is_anonymous,
    resolved.customer_id as found,
    coalesce(accounts.merged_into, answers.person) as truth,
    accounts.merged_into is not null as is_merged,
    session_events.session_id,
    answers.session_id as true_session_id
from build.intermediate.int_core__visitor_events as named
inner join build.intermediate.int_core__resolved_events as resolved
    using (source_rank, event_id)
inner join build.intermediate.int_core__session_events as session_events
    using (source_rank, event_id)
inner join (values {", ".join(map(str, ENTITIES))}) as entities (source_rank, entity)
    using (source_rank)
inner join truth.events as answers using (entity, event_id)
left join truth.accounts as accounts on answers.person = accounts.customer_id
"""
# What is true of visits, without those of visitors that were taken for programs.
PEOPLE = """
create temp table people_sessions as
select * from truth.sessions
where visitor_id not in (select visitor_id from build.staging.base_campaign__bot_visitors)
"""
QUANTILES = "quantile_disc({}, [0.5, 0.9, 0.99])"


@pytest.fixture(scope="module")
def known(demo_shop: Shop) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to the build database, the answers, and `events` of both."""
    var = demo_shop.directory / "var"
    with duckdb.connect() as connection:
        connection.execute("load icu; set timezone = 'UTC'")
        connection.execute(f"attach '{var / 'build.duckdb'}' as build (read_only)")
        connection.execute(f"attach '{var / 'demo' / 'truth.duckdb'}' as truth (read_only)")
        connection.execute(EVENTS)
        connection.execute(PEOPLE)
        yield connection


def one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[float, ...]:
    [row] = connection.execute(query).fetchall()
    return row


def test_the_visits_events_are_those_that_were_planted(known: duckdb.DuckDBPyConnection) -> None:
    [planted] = one_row(
        known, "select count(*) from truth.events inner join people_sessions using (session_id)"
    )
    [found] = one_row(known, "select count(*) from events")
    [there] = one_row(
        known,
        "select count(*) from build.intermediate.int_core__session_events where source_rank < 6",
    )
    assert found == planted
    assert (there,) == one_row(known, "select count(*) from events where source_rank < 6")
    ranks = known.execute("select distinct source_rank from events order by 1").fetchall()
    assert [rank for (rank,) in ranks] == [rank for rank, _ in ENTITIES]


def test_nobody_is_taken_for_a_program_who_is_none(
    known: duckdb.DuckDBPyConnection, repository: Path
) -> None:
    persons, programs, found = one_row(
        known,
        """
        select
            count(*) filter (not is_bot and programs.visitor_id is not null),
            count(*) filter (is_bot),
            count(*) filter (is_bot and programs.visitor_id is not null)
        from truth.sessions
        left join build.staging.base_campaign__bot_visitors as programs using (visitor_id)
        """,
    )
    assert persons == 0
    page = (repository / "docs" / "explanation" / "who-visitors-are.md").read_text()
    stated = re.search(r"([\d.]+) % of the visits of programs are\s+found", page)
    assert stated is not None
    assert 100 * found / programs == pytest.approx(float(stated[1]), abs=1)
    reasons = known.execute(
        "select distinct bot_reason from build.staging.stg_campaign__events where is_bot order by 1"
    ).fetchall()
    assert {reason for (reason,) in reasons} >= {"crawler", "flagged"}


def test_the_rules_alone_find_the_channel_that_the_shop_sent(
    known: duckdb.DuckDBPyConnection,
) -> None:
    wrong, right = one_row(
        known,
        """
        select
            count(*) filter (rules.channel is distinct from events.given_channel),
            count(*) filter (rules.channel = events.given_channel)
        from build.staging.base_campaign__tagged_events as events
        left join build.staging.base_campaign__channels as rules
            on coalesce(events.source_tag, '') = rules.source_tag
            and coalesce(events.medium_tag, '') = rules.medium_tag
            and coalesce(events.campaign_tag, '') = rules.campaign_tag
            and coalesce(events.referrer_host, '') = rules.referrer_host
            and events.parameter_names = rules.parameter_names
        where events.given_channel is not null
        """,
    )
    assert wrong == 0
    assert right > 10_000


def test_no_event_on_a_shared_device_is_given_to_the_wrong_customer(
    known: duckdb.DuckDBPyConnection,
) -> None:
    devices, anonymous, wrong = one_row(
        known,
        """
        with shared as (
            select visitor_id
            from events
            where not is_anonymous
            group by visitor_id
            having count(distinct truth) > 1
        )
        select
            count(distinct visitor_id),
            count(*) filter (is_anonymous and truth is not null),
            count(*) filter (found <> truth or (found is not null and truth is null))
        from events
        inner join shared using (visitor_id)
        """,
    )
    assert wrong == 0
    assert devices > 2
    assert anonymous > 100


def test_the_events_of_merged_accounts_are_the_survivors(
    known: duckdb.DuckDBPyConnection,
) -> None:
    named, wrong = one_row(
        known,
        "select count(*), count(*) filter (found is distinct from truth) from events"
        " where is_merged and not is_anonymous",
    )
    assert named > 10
    assert wrong == 0


@pytest.mark.parametrize("events", ["all events", "anonymous events"])
def test_precision_and_recall_are_those_that_the_page_states(
    known: duckdb.DuckDBPyConnection, repository: Path, events: str
) -> None:
    condition = "is_anonymous" if events == "anonymous events" else "true"
    right, given, persons = one_row(
        known,
        "select count(*) filter (found = truth), count(found), count(truth)"
        f" from events where {condition}",
    )
    page = (repository / "docs" / "explanation" / "who-visitors-are.md").read_text()
    stated = re.search(rf"\| {events} \| ([\d.]+) % \| ([\d.]+) % \|", page)
    assert stated is not None
    precision, recall = (float(figure) for figure in stated.groups())
    assert 100 * right / given == pytest.approx(precision, abs=0.1)
    assert 100 * right / persons == pytest.approx(recall, abs=1)


def test_sessions_are_as_many_and_as_long_as_those_that_were_planted(
    known: duckdb.DuckDBPyConnection,
) -> None:
    (planted_clicks, planted_events, planted), (clicks, events, count) = (
        known.execute(
            f"select {QUANTILES.format(of_clicks)}, {QUANTILES.format(of_events)}, count(*)"
            f" from {table}"
        ).fetchall()[0]
        for table, of_clicks, of_events in (
            ("people_sessions", "clicks", "events"),
            ("build.core.sessions", "product_view_count", "event_count"),
        )
    )
    assert count == pytest.approx(planted, rel=0.01)
    assert clicks == pytest.approx(planted_clicks, abs=1)
    assert events == pytest.approx(planted_events, abs=1)


def test_sessions_hold_the_events_that_were_planted_together(
    known: duckdb.DuckDBPyConnection,
) -> None:
    """Only a click whose browser tells a wrong time may stand in another session."""
    pairs, true_sessions, sessions = one_row(
        known,
        "select count(distinct (session_id, true_session_id)), count(distinct true_session_id),"
        " count(distinct session_id) from events",
    )
    assert pairs <= 1.01 * true_sessions
    assert pairs <= 1.01 * sessions
