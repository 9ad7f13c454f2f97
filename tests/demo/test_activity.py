"""What visitors do: drawn once per order, cut at the clock, with the answers that belong to it."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyarrow import compute

from demo.activity import activity
from demo.items import rendered
from demo.orders import history_of
from demo.parameters import Parameters
from demo.tables import DYNAMODB_TABLES
from tests.demo.activity_shops import NOW, SHOP_ACTIVITY, ask, history, shop
from tests.demo.document_lines import made_lines

EARLIER = datetime(2026, 2, 20, 7, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
SESSION_EVENTS = """
select visitor_id, occurred_at::timestamptz as happened, 2 as rank, event_id, null as came
from product_events where sk like 'VIEW#' || occurred_at || '%'
union all
select visitor_id, occurred_at::timestamptz, 3, search_id, null
from searches where sk like 'SEARCH#' || occurred_at || '%'
union all
select visitor_id, occurred_at::timestamptz, 4, event_id, null
from cart_events where sk like 'CART#' || occurred_at || '%'
union all
select visitor_id, ordered_at, 6, order_id, null
from all_orders where visitor_id is not null and ordered_at < timestamptz '2026-04-01 00:00Z'
union all
select any_value(visitor_id), any_value(occurred_at)::timestamptz, 5, click_id, 'affiliate/'
from affiliate_clicks group by click_id
union all
select
    any_value(visitor_id),
    any_value(occurred_at)::timestamptz,
    1,
    event_id,
    any_value(channel || '/' || coalesce(campaign_id, ''))
