"""Pages tell what their version holds: exact, escaped, and without a fault for a screen reader."""

from pathlib import Path

import pytest

from extractors.errors import ConfigError
from tests.warehouse.report.reading import Page
from tests.warehouse.report.version import publish
from warehouse.config import Settings
from warehouse.report import campaign_worth, writing

NAMES = ("index", "campaign", "affiliate", "recommendation")
MODELS = (
    "('first_touch'), ('last_touch'), ('last_non_direct'), ('linear'), ('position_based'),"
    " ('time_decay'), ('markov'), ('shapley')"
)
EVIL = "<script>alert(1)</script>{{ 7 * 7 }} קמפיין 🦄 \u202e\x07`x`"
CAMPAIGNS = f"""
create temp table campaigns as
select * from (values
    ('evil', $${EVIL}$$, 100.0050, 40.00, 30, 10),
    ('kind', 'kind', 50.00, 500.00, 20, 5),
    ('haunting', 'haunting', 20.00, 300.00, 10, 9),
    ('torn', 'torn', 10.00, 12.00, 20, 2),
    ('past', 'kind', 25.00, 100.00, 20, 5)
) as c (id, campaign_id, spend, revenue, visits, returning_visits);
create temp table models as select * from (values {MODELS}) as m (model);

insert into campaign.performance_daily by name
select
    case when id = 'past' then date '2011-07-10' else date '2011-08-10' end as report_date,
    'display' as channel, campaign_id, model, spend, 1.0 as orders, revenue as attributed_revenue,
    revenue as attributed_net_revenue,
    revenue - spend - case when id = 'torn' and model = 'markov' then 5 else 0 end
        as contribution_margin
from campaigns cross join models;

insert into campaign.performance_daily_last_touch by name
select report_date, channel, campaign_id, spend, cast(orders as bigint) as orders,
    1 as new_customers, attributed_revenue, attributed_net_revenue, contribution_margin
from campaign.performance_daily where model = 'last_touch'
union all by name
select date '2011-05-31' as report_date, 'direct' as channel, '(none)' as campaign_id, 0 as spend,
    0 as orders, 0 as new_customers, 0 as attributed_revenue, 0 as attributed_net_revenue,
    0 as contribution_margin;

insert into campaign.funnel_daily by name
select date '2011-08-10' as report_date, 'display' as channel, campaign_id, step, step_number,
    visits * factor as step_count, case when step_number > 1 then visits * 10 end as previous_count,
    returning_visits as returning_count
from campaigns
cross join (values ('impression', 1, 10), ('landing', 3, 1)) as s (step, step_number, factor)
where id <> 'past';

insert into campaign.audience_daily by name
select date '2011-08-10' as report_date, 'kind' as campaign_id, * from (values
    ('25-34', 'female', 12, 3, 90.10), ('(suppressed)', '(suppressed)', 8, 1, 10.20)
) as a (age_band, gender, landing_views, orders, attributed_net_revenue);

insert into campaign.restatements by name
select date '2011-06-01' as period, 'last_touch' as model, 'display' as channel, campaign_id,
    timestamptz '2011-08-20 23:30:00Z' as restated_at, 'spend was billed late' as reason,
    old as old_net_revenue, new as new_net_revenue
from (values ('a', 100.0, 130.0), ('b', 50.0, 30.0)) as r (campaign_id, old, new);

insert into campaign.trends_weekly by name
select
    date '2011-05-30' + cast(7 * n as integer) as week_start, 'display' as channel,
    'kind' as campaign_id, measure, true as is_complete,
    case when n = 12 and measure = 'spend' then 90 else 30 end as total,
    case when n >= 8 then 30 end as usual_total, case when n >= 8 then 3 end as usual_spread,
    n = 12 and measure = 'spend' as is_anomaly
from range(13) as weeks (n)
cross join
    (values ('spend'), ('sessions'), ('orders'), ('attributed_net_revenue')) as m (measure);
"""


def written(settings: Settings, version: str | None = None) -> dict[str, Page]:
    """Write all pages and return them, each without a fault."""
    done = writing.write(settings, writing.DOMAINS, settings.home / "report", version)
    assert [file.stem for file in done.files] == list(NAMES)
    pages = {file.stem: Page(file.read_text(encoding="utf-8")) for file in done.files}
    assert {name: page.faults for name, page in pages.items()} == {name: [] for name in NAMES}
    return pages


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return written(publish(tmp_path_factory.mktemp("campaign"), CAMPAIGNS))["campaign"]


