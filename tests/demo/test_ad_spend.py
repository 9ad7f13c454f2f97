"""What campaigns cost: billed by day, a little above the log, and corrected for three days."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from demo.activity import activity
from demo.parameters import Parameters
from tests.demo.activity_shops import NOW, ask, history, shop

LOGGED = """
with logged as (
    select campaign_id, substring(said, 1, 10)::date as spend_date, count(*) as clicks
    from (
        select event_id, any_value(campaign_id) as campaign_id, any_value(occurred_at) as said
        from campaign_events where event_type = 'ad_click' and occurred_at < '2026-03-20'
        group by event_id
    )
    group by all
)
select
    count(case when ad_spend.clicks < logged.clicks then 1 end),
    count(*),
    sum(ad_spend.clicks) / sum(logged.clicks)
from logged inner join ad_spend using (campaign_id, spend_date)
"""


def test_every_click_is_billed_and_a_few_that_no_page_saw() -> None:
    [(below, days, ratio)] = ask(LOGGED, shop(Parameters(wrong_clocks=0), 0.3))

    assert below == 0
    assert days > 100
    assert 1 <= ratio < 1.2


def test_clicks_are_the_wanted_share_of_billed_impressions() -> None:
    query = "select sum(clicks) / sum(impressions) from ad_spend"
    [(usual,)] = ask(query, shop(scale=0.3))
    [(many,)] = ask(query, shop(Parameters(click_through=0.05), 0.3))

    assert 0.0035 < usual < 0.006
    assert 0.025 < many < 0.055


def test_the_last_three_days_are_preliminary_and_corrected_later() -> None:
    given = history(scale=0.3)
    later = activity(replace(given, now=NOW + timedelta(days=10)), 1, Parameters())
    rows: dict[tuple[date, str], list[dict[str, Any]]] = {}
    for found in (shop(scale=0.3), later):
        for row in found.ad_spend.to_pylist():
            rows.setdefault((row["spend_date"], row["campaign_id"]), []).append(row)

    corrected = {
        (NOW.date() - day).days
        for (day, _), (first, *others) in rows.items()
        for second in others
        if first["amount"] != second["amount"]
    }
    assert corrected == {1, 2, 3}
    for first, *others in rows.values():
        for second in others:
            assert first["amount"] <= second["amount"]
            assert first | {"amount": 0} == second | {"amount": 0}


def test_one_campaign_is_billed_in_dollars_and_each_as_it_says() -> None:
    assert ask(
        "select distinct ad_spend.campaign_id, ad_spend.currency, campaigns.currency"
        " from ad_spend inner join campaigns using (campaign_id)"
        " where ad_spend.currency <> 'GBP' or campaigns.currency <> 'GBP'",
        shop(),
    ) == [("prospecting", "USD", "USD")]
