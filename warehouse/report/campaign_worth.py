"""What the page about campaigns says of their worth: margins, models, advice."""

from decimal import Decimal

from warehouse.figures import NOTHING, money, percent, ratio
from warehouse.report.facts import Facts, Row
from warehouse.report.parts import Column, Flag, Section, Span, Table, among, bar, numbers

# As docs/campaign.md does: far more returning visitors than usual, whatever the models say.
MUCH_MORE = Decimal("1.5")
# By spend; a page is to be read.
MOST = 50
MODELS = {
    "first_touch": "first touch",
    "last_touch": "last touch",
    "last_non_direct": "last not direct",
    "linear": "linear",
    "position_based": "position",
    "time_decay": "time decay",
    "markov": "Markov",
    "shapley": "Shapley",
}


def worth(facts: Facts) -> Section:
    """Return spend, revenue and margins of each campaign, and what to think of it."""
    rows = facts.rows("""
        with money as (
            select
                campaign_id,
                model,
                sum(spend) as spend,
                sum(attributed_revenue) as revenue,
                sum(contribution_margin) as margin
            from campaign.performance_daily
            where campaign_id <> '(none)' and report_date between $first and $last
            group by campaign_id, model
        ),

        models as (select distinct model from money),

        -- a model that gives a campaign nothing, in weeks without spend, has no row of it
        campaigns as (select distinct campaign_id from money),

        by_campaign as (
            select
                campaigns.campaign_id,
                max(coalesce(money.spend, 0)) as spend,
                sum(case when models.model = 'last_touch' then revenue else 0 end) as revenue,
                sum(case when models.model = 'last_touch' then margin else 0 end) as margin,
                min(coalesce(money.margin, 0)) as lowest,
                max(coalesce(money.margin, 0)) as highest
            from campaigns
            cross join models
            left join
                money
                on campaigns.campaign_id = money.campaign_id and models.model = money.model
            group by campaigns.campaign_id
        ),

        visits as (
            select
                campaign_id,
                sum(returning_count) as returning_visits,
                sum(step_count) as visits
            from campaign.funnel_daily
            where step = 'landing' and report_date between $first and $last
            group by campaign_id
        ),

        usual as (
            select
                sum(returning_visits) as usual_returning,
                sum(visits) as usual_visits
            from visits
        )

        select by_campaign.*, returning_visits, visits, usual_returning, usual_visits
        from by_campaign
        left join visits on by_campaign.campaign_id = visits.campaign_id
        cross join usual
        where spend <> 0 or lowest <> 0 or highest <> 0
        order by spend desc, highest desc, by_campaign.campaign_id
    """)
    low = min((Decimal(0), *(row["lowest"] for row in rows)))
    high = max((Decimal(0), *(row["highest"] for row in rows)))
    reach = high - low or Decimal(1)
    largest = max((row["spend"] for row in rows), default=Decimal(0))

    def at(value: Decimal) -> float:
        return float((value - low) / reach)

    advised = [(row, advice(row)) for row in rows]
    table = Table(
        among(MOST, len(rows), f"Campaigns from {facts.period}, amounts in {facts.currency}"),
        (
            Column("Campaign"),
            Column("Advice", is_wide=True),
            Column("Spend", is_wide=True),
            *numbers("ROAS", "Least margin", "Greatest margin"),
            Column("Margin by the eight models", is_wide=True),
            Column("Returning visits", is_number=True),
        ),
        tuple(
            (
                row["campaign_id"],
                flag,
                bar(money(row["spend"]), row["spend"], largest),
                ratio(row["revenue"], row["spend"]),
                money(row["lowest"]),
                money(row["highest"]),
                Span(
                    f"from {money(row['lowest'])} to {money(row['highest'])},"
                    f" by the last touch {money(row['margin'])}",
                    at(row["lowest"]),
                    at(row["highest"]),
                    at(row["margin"]),
                    at(Decimal(0)),
                ),
                percent(row["returning_visits"] or 0, row["visits"] or 0, 0),
            )
            for row, flag in advised[:MOST]
        ),
        "No campaign cost or brought anything in these weeks.",
    )
    usual = (
        percent(rows[0]["usual_returning"] or 0, rows[0]["usual_visits"] or 0, 0) if rows else ""
    )
    return Section(
        "worth",
        "Which campaigns are worth their money?",
        "The margin is revenue after refunds less spend, by the model that is least kind to the"
        " campaign and by the kindest; the dot is the last touch. A campaign can look excellent to"
        " every model and still cause nothing: it is shown to people who come anyway. Such a one"
        " has far more returning visits than usual" + (f" (all visits: {usual})." if rows else "."),
        (table,),
        tuple(f"{row['campaign_id']}: {flag.text}" for row, flag in advised if flag.tone != "good"),
    )


def advice(row: Row) -> Flag:
    """Return what the margins and the returning visits of a campaign say about it."""
    usual = (row["usual_returning"] or 0) * (row["visits"] or 0)
    own = (row["returning_visits"] or 0) * (row["usual_visits"] or 0)
    if not row["spend"] and not row["visits"]:
        return Flag("ended: no spend and no visits in these weeks", "good")
    if row["highest"] < 0:
        return Flag("stop: it costs more than it brings, by every model", "bad")
    if own > MUCH_MORE * usual:
        return Flag("doubt: its visitors were here before; pause it for some and compare", "doubt")
    if row["lowest"] < 0:
        return Flag("look closer: the models do not agree", "doubt")
    return Flag("keep", "good")


def models(facts: Facts) -> Section:
    """Return the return on spend of each campaign by each model."""
    rows = facts.rows("""
        select
            campaign_id,
            model,
            sum(spend) as spend,
            sum(attributed_revenue) as revenue
        from campaign.performance_daily
        where campaign_id <> '(none)' and report_date between $first and $last
        group by campaign_id, model
        having sum(spend) > 0
        order by campaign_id, model
    """)
    spend = {row["campaign_id"]: row["spend"] for row in rows}
    dearest = sorted(spend, key=lambda one: (-spend[one], one))
    told = {(row["campaign_id"], row["model"]): ratio(row["revenue"], row["spend"]) for row in rows}
    known = [model for model in MODELS if any(row["model"] == model for row in rows)]
    table = Table(
        among(MOST, len(dearest), f"Return on spend (ROAS) by model, from {facts.period}"),
        (Column("Campaign"), *numbers(*(MODELS[model] for model in known))),
        tuple(
            (campaign, *(told.get((campaign, model), NOTHING) for model in known))
            for campaign in dearest[:MOST]
        ),
        "No campaign cost anything in these weeks.",
    )
    return Section(
        "models",
        "What does each model say?",
        "Revenue per unit spent. Each model shares the same orders in another way: compare them,"
        " and never add them. Better by the last touch than by the first is a campaign that comes"
        " late.",
        (table,),
    )