def test_the_first_page_repeats_what_the_others_found_and_leads_there(tmp_path: Path) -> None:
    pages = written(publish(tmp_path, CAMPAIGNS))
    first = pages["index"]
    told = "Campaigns: kind: spend of the last week rose to 90.00 from a usual 30.00"
    assert told in first.text
    assert ("campaign", "trend") in first.elsewhere
    assert [one for one in first.elsewhere if one[1] not in pages[one[0]].ids] == []


def test_a_version_without_rows_says_so_on_every_page(tmp_path: Path) -> None:
    pages = written(publish(tmp_path))
    assert "This version holds no activity of campaigns yet." in pages["campaign"].text
    assert "no clicks and no sales of affiliates yet." in pages["affiliate"].text
    assert "This version holds nothing that people did yet." in pages["recommendation"].text
    assert "No source table has been loaded yet." in pages["index"].text
    assert [page.tables for page in pages.values()] == [{}] * 4


def test_tiles_compare_the_four_weeks_with_those_before(campaign: Page) -> None:
    assert "2011-08-01 to 2011-08-28, compared with 2011-07-04 to 2011-07-31" in campaign.text
    assert "Version v000001, as of 2011-09-01 01:00 (Europe/London)" in campaign.text
    # 100.0050 + 50 + 20 + 10, rounded once
    assert "Spend GBP 180.01 +620.0 % from 25.00" in campaign.text
    assert "Return on spend (ROAS) 4.73 from 4.00" in campaign.text
    assert "Orders 4 +300.0 % from 1" in campaign.text


def test_campaigns_are_advised_by_their_margins_and_by_who_came_anyway(campaign: Page) -> None:
    head, *rows = campaign.tables["Campaigns from 2011-08-01 to 2011-08-28, amounts in GBP"]
    assert head[:6] == ["Campaign", "Advice", "Spend", "ROAS", "Least margin", "Greatest margin"]
    shown = "<script>alert(1)</script>{{ 7 * 7 }} קמפיין 🦄 \ufffd\ufffd`x`"
    assert [row[:6] + row[7:] for row in rows] == [
        [
            shown,
            "stop: it costs more than it brings, by every model",
            *("100.01", "0.40", "-60.01", "-60.01", "33 %"),
        ],
        ["kind", "keep", "50.00", "10.00", "450.00", "450.00", "25 %"],
        [
            "haunting",
            "doubt: its visitors were here before; pause it for some and compare",
            *("20.00", "15.00", "280.00", "280.00", "90 %"),
        ],
        [
            "torn",
            "look closer: the models do not agree",
            *("10.00", "1.20", "-3.00", "2.00", "10 %"),
        ],
    ]
    assert rows[3][6] == "from -3.00 to 2.00, by the last touch 2.00"
    assert f"{shown}: stop: it costs more" in campaign.text
    assert "haunting: doubt: its visitors" in campaign.text


def test_a_campaign_without_spend_and_visits_has_ended() -> None:
    unknown = dict.fromkeys(("visits", "returning_visits", "usual_visits", "usual_returning"))
    ended = {"spend": 0, "lowest": 5, "highest": 9, **unknown}
    assert campaign_worth.advice(ended).text.startswith("ended: ")


def test_of_very_many_campaigns_and_affiliates_the_first_are_shown_and_all_are_counted(
    tmp_path: Path,
) -> None:
    many = """
    insert into campaign.performance_daily by name
    select date '2011-08-10' as report_date, 'display' as channel, 'c' || n as campaign_id,
        'last_touch' as model, 1000 - n as spend, 0 as attributed_revenue,
        n - 1000 as contribution_margin
    from range(60) as r (n);
    insert into campaign.performance_daily_last_touch by name
    select * exclude (model, orders, new_customers) from campaign.performance_daily;
    insert into campaign.trends_weekly by name
    select date '2011-08-22' as week_start, 'display' as channel, 'c' || n as campaign_id,
        'orders' as measure, true as is_complete, 100 + n as total, 30 as usual_total,
        3 as usual_spread, true as is_anomaly
    from range(60) as r (n);
    insert into affiliate.payable by name
    select 'a' || n as affiliate_id, 'GBP' as currency, 0.01 as payable, n as owed, 0 as pending,
        0 as in_payment, '(none)' as statement_number
    from range(1000) as r (n);
    insert into affiliate.performance_daily by name
    select date '2011-08-10' as report_date, 'a1' as affiliate_id, 'GBP' as currency, 0 as clicks,
        0 as valid_clicks, 0 as orders, 0 as sales, 0 as commission, 0 as reversed_commission,
        0 as net_commission;
    """
    pages = written(publish(tmp_path, many))
    [rows] = [
        table
        for name, table in pages["campaign"].tables.items()
        if name.startswith("The first 50 of 60: campaigns from")
    ]
    assert [row[0] for row in rows[1:]] == [f"c{n}" for n in range(50)]
    assert "c5: stop" in pages["campaign"].text
    assert "c6: stop" not in pages["campaign"].text
    assert "and 54 more" in pages["campaign"].text
    [rows] = [
        table
        for name, table in pages["campaign"].tables.items()
        if name.startswith("The first 50 of 60: unusual")
    ]
    assert [row[1] for row in rows[1:]] == [f"c{n}" for n in range(59, 9, -1)]
    [rows] = [
        table
        for name, table in pages["affiliate"].tables.items()
        if name.startswith("The first 200 of 1,000: payable")
    ]
    assert [row[0] for row in rows[1:4]] == ["a999", "a998", "a997"]
    assert rows[-1][:4] == ["All in GBP", "GBP", "10.00", "499,500.00"]