from campaign_events where event_type in ('landing_view', 'link_click') group by event_id
"""


def visits_by_the_rule(events: list[tuple[Any, ...]]) -> set[frozenset[str]]:
    """Return the events of each visit, in plain loops."""
    found: list[list[str]] = []
    browser, last, came = "", datetime.min.replace(tzinfo=UTC), ""
    for visitor, happened, _, event_id, by in sorted(events, key=lambda event: event[:4]):
        silent = visitor != browser or happened - last > HALF_HOUR
        if silent or (by and by != came):
            found.append([])
            came = by or ""
        found[-1].append(event_id)
        browser, last = visitor, happened
    return {frozenset(visit) for visit in found}


def test_the_answers_hold_the_visits_that_the_rule_makes_of_the_events() -> None:
    parameters = Parameters(wrong_clocks=0)
    found, given = shop(parameters, 0.3), history(NOW, parameters, 0.3)
    by_rule = visits_by_the_rule(ask(SESSION_EVENTS, found, given))

    told: defaultdict[str, set[str]] = defaultdict(set)
    for session, event in ask("select session_id, event_id from true_events", found):
        told[session].add(event)
    planted = {frozenset(events) for events in told.values()}

    # Two visits on one browser that cross each other are told as one or two: some in a thousand.
    assert len(by_rule ^ planted) < 0.01 * len(by_rule)
    assert abs(len(by_rule) - len(planted)) < 0.003 * len(by_rule)
    assert ask("select count(*), sum(events), sum(clicks) from true_sessions", found) == ask(
        "select count(distinct session_id), count(*), count(case when event_id in"
        " (select event_id from product_events where event_type = 'view') then 1 end)"
        " from true_events",
        found,
    )


def test_a_later_clock_only_lets_more_happen() -> None:
    early = activity(history(EARLIER), 1, Parameters())
    late_history = history()
    again = activity(replace(late_history, now=EARLIER), 1, Parameters())

    for entity, table in early.items.items():
        assert table.equals(again.items[entity]), entity
    assert early.ad_spend.equals(again.ad_spend)
    assert early.campaigns.equals(again.campaigns)
    for name in ("orders", "effects", "visitors", "sessions", "events"):
        first, second = (
            table.sort_by([(column, "ascending") for column in table.column_names])
            for table in (early.truth[name], again.truth[name])
        )
        assert first.equals(second), name


def test_two_shops_of_one_seed_are_equal_and_of_another_differ() -> None:
    again = activity(history(), 1, Parameters())
    other = activity(history(), 2, Parameters())

    for entity, table in shop().items.items():
        assert table.equals(again.items[entity])
    mine, others = (
        {row[0] for row in ask("select event_id from product_events where sk not like '%#t%'", it)}
        for it in (shop(), other)
    )
    assert len(mine & others) < 0.05 * len(mine)


def test_nothing_is_in_the_stores_before_it_is_received() -> None:
    now = NOW.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    assert ask(f"select count(*) from campaign_events where received_at >= '{now}'", shop()) == [
        (0,)
    ]
    assert ask(f"select count(*) from product_events where occurred_at >= '{now}'", shop()) == [
        (0,)
    ]
    assert ask("select max(received_at) > '2026-03-31' from campaign_events", shop()) == [(True,)]


def test_each_tracked_order_ends_the_visit_that_buys() -> None:
    unended = ask(
        "select count(*) from true_events as ordered inner join true_sessions as visit"
        " using (session_id) inner join all_orders as orders on orders.order_id = ordered.event_id"
        " where ordered.entity = 'orders' and visit.events > 1"
        " and visit.ended_at < orders.ordered_at",
        shop(),
        history(),
    )

    assert unended == [(0,)]
    # Each of them was checked out before, by the person whose it is.
    [(orders, checked_out)] = ask(
        "select count(*), count(checkout.event_id) from true_events as ordered"
        " inner join true_orders on true_orders.order_id = ordered.event_id"
        " left join (select session_id, any_value(event_id) as event_id from true_events"
        "  where event_id in (select event_id from cart_events where action = 'checkout')"
        "  group by 1) as checkout using (session_id) where ordered.entity = 'orders'",
        shop(),
    )
    assert checked_out >= 0.98 * orders - 3


def test_a_cause_touches_its_order_before_it_and_the_worthless_campaign_is_none() -> None:
    found, given = shop(), history()

    assert ask(
        "select count(*) from true_orders where campaign_id <> '(none)' and not exists ("
        " select 1 from campaign_events as event inner join all_orders as orders"
        " on orders.order_id = true_orders.order_id"
        " where event.event_type = 'landing_view' and event.campaign_id = true_orders.campaign_id"
        " and event.occurred_at::timestamptz < orders.ordered_at"
        " and event.occurred_at::timestamptz > orders.ordered_at - interval 31 day)",
        shop(Parameters(wrong_clocks=0, late_events=0)),
        given,
    ) == [(0,)]
    [(exposures, caused, effect)] = ask(
        "select exposures, caused_orders, effect from true_effects"
        " where campaign_id = 'retargeting'",
        found,
    )
    assert (caused, effect) == (0, 0)
    assert exposures > 10
    [(share,)] = ask("select avg(cast(channel = '(none)' as integer)) from true_orders", found)
    assert 0.35 < share < 0.6


def test_repeated_deliveries_repeat_the_event_and_late_ones_come_within_three_days() -> None:
    found = shop(Parameters(duplicate_events=1, late_events=1, wrong_clocks=0), 0.05)

    rows = ask(
        "select count(distinct received_at), count(*), count(distinct columns(* exclude ("
        "event_id, received_at))) from campaign_events group by event_id",
        found,
    )
    delays = ask(
        "select min(epoch(received_at::timestamptz) - epoch(occurred_at::timestamptz)),"
        " max(epoch(received_at::timestamptz) - epoch(occurred_at::timestamptz))"
        " from campaign_events",
        found,
    )
    assert {row[0] for row in rows} <= {1, 2}
    assert sum(row[0] == 2 for row in rows) > 0.9 * len(rows)
    assert all(count <= 1 for row in rows for count in row[2:])
    [(least, most)] = delays
    assert least >= 300
    assert most < 3 * 86_400 + 631


def test_wrong_clocks_are_days_off() -> None:
    found = shop(Parameters(wrong_clocks=1, late_events=0), 0.05)

    [(ahead, behind, total)] = ask(
        "with off as (select epoch(occurred_at::timestamptz) - epoch(received_at::timestamptz) as s"
        " from campaign_events) select count(case when s > 86000 then 1 end),"
        " count(case when s < -7 * 86400 then 1 end), count(*) from off",
        found,
    )
    assert ahead + behind == total
    assert min(ahead, behind) > 0.4 * total


def test_every_type_of_dynamodb_occurs_and_one_attribute_has_two() -> None:
    lines = "\n".join(
        line
        for table, entities in {
            "shop_activity": SHOP_ACTIVITY,
            "campaign_events": ("campaign_events",),
            "affiliate_clicks": ("affiliate_clicks",),
        }.items()
        for line in rendered(
            [shop(scale=0.3).items[entity] for entity in entities], DYNAMODB_TABLES[table]
        )
        .column("item")
        .to_pylist()
    )

    for text in (
        *('"experiments":{"SS":["big-pictures","new-basket"]}', '"NS":["2","3.5","10"]'),
        *('"BS":["AQI=","/wD/"]', '"consent":{"B":"', '"results":{"L":[{"S":"', '{"NULL":true}'),
        *('"filters":{"M":{"colour"', '"is_bot":{"BOOL":false}', '"trace_id":{"N":"7'),
        *('"price_shown":{"N":"', '"price_shown":{"S":"GBP '),
    ):
        assert text in lines, text


def test_carts_of_strangers_are_forgotten_after_45_days() -> None:
    [(expired, left, others)] = ask(
        "select count(case when expires_at < epoch(timestamptz '2026-04-01 00:00Z') then 1 end),"
        " count(expires_at), count(case when expires_at is null and occurred_at < '2026-02-01'"
        " then 1 end) from cart_events",
        shop(),
    )

    assert expired == 0
    assert left > 0
    assert others > 0


def test_a_shop_that_knows_no_browser_has_no_visits_around_its_orders() -> None:
    found = shop(Parameters(tracked_made=0), 0.05)

    assert found.items["campaign_events"].num_rows == 0
    assert found.truth["orders"].num_rows == 0
    assert ask("select distinct customer_id[1] from product_events", found) in (
        [("T",)],
        [("T",), (None,)],
        [(None,), ("T",)],
    )


def test_the_ids_of_a_table_are_unique() -> None:
    for table, keys in {
        "product_events": "pk, sk",
        "campaign_events": "event_id, received_at",
    }.items():
        assert ask(f"select count(*) - count(distinct ({keys})) from {table}", shop()) == [(0,)]


@pytest.mark.parametrize("entity", ["product_events", "searches", "cart_events"])
def test_who_signed_in_is_the_person_of_the_visit(entity: str) -> None:
    key = "search_id" if entity == "searches" else "event_id"
    [(wrong, signed_in, anonymous)] = ask(
        f"select count(case when customer_id <> person then 1 end), count(customer_id),"
        f" count(case when customer_id is null then 1 end) from {entity} inner join true_events"
        f" on true_events.event_id = {entity}.{key}",
        shop(),
    )

    assert wrong == 0
    assert signed_in > 0
    assert anonymous > 0


def test_further_real_orders_change_no_earlier_event() -> None:
    parameters = Parameters(tracked_real=0.5)
    lines = made_lines(seed=1, scale=0.2)
    until = pa.scalar(datetime.fromisoformat("2026-02-20"), pa.timestamp("us"))
    first = lines.filter(compute.less(lines.column("invoiced_at"), until))

    early, late = (
        activity(history_of(given, first, now, None, 1, 1, parameters), 1, parameters)
        for given, now in ((first, EARLIER), (lines, NOW))
    )

    assert early.items["product_events"].num_rows > 1_000
    for entity, table in early.items.items():
        with duckdb.connect() as connection:
            connection.register("early_items", table)
            connection.register("late_items", late.items[entity])
            lost = connection.sql("from early_items except all from late_items").to_arrow_table()
        # What is forgotten with time is all that goes.
        expires = lost.column("expires_at").to_pylist() if entity == "cart_events" else []
        assert lost.num_rows == len(expires), entity
        assert all(expires), entity
    assert early.truth["triggers"].num_rows == late.truth["triggers"].num_rows == 0


def test_programs_say_what_they_are_in_all_their_events_or_in_none() -> None:
    events = """
        with named as (
            select visitor_id, any_value(is_bot) as is_bot, any_value(user_agent) as agent,
                count(distinct coalesce(user_agent, '')) as agents,
                bool_or(event_type <> 'impression') as came
            from campaign_events group by visitor_id
        )
        select
            max(agents),
            count(*) filter (is_bot and agent like 'python-requests%') > 0,
            count(*) filter (is_bot and agent like 'Mozilla%') > 0,
            count(*) filter (not is_bot and agent like 'python-requests%'),
            count(*) filter (agent like '%Googlebot%' and not came) > 10,
            count(*) filter (agent like '%Googlebot%' and (came or is_bot)),
            count(*) filter (agent is null) > 10
        from named
    """
    assert ask(events, shop()) == [(1, True, True, 0, True, 0, True)]
