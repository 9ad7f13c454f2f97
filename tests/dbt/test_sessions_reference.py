"""Sessions and identity equal plain loops on 1,000 random streams, however these arrived."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.dbt.build import Build
from tests.dbt.random_streams import AS_OF, KEYS, Arrival, arrivals, load, shuffled
from tests.dbt.raw_tables import create_raw
from tests.dbt.reference import Event, described, events_of, resolved, sessions_of
from tests.dbt.streams import Row
from warehouse.engines.duckdb_snapshot import content_hash

pytestmark = pytest.mark.slow

STREAMS, SEED = 1_000, 20261121
TABLES = (
    ("core", "sessions"),
    ("intermediate", "int_core__session_events"),
    ("intermediate", "int_core__resolved_events"),
)


def scratch(folder: Path) -> Build:
    build = Build(folder / "build.duckdb", folder / "target", AS_OF.isoformat()[:19] + "Z")
    with build.connect() as connection:
        create_raw(connection)
    return build


def arrive(build: Build, rows: list[Arrival], position: int) -> None:
    with build.connect() as connection:
        load(connection, rows, position)
    kinds = ("--resource-type", "model", "--resource-type", "seed")
    ended = build.dbt("build", "--select", "+core__sessions", *kinds)
    assert ended.returncode == 0, ended.stdout


@pytest.fixture(scope="module")
def rows() -> list[Arrival]:
    return arrivals(STREAMS, SEED)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, rows: list[Arrival]) -> Build:
    """Build all streams at once."""
    build = scratch(tmp_path_factory.mktemp("streams"))
    arrive(build, rows, 1)
    return build


@pytest.fixture(scope="module")
def events(rows: list[Arrival]) -> list[Event]:
    """Return the streams' events in order, with the customers that the reference finds."""
    latest: dict[tuple[str, ...], Arrival] = {}
    for one in sorted(rows, key=lambda row: row.version):
        latest[(one.table, *(one.row[name] for name in KEYS[one.table]))] = one
    raw: dict[str, list[Row]] = {table: [] for table in KEYS}
    for one in latest.values():
        if not one.row.get("_deleted_at"):
            raw[one.table].append(one.row)
    return resolved(events_of(raw, AS_OF))


def named(events: Iterable[Event]) -> frozenset[tuple[int, str]]:
    return frozenset((event.rank, event.name) for event in events)


def test_each_event_belongs_to_the_customer_that_a_plain_loop_over_sign_ins_finds(
    built: Build, events: list[Event]
) -> None:
    found = built.rows(
        "select source_rank, event_id, customer_id from intermediate.int_core__resolved_events"
    )
    expected = {(one.rank, one.name): one.customer for one in events if one.key}
    assert {(rank, name): customer for rank, name, customer in found} == expected
    told = [one for one in events if one.key and one.customer]
    assert len({one.visitor for one in told}) > STREAMS


def test_a_shared_device_merges_no_two_customers(built: Build) -> None:
    """What an event names stays; what it does not name is given to one who was there alone."""
    assert built.rows(
        """
        select count(*) from intermediate.int_core__visitor_events as named
        inner join intermediate.int_core__resolved_events as resolved using (source_rank, event_id)
        where named.customer_id <> resolved.customer_id
            or (named.customer_id is not null and resolved.customer_id is null)
        """
    ) == [(0,)]
    [(given, shared, wrong)] = built.rows(
        """
        with named as (
            select * from intermediate.int_core__visitor_events where visitor_id is not null
        ),

        given as (
            select resolved.*
            from intermediate.int_core__resolved_events as resolved
            inner join named using (source_rank, event_id)
            where named.customer_id is null and resolved.customer_id is not null
        )

        select
            count(distinct (given.source_rank, given.event_id)),
            count(distinct given.visitor_id) filter (others.event_id is not null),
            count(*) filter (
                abs(epoch(others.occurred_at) - epoch(given.occurred_at)) <= 30 * 86400
            )
        from given
        left join named as others
            on given.visitor_id = others.visitor_id and given.customer_id <> others.customer_id
        """
    )
    assert wrong == 0
    assert given > 1_000
    assert shared > 10


def test_events_that_name_nobody_are_left_out_and_counted(
    built: Build, events: list[Event]
) -> None:
    nobody = named(one for one in events if not one.key)
    found = built.rows(
        "select source_rank, event_id from intermediate.int_core__visitor_events"
        " where visitor_key is null"
    )
    assert set(found) == nobody
    assert len(nobody) > STREAMS


def test_what_programs_did_is_left_out(built: Build, rows: list[Arrival]) -> None:
    named = {row.row["event_id"] for row in rows if row.row.get("is_bot")}
    reasons = built.rows(
        "select bot_reason, count(*), count(distinct visitor_id) from staging.stg_campaign__events"
        " where is_bot group by 1 order by 1"
    )
    assert [reason for reason, *_ in reasons] == ["flagged", "rate"]
    assert len(named) > 50
    assert built.rows(
        "select count(*) from intermediate.int_core__visitor_events inner join"
        " staging.base_campaign__bot_visitors using (visitor_id)"
    ) == [(0,)]


def test_each_session_equals_that_of_a_plain_loop_over_events(
    built: Build, events: list[Event]
) -> None:
    sessions = sessions_of(events)
    members: dict[str, set[tuple[int, str]]] = {}
    for session_id, rank, name in built.rows(
        "select session_id, source_rank, event_id from intermediate.int_core__session_events"
    ):
        members.setdefault(session_id, set()).add((rank, name))
    found = {
        frozenset(members[session_id]): tuple(facts)
        for session_id, *facts in built.rows(
            "select session_id, visitor_id, customer_id, channel, campaign_id, landing_page,"
            " started_at, ended_at, session_date, event_count, product_view_count, search_count,"
            " cart_event_count, order_count, affiliate_click_count, wishlist_count, is_cut"
            " from core.sessions"
        )
    }
    assert found == {named(session): described(session) for session in sessions}
    assert len(sessions) > 5 * STREAMS
    parts = [session[0] for session in sessions if session[0].is_part]
    assert len(parts) > 10
    assert {part.origin for part in parts} > {("", "")}


def test_the_order_in_which_events_arrived_changes_nothing(
    built: Build, rows: list[Arrival], tmp_path: Path
) -> None:
    other = scratch(tmp_path)
    first, *later = shuffled(rows, 4, SEED)
    arrive(other, first, 1)
    assert other.rows("select count(*) > 1000 from core.sessions") == [(True,)]
    with other.connect() as connection:
        for position, part in enumerate(later[:-1], start=2):
            load(connection, part, position)
    arrive(other, later[-1], 9)
    with built.connect() as one, other.connect() as two:
        for schema, table in TABLES:
            assert content_hash(one, schema, table) == content_hash(two, schema, table), table
