"""What the page about recommendations lists: pairs, trends, searches."""

from warehouse.figures import count, day, percent, ratio
from warehouse.report.facts import Facts, Row
from warehouse.report.parts import Column, Flag, Section, Table, bar, numbers

TOP = 10
KINDS = {"co_purchase": "bought", "co_view": "viewed", "co_cart": "put into the cart"}


def pairs(facts: Facts) -> Section:
    """Return the pairs of products that chance explains least, by kind."""
    rows = facts.rows(f"""
        with placed as (
            select
                kind, product_id, other_product_id, n_ab, n_a, lift, llr,
                row_number() over (
                    partition by kind order by llr desc, product_id, other_product_id
                ) as place
            from recommendation.product_pairs
            where product_id < other_product_id and lift > 1
        )

        select placed.*, one.name, other.name as other_name
        from placed
        left join core.products as one on placed.product_id = one.product_id
        left join core.products as other on placed.other_product_id = other.product_id
        where placed.place <= {TOP}
        order by kind, place
    """)
    return Section(
        "pairs",
        "What goes together?",
        "Pairs that are together far more often than by chance, the surest first. Lift says how"
        " many times as often; what is out of stock or blocked is listed too.",
        tuple(_pairs(kind, [row for row in rows if row["kind"] == kind]) for kind in KINDS),
    )


def _pairs(kind: str, rows: list[Row]) -> Table:
    largest = max((row["llr"] for row in rows), default=1.0)
    return Table(
        f"Products that are {KINDS[kind]} together",
        (
            Column("Product"),
            Column("With"),
            *numbers("Together", "Lift"),
            Column("Sureness (log-likelihood ratio)", is_wide=True),
        ),
        tuple(
            (
                named(row["product_id"], row["name"]),
                named(row["other_product_id"], row["other_name"]),
                count(row["n_ab"]),
                f"{row['lift']:,.1f}",
                bar(f"{row['llr']:,.1f}", row["llr"], largest),
            )
            for row in rows
        ),
        f"No two products are {KINDS[kind]} together often enough.",
    )


def trending(facts: Facts) -> Section:
    """Return what people do more with than is usual for it."""
    rows = facts.rows(f"""
        select trending.rank, trending.product_id, products.name, trending.recent_rate,
            trending.usual_rate, trending.people_count, trending.exclusion
        from recommendation.trending_products as trending
        left join core.products as products on trending.product_id = products.product_id
        order by trending.rank
        limit {2 * TOP}
    """)
    largest = max((row["recent_rate"] for row in rows), default=1)
    table = Table(
        "Products furthest above what is usual for them",
        (
            Column("Product"),
            Column("Can it be sold?"),
            Column("Weight a day, lately", is_wide=True),
            *numbers("Usually", "Times", "People"),
        ),
        tuple(
            (
                named(row["product_id"], row["name"]),
                Flag(f"no: {row['exclusion'].replace('_', ' ')}", "bad")
                if row["exclusion"]
                else Flag("yes", "good"),
                bar(f"{row['recent_rate']:,.1f}", row["recent_rate"], largest),
                f"{row['usual_rate']:,.1f}",
                ratio(row["recent_rate"], row["usual_rate"], 1),
                count(row["people_count"]),
            )
            for row in rows
        ),
        "Nothing is far above what is usual for it.",
    )
    return Section(
        "trending",
        "What trends, and can it be sold?",
        "Weighed by what people do: a purchase says more than a view. A product that trends and is"
        " out of stock costs sales every day.",
        (table,),
        tuple(
            f"{named(row['product_id'], row['name'])} trends and is out of stock"
            for row in rows
            if row["exclusion"] == "out_of_stock"
        ),
    )


def moved(facts: Facts) -> Section:
    """Return what rose and fell in the newest week, beyond chance."""
    rows = facts.rows(f"""
        select trends.week_start, trends.direction, trends.rank, trends.product_id, products.name,
            trends.interaction_count, trends.previous_interaction_count, trends.purchase_count,
            trends.previous_purchase_count
        from recommendation.product_trends_weekly as trends
        left join core.products as products on trends.product_id = products.product_id
        where
            trends.week_start = (select max(week_start) from recommendation.product_trends_weekly)
            and trends.rank <= {TOP}
        order by trends.direction desc, trends.rank
    """)
    table = Table(
        f"Products that rose or fell in the week from {rows[0]['week_start']}" if rows else "Moved",
        (
            Column("Product"),
            Column("Direction"),
            *numbers("Interactions", "The week before", "Change", "Bought", "Bought before"),
        ),
        tuple(
            (
                named(row["product_id"], row["name"]),
                row["direction"],
                count(row["interaction_count"]),
                count(row["previous_interaction_count"]),
                percent(
                    row["interaction_count"] - row["previous_interaction_count"],
                    row["previous_interaction_count"],
                    0,
                ),
                count(row["purchase_count"]),
                count(row["previous_purchase_count"]),
            )
            for row in rows
        ),
        "No product moved by more than chance does.",
    )
    return Section(
        "moved",
        "What rose and fell last week?",
        "Only what moved by more than twice what chance does.",
        (table,),
    )


def in_vain(facts: Facts) -> Section:
    """Return searches that found nothing for at least ten people, as the mart has them."""
    rows = facts.rows(f"""
        select query, search_count, found_count, people_count, last_at
        from recommendation.searches_without_result
        order by search_count * 1.0 / (search_count + found_count) desc, search_count desc, query
        limit {TOP}
    """)
    table = Table(
        "Searches without a result in the last 90 days",
        (
            Column("Searched for"),
            *numbers("Found nothing", "Of such searches", "People"),
            Column("Last"),
        ),
        tuple(
            (
                row["query"],
                count(row["search_count"]),
                percent(row["search_count"], row["search_count"] + row["found_count"]),
                count(row["people_count"]),
                day(row["last_at"], facts.zone),
            )
            for row in rows
        ),
        "No search found nothing for ten people or more.",
    )
    return Section(
        "in-vain",
        "What do customers look for in vain?",
        "Near 100 % is what is never found: the shop does not offer it, or calls it otherwise."
        " Searches of fewer than ten people are not told, as a text may tell who typed it.",
        (table,),
    )


def named(product: str, name: str | None) -> str:
    """Return a product's name with its code, or the code where the catalogue has no name."""
    return f"{name} ({product})" if name else product