def test_small_groups_stay_suppressed(campaign: Page) -> None:
    [name] = [name for name in campaign.tables if name.startswith("Age and gender")]
    assert campaign.tables[name][1:] == [
        ["25-34", "female", "12", "3", "90.10", "7.51"],
        ["(suppressed)", "(suppressed)", "8", "1", "10.20", "1.28"],
    ]


def test_the_funnel_tells_what_is_lost(campaign: Page) -> None:
    [name] = [name for name in campaign.tables if name.startswith("Steps of those")]
    assert campaign.tables[name][1:] == [
        ["Saw an advertisement", "800", "–", "–"],
        ["Visited the shop", "80", "10.0 %", "720"],
    ]


def test_unusual_weeks_are_drawn_told_and_repeated_at_the_top(campaign: Page) -> None:
    assert "kind: spend of the last week rose to 90.00 from a usual 30.00" in campaign.text
    assert "kind: spend, GBP: from 30.00 (6 Jun) to 90.00 (22 Aug)" in campaign.text
    [name] = [name for name in campaign.tables if name.startswith("Unusual")]
    assert campaign.tables[name][1:] == [
        ["2011-08-22", "kind", "Spend", "90.00", "30.00", "21.00", "39.00"]
    ]
    # the data begin on a Tuesday: its week is left out
    assert [row[0] for row in campaign.tables["All channels by week, amounts in GBP"]][:2] == [
        "Week from",
        "2011-06-06",
    ]


def test_a_final_month_that_changed_is_told_with_its_reason(campaign: Page) -> None:
    [name] = [name for name in campaign.tables if name.startswith("Latest changes")]
    # its day in London; 30 came, 20 went: 10 more, and 20 moved from one campaign to the other
    assert campaign.tables[name][1:] == [
        ["2011-06", "2011-08-21", "spend was billed late", "10.00", "20.00"]
    ]


AFFILIATES = """
insert into affiliate.performance_daily by name
select * from (values
    (date '2011-08-05', 'ann', 'GBP', 10, 8, 2, 200.1250, 20.10, 5.10, 15.00),
    (date '2011-08-06', 'ben', 'EUR', 4, 4, 1, 99.0000, 9.90, 0.00, 9.90),
    (date '2011-07-04', 'ann', 'GBP', 5, 5, 1, 100.0000, 10.00, 0.00, 10.00)
) as p (report_date, affiliate_id, currency, clicks, valid_clicks, orders, sales, commission,
    reversed_commission, net_commission);
insert into affiliate.payable by name
select * from (values
    ('ann', 'GBP', 'Ann & <b>Co</b>', 'active', 100.10, 120.20, 15.00, 0.00, 25.00, 'GBP', 'S-1'),
    ('dan', 'GBP', null, null, 0.00, -3.00, 0.00, 0.00, 25.00, null, '(none)'),
    ('ben', 'EUR', 'Ben', 'active', 7.05, 7.05, 9.90, 0.00, 5.00, 'EUR', 'S-2')
) as p (affiliate_id, currency, name, affiliate_status, payable, owed, pending, in_payment,
    minimum_payout, payout_currency, statement_number);
insert into affiliate.conversions by name
select * from (values
    ('l1', 'ann', 'GBP', 'pending', null, null, 10.00, 8.00, 80.0, date '2011-08-05',
        timestamptz '2011-09-06 12:00Z', null),
    ('l2', 'ann', 'GBP', 'held', null, 'chargeback', 5.00, 5.00, 50.0, date '2011-08-05',
        timestamptz '2011-09-06 12:00Z', timestamptz '2011-08-09 23:30Z'),
    ('l3', 'ann', 'GBP', 'declined', 'self_referral', null, 0.00, 0.00, 70.0, date '2011-08-05',
        null, null),
    ('l4', 'ben', 'EUR', 'paid', null, null, 9.90, 9.90, 99.0, date '2011-06-05', null, null)
) as c (order_line_id, affiliate_id, currency, status, reason, held_rule, commission_amount,
    due_amount, reporting_line_amount, order_date, matures_at, held_since);
insert into affiliate.clicks by name
select * from (values
    ('c1', 'ann', 'valid', null, false), ('c2', 'ann', 'flood', 'crowd', false),
    ('c3', 'ben', 'flood', 'crowd', true), ('c4', 'ben', 'self', null, false)
) as c (click_id, affiliate_id, validity, validity_rule, is_reviewed)
cross join (select date '2011-08-06' as click_date) as d;
insert into affiliate.statements by name
select * from (values
    (date '2011-07-01', 'ann', 'GBP', 'open', 1.00, 2.00, 0.00, 0.00, 0.00, 3.00,
        timestamptz '2011-08-31 00:00Z'),
    (date '2011-08-01', 'ann', 'GBP', 'open', 3.00, 120.20, -3.00, 0.00, 0.00, 120.20,
        timestamptz '2011-09-30 00:00Z')
) as s (period, affiliate_id, currency, status, opening, matured, reversals, adjustments, payouts,
    closing, closable_at);
"""


