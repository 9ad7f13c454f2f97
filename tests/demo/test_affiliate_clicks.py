"""Clicks on affiliates' links: each kind of fraud is what its name says."""

from tests.demo.activity_shops import ask, history, shop

CLICKS = """
with clicks as (
    select distinct on (click_id)
        item.*, truth.kind, item.occurred_at::timestamptz as happened
    from affiliate_clicks as item
    inner join true_affiliate_clicks as truth using (click_id)
    order by click_id, received_at
)
"""


def test_every_kind_occurs_and_each_received_click_is_told_once() -> None:
    found = shop(scale=0.3)

    assert ask("select distinct kind from true_affiliate_clicks order by 1", found) == [
        *[("bot",), ("duplicate",), ("flood",), ("honest",), ("self",)]
    ]
    assert ask(
        "select count(*), count(distinct click_id) from true_affiliate_clicks", found
    ) == ask(
        "select count(distinct click_id), count(distinct click_id) from affiliate_clicks", found
    )


def test_honest_clicks_begin_a_visit_within_20_seconds() -> None:
    [(clicks, begun)] = ask(
        f"{CLICKS} select count(*), count(case when exists (select 1 from campaign_events as e"
        " where e.visitor_id = clicks.visitor_id and e.channel = 'affiliate'"
        " and e.event_type = 'landing_view' and epoch(e.occurred_at::timestamptz)"
        " - epoch(happened) between 4.9 and 20.1) then 1 end)"
        " from clicks where kind = 'honest'",
        shop(scale=0.3),
    )

    # A few landings are still on their way, or were told by a wrong clock.
    assert begun >= 0.97 * clicks > 0


def test_duplicates_follow_the_same_click_within_seconds() -> None:
    assert ask(
        f"{CLICKS} select count(*) from clicks as again where kind = 'duplicate' and not exists ("
        " select 1 from clicks as first where first.kind in ('honest', 'self')"
        " and first.visitor_id = again.visitor_id and first.ip = again.ip"
        " and first.affiliate_id = again.affiliate_id"
        " and epoch(again.happened) - epoch(first.happened) between 0.5 and 5)",
        # The first click of a duplicate may come late.
        shop(scale=0.3),
    ) <= [(1,)]


def test_bots_name_themselves_and_look_at_nothing() -> None:
    found = shop(scale=0.3)

    assert ask(
        f"{CLICKS} select count(*) from clicks where (kind = 'bot')"
        " <> regexp_matches(user_agent, 'python|Bot')",
        found,
    ) == [(0,)]
    assert ask(
        f"{CLICKS} select count(*) from clicks inner join product_events as view"
        " on view.visitor_id = clicks.visitor_id where kind in ('bot', 'flood')",
        found,
    ) == [(0,)]


def test_a_flood_is_many_browsers_behind_one_address_for_one_affiliate() -> None:
    rows = ask(
        f"{CLICKS} select ip, count(distinct visitor_id), count(distinct affiliate_id),"
        " max(epoch(happened)) - min(epoch(happened)) from clicks where kind = 'flood' group by ip",
        shop(scale=0.3),
    )

    assert rows
    for _, browsers, affiliates, lasted in rows:
        assert browsers >= 30
        assert affiliates == 1
        assert lasted < 700


def test_own_clicks_come_before_own_orders_of_affiliates() -> None:
    [(clicks, own)] = ask(
        f"{CLICKS} select count(*), count(case when exists (select 1 from all_orders as o"
        " inner join all_affiliates as a on a.user_id = o.user_id"
        " where a.affiliate_id = clicks.affiliate_id and o.visitor_id = clicks.visitor_id"
        " and o.ordered_at > clicks.happened and o.ordered_at < clicks.happened + interval 6 hour)"
        " then 1 end) from clicks where kind = 'self'",
        shop(scale=0.3),
        history(scale=0.3),
    )

    assert own == clicks > 0
