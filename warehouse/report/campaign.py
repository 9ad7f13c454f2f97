"""The page about campaigns: what they cost and brought, whom to doubt, where people drop out."""

from collections.abc import Sequence
from decimal import Decimal

from warehouse.figures import NOTHING, count, money, percent, ratio
from warehouse.report import campaign_trend, campaign_worth, sales
from warehouse.report.facts import Facts, Row, tile
from warehouse.report.parts import (
    Column,
    Page,
    Section,
    Table,
    Tile,
    bar,
    numbers,
)

TITLE = "Campaigns"
SUPPRESSED = "(suppressed)"
STEPS = {
    "impression": "Saw an advertisement",
    "click": "Clicked it",
    "landing": "Visited the shop",
    "view": "Looked at a product",
    "cart": "Put something into the cart",
    "order": "Ordered",
}


def page(facts: Facts) -> Page:
    """Return the page."""
    begins = facts.begins_at("campaign.performance_daily_last_touch")
    if begins is None:
        return Page("campaign", TITLE, "This version holds no activity of campaigns yet.")
    sections = (
        (campaign_worth.worth, "worth", "Which campaigns are worth their money?"),
        (campaign_worth.models, "models", "What does each model say?"),
        (funnel, "funnel", "Where do people drop out?"),
        (campaign_trend.section, "trend", campaign_trend.TITLE),
        (audience, "audience", "Who comes by campaigns?"),
        (restated, "restated", "Did figures change that were final?"),
    )
    return Page(
        "campaign",
        TITLE,
        "What was spent on campaigns and what they brought, by the last touch before each order"
        " unless another model is named. Programs (bots) are in no figure.",
        facts.tiles(_tiles, begins),
        tuple(facts.section(*one) for one in sections),
    )


def _tiles(facts: Facts, has_before: bool) -> tuple[Tile, ...]:
    rows = facts.rows("""
        select
            report_date >= $first as is_now,
            channel,
            campaign_id,
            sum(spend) as spend,
            sum(orders) as orders,
            sum(new_customers) as new_customers,
            sum(attributed_revenue) as revenue,
            sum(attributed_net_revenue) as net_revenue,
            sum(contribution_margin) as margin
        from campaign.performance_daily_last_touch
        where report_date between $before and $last
        group by report_date >= $first, channel, campaign_id
    """)
    now = [row for row in rows if row["is_now"]]
    before = [row for row in rows if not row["is_now"]] if has_before else None

    def both(name: str) -> tuple[Decimal, Decimal | None]:
        return _sum(now, name), None if before is None else _sum(before, name)

    net_revenue, net_before = both("net_revenue")
    if net_before is not None:
        net_before += sales.refunded_later(facts)
    paid_now, paid_before = _paid(now), None if before is None else _paid(before)
    earlier = None if paid_before is None else ratio(*paid_before)
    return (
        tile("Spend", *both("spend"), money, facts.currency),
        Tile(
            "Return on spend (ROAS)",
            ratio(*paid_now),
            "",
            "nothing before to compare with" if earlier is None else f"from {earlier}",
            "revenue per unit spent, of the campaigns that cost something",
        ),
        tile("Orders", *both("orders"), count, note="of all channels"),
        tile("New customers", *both("new_customers"), count, note="of all channels"),
        tile(
            "Revenue after refunds",
            net_revenue,
            net_before,
            money,
            facts.currency,
            "of all channels",
        ),
        Tile(
            "Contribution margin",
            money(_sum(now, "margin")),
            facts.currency,
            "",
            "revenue of all channels after refunds, less spend and commissions;"
            " goods are not taken off. Not compared: orders before had longer to be refunded",
        ),
    )


def _sum(rows: Sequence[Row], name: str) -> Decimal:
    return sum((Decimal(row[name] or 0) for row in rows), Decimal(0))


def _paid(rows: Sequence[Row]) -> tuple[Decimal, Decimal]:
    """Return revenue and spend of the campaigns that cost something."""
    paid = [row for row in rows if row["spend"]]
    return _sum(paid, "revenue"), _sum(paid, "spend")


