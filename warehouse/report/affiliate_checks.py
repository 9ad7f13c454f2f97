"""What the page about affiliates says about held clicks, waiting amounts and statements."""

from datetime import timedelta

from warehouse.figures import count, day, money, percent
from warehouse.report.facts import Facts
from warehouse.report.parts import Column, Section, Table, bar, numbers

MONTHS = 6
KINDS = {
    "duplicate": "repeated click",
    "bot": "program",
    "flood": "made to be counted",
    "self": "the affiliate's own",
}


def held_clicks(facts: Facts) -> Section:
    """Return the clicks of the period that may not earn, by the rule that found them."""
    rows = facts.rows("""
        select
            validity,
            coalesce(validity_rule, '(none)') as validity_rule,
            count(*) as clicks,
            count(distinct affiliate_id) as affiliates,
            count(case when is_reviewed then 1 end) as reviewed,
            max(total) as total
        from (
            select *, count(*) over () as total
            from affiliate.clicks
            where click_date between $first and $last
        ) as clicks
        where validity <> 'valid'
        group by validity, validity_rule
        order by clicks desc, validity, validity_rule
    """)
    largest = max((row["clicks"] for row in rows), default=1)
    table = Table(
        f"Held clicks by rule, from {facts.period}",
        (
            Column("Rule"),
            Column("What it finds"),
            Column("Clicks", is_wide=True),
            *numbers("Of all clicks", "Affiliates", "Decided by people"),
        ),
        tuple(
            (
                row["validity_rule"],
                KINDS.get(row["validity"], row["validity"]),
                bar(count(row["clicks"]), row["clicks"], largest),
                percent(row["clicks"], row["total"]),
                count(row["affiliates"]),
                count(row["reviewed"]),
            )
            for row in rows
        ),
        "No click was held in these weeks.",
    )
    held = sum(row["clicks"] for row in rows)
    return Section(
        "held",
        "Which clicks are held?",
        "Held clicks earn nothing and are never deleted; `warehouse decide` releases or holds one.",
        (table,),
        (f"{count(held)} of {count(rows[0]['total'])} clicks are held for review",) if rows else (),
    )


def waiting(facts: Facts) -> Section:
    """Return what will become payable by week, what is held, and which months can be closed."""
    pending = facts.rows("""
        select
            cast(date_trunc('week', matures_at) as date) as week_start,
            currency,
            count(*) as lines,
            sum(due_amount) as due
        from affiliate.conversions
        where status = 'pending' and held_rule is null
        group by cast(date_trunc('week', matures_at) as date), currency
        order by week_start, currency
    """)
    held = facts.rows("""
        select held_rule, currency, count(*) as lines, sum(due_amount) as due,
            min(held_since) as since
        from affiliate.conversions
        where held_rule is not null and status in ('pending', 'held')
        group by held_rule, currency
        order by held_rule, currency
    """)
    closable = facts.rows("""
        select period, count(*) as statements, max(closable_at) as closable_at
        from affiliate.statements
        where status = 'open'
        group by period
        having max(closable_at) <= $as_of
        order by period
    """)
    largest = {
        one: max(row["due"] for row in pending if row["currency"] == one)
        for one in {row["currency"] for row in pending}
    }
    tables = (
        Table(
            "Commissions inside their hold, by the week in which it ends",
            (
                Column("Week"),
                Column("Currency"),
                Column("Amount", is_wide=True),
                Column("Order lines", is_number=True),
            ),
            tuple(
                (
                    f"{row['week_start']} to {row['week_start'] + timedelta(days=6)}",
                    row["currency"],
                    bar(money(row["due"]), row["due"], largest[row["currency"]]),
                    count(row["lines"]),
                )
                for row in pending
            ),
            "Nothing is inside its hold.",
        ),
        Table(
            "Commissions held until somebody decides",
            (Column("Why"), Column("Currency"), *numbers("Amount", "Order lines"), Column("Since")),
            tuple(
                (
                    row["held_rule"].replace("_", " "),
                    row["currency"],
                    money(row["due"]),
                    count(row["lines"]),
                    day(row["since"], facts.zone),
                )
                for row in held
            ),
            "Nothing is held by a chargeback or a rule.",
        ),
        Table(
            "Months that can be closed",
            (Column("Month"), Column("Open statements", is_number=True), Column("Since")),
            tuple(
                (
                    f"{row['period']:%Y-%m}",
                    count(row["statements"]),
                    day(row["closable_at"], facts.zone),
                )
                for row in closable
            ),
            "No month waits to be closed.",
        ),
    )
    return Section(
        "waiting",
        "What is waiting?",
        "Commission becomes payable when its hold is over and its month is closed"
        " (`warehouse close-statements`).",
        tables,
        (
            *(f"{row['period']:%Y-%m} can be closed" for row in closable),
            *(
                f"{money(row['due'])} {row['currency']} held: {row['held_rule'].replace('_', ' ')}"
                for row in held
            ),
        ),
    )


def declined(facts: Facts) -> Section:
    """Return the lines of the period that earn nothing, by reason."""
    rows = facts.rows("""
        select reason, count(*) as lines, count(distinct affiliate_id) as affiliates,
            sum(reporting_line_amount) as sales
        from affiliate.conversions
        where reason is not null and order_date between $first and $last
        group by reason
        order by lines desc, reason
    """)
    largest = max((row["lines"] for row in rows), default=1)
    table = Table(
        f"Order lines that earn nothing, ordered from {facts.period}",
        (
            Column("Reason"),
            Column("Order lines", is_wide=True),
            *numbers("Affiliates", f"Sales, {facts.currency}"),
        ),
        tuple(
            (
                row["reason"].replace("_", " "),
                bar(count(row["lines"]), row["lines"], largest),
                count(row["affiliates"]),
                money(row["sales"]),
            )
            for row in rows
        ),
        "Every line that an affiliate brought in these weeks earns.",
    )
    return Section(
        "declined",
        "Why did lines earn nothing?",
        "A declined line keeps its affiliate: it does not fall to the next one, who brought"
        " nothing.",
        (table,),
    )


def statements(facts: Facts) -> Section:
    """Return the sums of the newest months' statements by currency."""
    amounts = ("opening", "matured", "reversals", "adjustments", "payouts", "closing")
    rows = facts.rows(f"""
        select
            period,
            currency,
            {", ".join(f"sum({amount}) as {amount}" for amount in amounts)},
            count(*) as statements,
            count(case when status = 'closed' then 1 end) as closed,
            count(case when status = 'paid' then 1 end) as paid
        from affiliate.statements
        where period > (select max(period) from affiliate.statements) - interval {MONTHS} month
        group by period, currency
        order by period desc, currency
    """)
    table = Table(
        f"Statements of the newest {MONTHS} months, summed by currency",
        (
            Column("Month"),
            Column("Currency"),
            *numbers("Opening", "Matured", "Taken back", "Adjusted", "Paid out", "Closing"),
            *numbers("Statements", "Closed", "Paid"),
        ),
        tuple(
            (
                f"{row['period']:%Y-%m}",
                row["currency"],
                *(money(row[amount]) for amount in amounts),
                *(count(row[name]) for name in ("statements", "closed", "paid")),
            )
            for row in rows
        ),
        "There is no statement yet.",
    )
    return Section(
        "statements",
        "How do the monthly balances move?",
        "What affiliates are owed of commission past its hold. A month that is neither closed nor"
        " paid may still change; closed ones never do.",
        (table,),
    )
