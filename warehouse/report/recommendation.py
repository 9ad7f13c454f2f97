"""The page about recommendations: which are live, what goes together, what trends, what e-mails."""

from decimal import Decimal

from warehouse.figures import NOTHING, count, money, percent, ratio
from warehouse.report import recommendation_lists
from warehouse.report.facts import Facts, Row, tile
from warehouse.report.parts import Column, Flag, Page, Section, Span, Table, Tile, bar, numbers

TITLE = "Recommendations"
STATES = {
    "baseline": "baseline: popularity, with the first version",
    "published": "published: the blend beat popularity in that week",
    "kept": "kept: the blend did not beat popularity, and the former one stays",
    "withdrawn": "withdrawn: popularity beat the blend two weeks in a row, and takes its place",
}
KINDS = {
    "abandoned_cart": "Abandoned cart",
    "back_in_stock": "Back in stock",
    "on_sale_related": "Related product on sale",
    "price_drop": "Price fell",
    "searched_not_bought": "Searched, not bought",
    "viewed_not_bought": "Viewed, not bought",
}


def page(facts: Facts) -> Page:
    """Return the page."""
    begins = facts.begins_at("recommendation.interactions", "cast(occurred_at as date)")
    if begins is None:
        return Page("recommendation", TITLE, "This version holds nothing that people did yet.")
    sections = (
        (live, "live", "Which recommender is live, and why?"),
        (recommendation_lists.pairs, "pairs", "What goes together?"),
        (recommendation_lists.trending, "trending", "What trends, and can it be sold?"),
        (recommendation_lists.moved, "moved", "What rose and fell last week?"),
        (triggers, "triggers", "What did e-mails bring?"),
        (suppressed, "suppressed", "Why were e-mails not sent?"),
        (recommendation_lists.in_vain, "in-vain", "What do customers look for in vain?"),
    )
    return Page(
        "recommendation",
        TITLE,
        "What people did with products, what the shop recommends because of it, and what the"
        " e-mails that follow from it brought. Programs (bots) are in no figure.",
        facts.tiles(_tiles, begins),
        tuple(facts.section(*one) for one in sections),
    )


def _tiles(facts: Facts, has_before: bool) -> tuple[Tile, ...]:
    [did] = facts.rows("""
        with days as (
            select
                occurred_at, kind, actor_key,
                cast(timezone($zone, occurred_at) as date) as occurred_on
            from recommendation.interactions
        )

        select
            count(case when occurred_on >= $first then 1 end) as interactions,
            count(distinct case when occurred_on >= $first then actor_key end) as people,
            count(case when occurred_on < $first then 1 end) as interactions_before,
            count(distinct case when occurred_on < $first then actor_key end) as people_before
        from days
        where occurred_on between $before and $last
    """)
    [sent] = facts.rows("""
        with days as (
            select *, report_date >= $first as is_now
            from recommendation.trigger_performance_daily
            where report_date between $before and $last
        )

        select
            sum(case when is_now then sent_count end) as sent,
            sum(case when is_now then order_count end) as orders,
            sum(case when is_now then attributed_revenue end) as revenue,
            sum(case when not is_now then sent_count end) as sent_before,
            sum(case when not is_now then order_count end) as orders_before,
            sum(case when not is_now then attributed_revenue end) as revenue_before
        from days
    """)

    def both(row: Row, name: str) -> tuple[Decimal, Decimal | None]:
        before = Decimal(row[f"{name}_before"] or 0)
        return Decimal(row[name] or 0), before if has_before else None

    return (
        tile(
            "Interactions",
            *both(did, "interactions"),
            count,
            note="views, wishes, clicks in searches, additions to carts, bought lines",
        ),
        tile("People", *both(did, "people"), count, note="who did something with a product"),
        tile("Trigger e-mails sent", *both(sent, "sent"), count),
        tile("Orders by them", *both(sent, "orders"), count, note="by the last touch"),
        tile("Revenue by them", *both(sent, "revenue"), money, facts.currency),
    )