def funnel(facts: Facts) -> Section:
    """Return how many people took each step of the way to an order."""
    rows = facts.rows("""
        select
            step,
            step_number,
            sum(step_count) as people,
            sum(previous_count) as previous
        from campaign.funnel_daily
        where
            report_date between $first and $last
            and channel in (
                select channel from campaign.funnel_daily
                where step = 'impression' and report_date between $first and $last
                group by channel
                having sum(step_count) > 0
            )
        group by step, step_number
        order by step_number
    """)
    largest = max((row["people"] for row in rows), default=0)
    table = Table(
        f"Steps of those whom advertisements reached, from {facts.period}",
        (Column("Step"), Column("How many", is_wide=True), *numbers("Of the step before", "Lost")),
        tuple(
            (
                STEPS.get(row["step"], row["step"]),
                bar(count(row["people"]), row["people"], largest),
                percent(row["people"], row["previous"] or 0),
                # not every visit comes from a click: a step can have more than the one before
                count(lost) if (lost := (row["previous"] or 0) - row["people"]) > 0 else NOTHING,
            )
            for row in rows
        ),
        "No advertisement was shown in these weeks.",
    )
    return Section(
        "funnel",
        "Where do people drop out?",
        "Of channels that show advertisements. A visit that came to a later step counts for the"
        " earlier ones. Not every visit comes from a click, so the visits can be more.",
        (table,),
    )


def audience(facts: Facts) -> Section:
    """Return who came by campaigns; small groups are suppressed as the mart has them."""
    rows = facts.rows("""
        select
            age_band,
            gender,
            sum(landing_views) as visits,
            sum(orders) as orders,
            sum(attributed_net_revenue) as net_revenue
        from campaign.audience_daily
        where campaign_id <> '(none)' and report_date between $first and $last
        group by age_band, gender
        having sum(landing_views) > 0 or sum(orders) > 0
        order by visits desc, age_band, gender
    """)
    largest = max((row["visits"] for row in rows), default=0)
    # a column in which nothing is told takes room, and tells of nobody
    has_ages = any(row["age_band"] != SUPPRESSED for row in rows)
    table = Table(
        f"{'Age and gender' if has_ages else 'Gender'} of those who came by campaigns,"
        f" from {facts.period}",
        (
            *((Column("Age"),) if has_ages else ()),
            Column("Gender"),
            Column("Landings", is_wide=True),
            *numbers("Orders", f"Revenue after refunds, {facts.currency}", "Per landing"),
        ),
        tuple(
            (
                *((row["age_band"],) if has_ages else ()),
                row["gender"],
                bar(count(row["visits"]), row["visits"], largest),
                count(row["orders"]),
                money(row["net_revenue"]),
                ratio(row["net_revenue"], row["visits"]),
            )
            for row in rows
        ),
        "Nobody came by a campaign in these weeks.",
    )
    return Section(
        "audience",
        "Who comes by campaigns?",
        "(unknown) is what no source says; (suppressed) what is not told, because fewer than 10"
        " people of a campaign and month share it."
        + ("" if has_ages or not rows else " No age is told."),
        (table,),
    )


def restated(facts: Facts) -> Section:
    """Return the latest changes of final months."""
    rows = facts.rows("""
        select period, restated_at, reason, sum(new_net_revenue - old_net_revenue) as moved,
            sum(abs(new_net_revenue - old_net_revenue)) as turned
        from campaign.restatements
        where model = 'last_touch'
        group by period, restated_at, reason
        order by restated_at desc, period desc, reason
        limit 10
    """)
    table = Table(
        f"Latest changes of final months, by the last touch, in {facts.currency}",
        (
            Column("Month"),
            Column("Changed on"),
            Column("Why"),
            *numbers("Revenue more or less", "Moved between campaigns"),
        ),
        tuple(
            (
                f"{row['period']:%Y-%m}",
                f"{row['restated_at'].astimezone(facts.zone):%Y-%m-%d}",
                row["reason"],
                money(row["moved"]),
                money((row["turned"] - abs(row["moved"])) / 2),
            )
            for row in rows
        ),
        "No: nothing that was final has changed.",
    )
    return Section(
        "restated",
        "Did figures change that were final?",
        "A month is final a week after its end. It changes by `warehouse restate`, or by data that"
        " came later.",
        (table,),
    )