@pytest.fixture(scope="module")
def affiliate(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return written(publish(tmp_path_factory.mktemp("affiliate"), AFFILIATES))["affiliate"]


def test_payables_are_exact_by_currency_and_say_that_they_are_posted(affiliate: Page) -> None:
    [name] = [name for name in affiliate.tables if "payable and owed" in name.lower()]
    assert "from posted state" in name
    active = ["S-1", "active"]
    assert affiliate.tables[name][1:] == [
        ["Ann & <b>Co</b> (ann)", "GBP", "100.10", "120.20", "15.00", "0.00", "25.00 GBP", *active],
        ["Ben (ben)", "EUR", "7.05", "7.05", "9.90", "0.00", "5.00 EUR", "S-2", "active"],
        ["dan", "GBP", "0.00", "-3.00", "0.00", "0.00", "25.00", "(none)", "–"],
        ["All in EUR", "EUR", "7.05", "7.05", "9.90", "0.00", "", "", ""],
        ["All in GBP", "GBP", "100.10", "117.20", "15.00", "0.00", "", "", ""],
    ]
    assert "100.10 GBP can be paid out" in affiliate.text


def test_commissions_of_two_currencies_are_never_added(affiliate: Page) -> None:
    assert "Sales GBP 299.13 +199.1 % from 100.00" in affiliate.text
    assert "Commission EUR 9.90 from 0.00" in affiliate.text
    assert "Commission GBP 15.00 +50.0 % from 10.00" in affiliate.text


def test_what_became_of_commissions_and_who_brought_most_are_told(affiliate: Page) -> None:
    assert affiliate.tables["Commissions of all orders so far by state"][1:] == [
        ["Paid", "EUR", "9.90", "9.90", "1"],
        ["Inside its hold", "GBP", "8.00", "10.00", "1"],
        ["Held by an open chargeback", "GBP", "5.00", "5.00", "1"],
        ["Declined", "GBP", "0.00", "0.00", "1"],
    ]
    [name] = [name for name in affiliate.tables if name.startswith("The first twenty")]
    assert affiliate.tables[name][1:] == [
        ["Ann & <b>Co</b> (ann)", "200.13", "2", "10", "8", "15.00", "GBP", "25.4 %", "1.88"],
        ["Ben (ben)", "99.00", "1", "4", "4", "9.90", "EUR", "0.0 %", "2.48"],
    ]


def test_what_is_held_and_what_waits_is_told(affiliate: Page) -> None:
    [name] = [name for name in affiliate.tables if name.startswith("Held clicks")]
    assert affiliate.tables[name][1:] == [
        ["crowd", "made to be counted", "2", "50.0 %", "2", "1"],
        ["(none)", "the affiliate's own", "1", "25.0 %", "1", "0"],
    ]
    inside = "Commissions inside their hold, by the week in which it ends"
    assert affiliate.tables[inside][1:] == [["2011-09-05 to 2011-09-11", "GBP", "8.00", "1"]]
    assert affiliate.tables["Commissions held until somebody decides"][1:] == [
        ["chargeback", "GBP", "5.00", "1", "2011-08-10"]
    ]
    assert affiliate.tables["Months that can be closed"][1:] == [["2011-07", "1", "2011-08-31"]]
    assert "2011-07 can be closed" in affiliate.text
    [name] = [name for name in affiliate.tables if name.startswith("Order lines that earn nothing")]
    assert affiliate.tables[name][1:] == [["self referral", "1", "1", "70.00"]]


RECOMMENDATIONS = """
insert into recommendation.interactions by name
select * from (values
    ('view e1', 'view', 'visitor a', timestamptz '2011-08-28 22:59Z'),
    ('view e2', 'view', 'visitor a', timestamptz '2011-08-28 23:00Z'),
    ('view e3', 'view', 'visitor b', timestamptz '2011-07-03 22:00Z'),
    ('view e4', 'view', 'visitor b', timestamptz '2011-07-03 23:00Z')
) as i (interaction_id, kind, actor_key, occurred_at);
insert into recommendation.evaluation by name
select *, date '2011-08-22' as window_start, date '2011-08-28' as window_last_date,
    recommender = 'blend' as is_published, 'published' as status, 'it won <i>' as reason,
    1234 as asked_count
from (values
    ('popularity', 'recall', 20, 0.10, 0.09, 0.11), ('blend', 'recall', 20, 0.15, 0.14, 0.16),
    ('blend', 'recall_over_popularity', 20, 0.05, 0.04, 0.06),
    ('blend', 'recall_over_popularity', 5, null, null, null)
) as e (recommender, metric, k, value, lower, upper);
insert into recommendation.product_pairs by name
select 'co_purchase' as kind, * from (values
    ('p1', 'p2', 12, 30, 4.3, 88.5), ('p2', 'p1', 12, 20, 4.3, 88.5), ('p1', 'p3', 9, 30, 0.5, 99)
) as p (product_id, other_product_id, n_ab, n_a, lift, llr);
insert into core.products by name
select * from (values ('p1', 'Tea 🫖'), ('p2', null)) as p (product_id, name);
insert into recommendation.trending_products by name
select * from (values
    (1, 'p1', 12.5, 2.5, 9, 'out_of_stock'), (2, 'p2', 3.0, 0.0, 5, null)
) as t (rank, product_id, recent_rate, usual_rate, people_count, exclusion);
insert into recommendation.trigger_performance_daily by name
select * from (values
    (date '2011-08-03', 'price_drop', 9, 4, 5, 5, 2, 1, 30.0050),
    (date '2011-08-04', '(unknown)', 0, 0, 0, 1, 1, 0, 0.0)
) as t (report_date, kind, due_count, suppressed_count, exported_count, sent_count, clicked_count,
    order_count, attributed_revenue);
insert into recommendation.email_triggers by name
select * from (values
    ('t1', 'due', null), ('t2', 'suppressed', 'no_consent'), ('t3', 'suppressed', 'no_consent'),
    ('t4', 'suppressed', 'expired')
) as t (trigger_id, status, suppressed_by);
insert into recommendation.searches_without_result by name
select 'unicorn 🦄' as query, 30 as search_count, 10 as found_count, 12 as people_count,
    timestamptz '2011-08-30 23:30Z' as last_at;
"""


@pytest.fixture(scope="module")
def recommendation(tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("recommendation")
    return written(publish(folder, RECOMMENDATIONS))["recommendation"]


def test_the_live_recommender_is_told_with_its_interval(recommendation: Page) -> None:
    assert "Live: blend (published: the blend beat popularity in that week)." in recommendation.text
    assert "1,234 next products" in recommendation.text
    assert "it won <i>" in recommendation.text
    [name] = [name for name in recommendation.tables if name.startswith("Recall")]
    assert recommendation.tables[name][1:] == [
        ["5", "not known", "–", "–", "–", "–", "–", "from – to –"],
        [
            *("20", "the blend is better", "10.00 %", "15.00 %", "5.00 %", "4.00 %", "6.00 %"),
            "from 4.00 % to 6.00 %",
        ],
    ]


def test_interactions_count_by_days_of_the_reporting_time_zone(recommendation: Page) -> None:
    # e2 is of the Monday after, e3 of the Sunday before, in London's summer time
    assert "Interactions 1 unchanged" in recommendation.text


def test_pairs_trends_and_searches_are_listed_with_names(recommendation: Page) -> None:
    assert recommendation.tables["Products that are bought together"][1:] == [
        ["Tea 🫖 (p1)", "p2", "12", "4.3", "88.5"]
    ]
    assert recommendation.tables["Products furthest above what is usual for them"][1:] == [
        ["Tea 🫖 (p1)", "no: out of stock", "12.5", "2.5", "5.0", "9"],
        ["p2", "yes", "3.0", "0.0", "–", "5"],
    ]
    assert "Tea 🫖 (p1) trends and is out of stock" in recommendation.text
    assert recommendation.tables["Searches without a result in the last 90 days"][1:] == [
        ["unicorn 🦄", "30", "75.0 %", "12", "2011-08-31"]
    ]


def test_triggers_are_told_with_what_they_brought(recommendation: Page) -> None:
    [name] = [name for name in recommendation.tables if name.startswith("Trigger e-mails")]
    assert recommendation.tables[name][1:] == [
        ["Price fell", "9", "4", "5", "5", "2", "1", "30.01", "6.00"],
        ["(unknown)", "0", "0", "0", "1", "1", "0", "0.00", "0.00"],
        ["All kinds", "9", "4", "5", "6", "3", "1", "30.01", "5.00"],
    ]
    assert "1 e-mail is due and not handed out yet" in recommendation.text
    [name] = [name for name in recommendation.tables if name.startswith("E-mails that came due")]
    assert recommendation.tables[name][1:] == [
        ["no consent", "2", "66.7 %"],
        ["expired", "1", "33.3 %"],
    ]


VOUCHED = """
insert into core.orders by name
select *, gross_revenue - refunded_amount as net_revenue from (values
    ('o1', date '2011-08-05', 'shipped', true, 10.0, 1.5),
    ('o2', date '2011-08-05', 'cancelled', false, 4.0, 0.5),
    ('o3', date '2011-08-06', 'shipped', false, -2.0049, 0),
    ('o4', date '2011-06-05', 'shipped', true, 0, 0)
) as o (order_id, order_date, status, is_counted, gross_revenue, refunded_amount);
insert into core.order_lines by name
select 'l' || order_id as order_line_id, order_id from core.orders;
insert into core.refunds by name
select * from (values
    ('r1', 'o1', date '2011-08-07', 1.0), ('r2', 'o1', date '2011-08-30', 0.5),
    ('r3', 'o2', date '2011-08-08', 0.5), ('r4', null, date '2011-08-09', 0.25)
) as r (refund_id, order_id, refund_date, amount);
-- a refund that names no order is of the line that it was allocated to, or of none
insert into core.refund_allocations by name
select refund_id, coalesce('l' || order_id, '(unmatched)') as order_line_id, amount
from core.refunds;
update core.refunds set order_id = null;
insert into core.daily_totals by name
select date '2011-08-05' as report_date, 'GB' as country, 3 as order_count,
    11.9951 as gross_revenue, 1.75 as refunded_amount, 10.2451 as net_revenue;
insert into campaign.performance_daily by name
select date '2011-08-05' as report_date, 'direct' as channel, '(none)' as campaign_id, model,
    amount as attributed_revenue
from (values ('last_touch', 10.0), ('linear', 9.9999)) as m (model, amount);
insert into affiliate.commission_ledger by name
select 'GBP' as currency, * from (values
    ('commission_expense', 5.00), ('affiliate_payable', -5.00)
) as l (account, amount);
insert into affiliate.statements by name
select date '2011-08-01' as period, 'ann' as affiliate_id, 'GBP' as currency, 5.00 as closing;
insert into meta.freshness values
    ('campaign.performance_daily', 'main', '2011-08-30 00:00Z', false, 2),
    ('affiliate.payable', 'main', '2011-09-01 00:00Z', true, 0);
insert into meta.certificates values
    ('c1', 'shop', 'main', 'orders', 'exact', 'failed', 5, 4, '2011-08-30 10:00Z', ''),
    ('c2', 'shop', 'main', 'orders', 'exact', 'passed', 5, 5, '2011-08-31 10:00Z', ''),
    ('c3', 'shop', 'main', 'refunds', 'exact', 'failed', 5, 4, '2011-08-31 10:00Z', '');
"""


def test_the_first_page_vouches_for_the_figures_or_says_what_is_wrong(tmp_path: Path) -> None:
    pages = written(publish(tmp_path, VOUCHED))
    index = pages["index"]
    # o2 is cancelled and o3 sells nothing; r2 is of a later day, r3 is of another order, r4 of none
    for tile in (
        "Orders 1 nothing before to compare with",
        "Revenue GBP 10.00 nothing before to compare with",
        "Refunds of these orders GBP 1.50",
        "Revenue after refunds GBP 8.50",
        "Refunds of these days GBP 1.75",
    ):
        assert tile in index.text
    [name] = [name for name in index.tables if name.startswith("From revenue of orders")]
    assert index.tables[name][1:] == [
        ["Revenue after refunds, of counted orders", "1", "8.50", ""],
        ["Not counted: cancelled", "1", "4.00", ""],
        ["Not counted: nothing was sold (adjustments)", "1", "-2.00", ""],
        ["Refunds of these orders on other days", "", "0.50", ""],
        ["Refunds of other orders, or of none, on these days", "", "-0.75", ""],
        ["Together", "3", "10.25", ""],
        ["Table of days (core.daily_totals)", "3", "10.25", "equal, to the last place"],
    ]
    assert index.tables["Sums that must be equal, over all days of the version"][1:] == [
        [
            "Revenue of orders, and as attributed by last touch",
            *("equal, to the last place", "GBP", "10.00", "10.00"),
        ],
        [
            "Revenue of orders, and as attributed by linear",
            *("differs by 0.0001", "GBP", "10.00", "10.00"),
        ],
        [
            "Debits and credits of the commission ledger",
            *("equal, to the last place", "GBP", "5.00", "5.00"),
        ],
        [
            "Payable in the ledger, and the newest statements",
            *("equal, to the last place", "GBP", "5.00", "5.00"),
        ],
    ]
    assert "as attributed by linear (GBP) differ" in index.text
    # only the newest certificate of a table counts
    assert index.tables["Newest certificate of each source table"][1:] == [
        ["shop.orders", "passed", "main", "5", "5", "exact, 2011-08-31 11:00"],
        ["shop.refunds", "failed", "main", "5", "4", "exact, 2011-08-31 11:00"],
    ]
    assert "shop.refunds (main): certificate failed" in index.text
    [name] = [name for name in index.tables if name.startswith("Tables of the version")]
    assert index.tables[name][1:] == [
        ["affiliate.payable", "complete", "main", "2011-09-01 01:00", "0"],
        ["campaign.performance_daily", "source lags", "main", "2011-08-30 01:00", "2"],
    ]
    assert index.folded == []
    late = "Not complete: sources of campaign.performance_daily had not been read"
    assert [name for name, page in pages.items() if late in page.text] == ["index", "campaign"]
    assert "its 1 table is complete up to then" in pages["affiliate"].text


def test_what_is_fine_is_said_in_a_line_and_proved_on_demand(tmp_path: Path) -> None:
    repaired = """
    update campaign.performance_daily set attributed_revenue = 10.0;
    update meta.certificates set status = 'passed';
    update meta.freshness set is_complete = true;
    """
    index = written(publish(tmp_path, VOUCHED + repaired))["index"]
    assert index.folded == [
        "All 4 sums are equal, to the last place",
        "The newest certificate of each of 2 source tables passed",
        "All 2 tables are complete; 1 has rows that name what is not there",
    ]
    assert "Newest certificate of each source table" in index.tables


def test_refunds_are_compared_at_the_same_age_of_orders(tmp_path: Path) -> None:
    # as of 2011-09-01 00:00 the orders before had the same age on 2011-08-04 00:00
    orders = """
    insert into core.daily_totals by name select date '2011-07-04' as report_date;
    insert into campaign.performance_daily_last_touch by name
    select * from (values
        (date '2011-07-04', 'direct', '(none)', 63.0), (date '2011-08-10', 'direct', '(none)', 80.0)
    ) as p (report_date, channel, campaign_id, attributed_net_revenue);
    insert into core.orders by name
    select *, 'shipped' as status, true as is_counted, gross_revenue - refunded_amount
        as net_revenue
    from (values
        ('now', date '2011-08-10', 100.0, 20.0), ('old', date '2011-07-10', 100.0, 37.0)
    ) as o (order_id, order_date, gross_revenue, refunded_amount);
    insert into core.order_lines by name
    select 'l' || order_id as order_line_id, order_id from core.orders;
    insert into core.refunds by name
    select *, cast(refunded_at as date) as refund_date from (values
        ('r1', timestamptz '2011-08-20 12:00Z', 20.0),
        ('r2', timestamptz '2011-08-04 00:00Z', 25.0),
        ('r3', timestamptz '2011-08-04 00:00:01Z', 12.0)
    ) as r (refund_id, refunded_at, amount);
    insert into core.refund_allocations by name
    select refund_id, case when refund_id = 'r1' then 'lnow' else 'lold' end as order_line_id,
        amount
    from core.refunds;
    """
    pages = written(publish(tmp_path, orders))
    assert "Refunds of these orders GBP 20.00 -20.0 % from 25.00" in pages["index"].text
    for name in ("index", "campaign"):
        assert "Revenue after refunds GBP 80.00 +6.7 % from 75.00" in pages[name].text


def test_a_column_of_ages_that_tells_none_is_left_out(tmp_path: Path) -> None:
    nobody = "update campaign.audience_daily set age_band = '(suppressed)';"
    page = written(publish(tmp_path, CAMPAIGNS + nobody))["campaign"]
    [name] = [name for name in page.tables if name.startswith("Gender of those")]
    assert page.tables[name] == [
        ["Gender", "Landings", "Orders", "Revenue after refunds, GBP", "Per landing"],
        ["female", "12", "3", "90.10", "7.51"],
        ["(suppressed)", "8", "1", "10.20", "1.28"],
    ]
    assert "No age is told." in page.text


def test_the_same_version_gives_the_same_bytes(tmp_path: Path) -> None:
    settings = publish(tmp_path, CAMPAIGNS + AFFILIATES + RECOMMENDATIONS + VOUCHED)
    one = writing.write(settings, writing.DOMAINS, tmp_path / "one", None)
    other = writing.write(settings, writing.DOMAINS, tmp_path / "other", "v000001")
    assert [file.read_bytes() for file in one.files] == [file.read_bytes() for file in other.files]


def test_a_version_that_was_built_before_a_table_was_there_says_so(tmp_path: Path) -> None:
    gone = (
        "drop table campaign.restatements; drop schema affiliate cascade;"
        " alter table campaign.trends_weekly drop usual_spread; drop table meta.freshness;"
    )
    pages = written(publish(tmp_path, CAMPAIGNS + gone))
    before = "Version v000001 was built before this could be told."
    assert pages["campaign"].text.count(before) == 2
    assert pages["index"].text.count(before) == 2
    assert "no clicks and no sales of affiliates yet." in pages["affiliate"].text


def test_tiles_whose_columns_a_version_lacks_are_left_out(tmp_path: Path) -> None:
    gone = (
        "alter table campaign.performance_daily_last_touch drop new_customers;"
        " alter table core.daily_totals drop refunded_amount;"
        " alter table affiliate.performance_daily drop valid_clicks;"
        " drop table recommendation.trigger_performance_daily;"
    )
    filled = CAMPAIGNS + AFFILIATES + RECOMMENDATIONS + VOUCHED
    pages = written(publish(tmp_path, filled + gone))
    of_tiles = (
        "Refunds of these days",
        "New customers",
        "Clicks that may earn",
        "Trigger e-mails sent",
    )
    for tile, page in zip(of_tiles, pages.values(), strict=True):
        assert tile not in page.text
    assert "Which campaigns are worth their money?" in pages["campaign"].text


def test_a_version_keeps_its_currency_and_time_zone_when_the_configuration_has_others(
    tmp_path: Path,
) -> None:
    settings = publish(
        tmp_path, CAMPAIGNS, reporting_currency="JPY", reporting_time_zone="Asia/Tokyo"
    )
    page = written(settings)["campaign"]
    assert "Spend JPY 180.01" in page.text
    assert "as of 2011-09-01 09:00 (Asia/Tokyo)" in page.text


def test_only_the_domains_asked_for_are_written_and_led_to(tmp_path: Path) -> None:
    settings = publish(tmp_path)
    done = writing.write(settings, ("affiliate",), tmp_path / "to" / "finance", None)
    assert [file.name for file in done.files] == ["index.html", "affiliate.html"]
    assert "campaign.html" not in done.files[0].read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    settings = publish(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"/file: File exists|/file: Not a directory"):
        writing.write(settings, (), tmp_path / "file", None)


@pytest.fixture(scope="module")
def first_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("first")
    [file] = writing.write(publish(folder), (), folder / "to", None).files
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("spoilt", "fault"),
    [
        ("<img src='https://x.example/y.png' alt='y'>", "img leads to https://x.example/y.png"),
        ("<svg></svg>", "a drawing without words for it"),
        ("<table><tr><td>1</td></tr></table>", "a table without caption"),
        ("<h4>deep</h4>", "a heading is left out"),
        ("<p id='content'></p>", "the id content twice"),
        ("<script></script>", "there is a script"),
        ("<p style='color: red'></p>", "p has a style that the policy forbids"),
        ("<a href='#nowhere'>x</a>", "nothing is nowhere"),
        ("<p><b></p></b>", "</p> closes something else"),
    ],
)
def test_faults_of_a_page_would_be_found(first_page: str, spoilt: str, fault: str) -> None:
    assert fault in Page(first_page.replace("</main>", f"{spoilt}</main>")).faults