def live(facts: Facts) -> Section:
    """Return which recommender is live, and how its recall compares with that of popularity."""
    rows = facts.rows("""
        select recommender, metric, k, value, lower, upper, asked_count, window_start,
            window_last_date, is_published, status, reason
        from recommendation.evaluation
        order by metric, k, recommender
    """)
    shown = next((row for row in rows if row["is_published"]), None)
    value = {(row["recommender"], row["metric"], row["k"]): row["value"] for row in rows}
    gains = [row for row in rows if row["metric"] == "recall_over_popularity"]
    edges = [0.0, *(row[edge] or 0.0 for row in gains for edge in ("lower", "upper", "value"))]
    low, reach = min(edges), (max(edges) - min(edges)) or 1.0

    def at(one: float | None) -> float:
        return ((one or 0.0) - low) / reach

    table = Table(
        "Recall of the blend against popularity, by products shown",
        (
            Column("Products shown"),
            Column("Verdict"),
            *numbers("Popularity", "Blend", "Blend more or less", "At least", "At most"),
            Column("95 % interval, and 0", is_wide=True),
        ),
        tuple(
            (
                str(row["k"]),
                _verdict(row),
                _share(value.get(("popularity", "recall", row["k"]))),
                _share(value.get(("blend", "recall", row["k"]))),
                _share(row["value"]),
                _share(row["lower"]),
                _share(row["upper"]),
                Span(
                    f"from {_share(row['lower'])} to {_share(row['upper'])}",
                    at(row["lower"]),
                    at(row["upper"]),
                    at(row["value"]),
                    at(0.0),
                ),
            )
            for row in gains
        ),
        "No week has been judged yet.",
    )
    told = (
        f"Live: {shown['recommender']} ({STATES.get(shown['status'], shown['status'])})."
        f" Judged by {count(shown['asked_count'])} next products of the week from"
        f" {shown['window_start']} to {shown['window_last_date']}: {shown['reason']}."
        if shown and shown["window_start"]
        else ""
    )
    return Section(
        "live",
        "Which recommender is live, and why?",
        f"{told} Recall says how often the next product of a visit or order was in the list made of"
        " what it held up to then. The blend goes live where the interval lies above 0.".strip(),
        (table,),
    )


def _share(value: float | None) -> str:
    return NOTHING if value is None else percent(Decimal(repr(value)), places=2)


def _verdict(row: Row) -> Flag:
    if row["lower"] is None or row["upper"] is None:
        return Flag("not known", "doubt")
    if row["lower"] > 0:
        return Flag("the blend is better", "good")
    if row["upper"] < 0:
        return Flag("popularity is better", "doubt")
    return Flag("no difference beyond chance", "doubt")


def triggers(facts: Facts) -> Section:
    """Return what became of the trigger e-mails of the period by kind, and what they brought."""
    rows = facts.rows("""
        select
            kind,
            sum(due_count) as due,
            sum(suppressed_count) as suppressed,
            sum(exported_count) as exported,
            sum(sent_count) as sent,
            sum(clicked_count) as clicked,
            sum(order_count) as orders,
            sum(attributed_revenue) as revenue
        from recommendation.trigger_performance_daily
        where report_date between $first and $last
        group by kind
        order by revenue desc, sent desc, kind
    """)
    names = ("due", "suppressed", "exported", "sent", "clicked", "orders")
    table = Table(
        f"Trigger e-mails by kind, from {facts.period}",
        (
            Column("Kind"),
            *numbers("Came due", "Not sent", "Handed out", "Sent", "Clicked", "Orders"),
            *numbers(f"Revenue, {facts.currency}", "Per e-mail"),
        ),
        tuple(
            (
                KINDS.get(row["kind"], row["kind"]),
                *(count(row[name]) for name in names),
                money(row["revenue"]),
                ratio(row["revenue"], row["sent"]),
            )
            for row in rows
        ),
        "No e-mail came due or was sent in these weeks.",
        (
            (
                "All kinds",
                *(count(sum(row[name] for row in rows)) for name in names),
                money(sum((row["revenue"] for row in rows), Decimal(0))),
                ratio(
                    sum((row["revenue"] for row in rows), Decimal(0)),
                    sum(row["sent"] for row in rows),
                ),
            ),
        ),
    )
    [due] = facts.rows("""
        select count(*) as triggers from recommendation.email_triggers where status = 'due'
    """)
    return Section(
        "triggers",
        "What did e-mails bring?",
        "Orders and revenue of those whose last touch was a visit from the e-mail, each counted on"
        " its own day.",
        (table,),
        (
            f"{count(due['triggers'])} e-mail{'s are' if due['triggers'] > 1 else ' is'} due and"
            " not handed out yet",
        )
        if due["triggers"]
        else (),
    )


def suppressed(facts: Facts) -> Section:
    """Return why triggers that came due in the last 90 days must not be sent."""
    rows = facts.rows("""
        select suppressed_by, count(*) as triggers
        from recommendation.email_triggers
        where status = 'suppressed'
        group by suppressed_by
        order by triggers desc, suppressed_by
    """)
    total = sum(row["triggers"] for row in rows)
    largest = max((row["triggers"] for row in rows), default=1)
    table = Table(
        "E-mails that came due in the last 90 days and are not sent, by the first reason",
        (
            Column("Reason"),
            Column("E-mails", is_wide=True),
            Column("Of those not sent", is_number=True),
        ),
        tuple(
            (
                row["suppressed_by"].replace("_", " "),
                bar(count(row["triggers"]), row["triggers"], largest),
                percent(row["triggers"], total),
            )
            for row in rows
        ),
        "None was held back.",
    )
    return Section(
        "suppressed",
        "Why were e-mails not sent?",
        "No consent and nobody known cannot be helped here; expired says that nobody exported them"
        " in time.",
        (table,),
    )
