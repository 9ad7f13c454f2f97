"""The first page: which version, how fresh its sources are, and whether its money agrees."""

from warehouse.figures import count, minute, money
from warehouse.report import sales
from warehouse.report.facts import Facts
from warehouse.report.parts import Column, Flag, Page, Section, Table, numbers

TITLE = "Overview"
ATTRIBUTED = """
    with counted as (
        select coalesce(sum(gross_revenue), 0) as amount from core.orders where is_counted
    ),

    models as (
        select model, sum(attributed_revenue) as amount
        from campaign.performance_daily
        group by model
    )

    select
        'Revenue of orders, and as attributed by ' || replace(model, '_', ' ') as name,
        null as currency,
        counted.amount as one,
        models.amount as other
    from models cross join counted
    order by name
"""
DOUBLE_ENTRY = """
    select
        'Debits and credits of the commission ledger' as name,
        currency,
        sum(case when amount > 0 then amount else 0 end) as one,
        -sum(case when amount < 0 then amount else 0 end) as other
    from affiliate.commission_ledger
    group by currency
    order by currency
"""
BALANCES = """
    with ledger as (
        select currency, -sum(amount) as amount
        from affiliate.commission_ledger
        where account = 'affiliate_payable'
        group by currency
    ),

    newest as (
        select currency, sum(closing) as amount
        from affiliate.statements
        where period = (select max(period) from affiliate.statements)
        group by currency
    )

    select
        'Payable in the ledger, and the newest statements' as name,
        coalesce(ledger.currency, newest.currency) as currency,
        coalesce(ledger.amount, 0) as one,
        coalesce(newest.amount, 0) as other
    from ledger full outer join newest on ledger.currency = newest.currency
    order by 2
"""


def page(facts: Facts) -> Page:
    """Return the page."""
    begins = facts.begins_at("core.daily_totals")
    sections = (
        (sales.bridge, sales.NAME, sales.TITLE),
        (agreement, "agreement", "Does the money agree?"),
        (sources, "sources", "Are the sources whole?"),
        (marts, "marts", "How complete is each table?"),
    )
    return Page(
        "index",
        TITLE,
        "What the shop sold, which version all pages are written from, and what vouches for it.",
        facts.tiles(sales.tiles, begins) if begins else (),
        tuple(facts.section(*one) for one in sections),
    )


def agreement(facts: Facts) -> Section:
    """Return sums that must be equal, computed anew from the tables of the version."""
    # Apart: one query of amounts with two and with four places would round the latter.
    rows = [*facts.rows(ATTRIBUTED), *facts.rows(DOUBLE_ENTRY), *facts.rows(BALANCES)]
    table = Table(
        "Sums that must be equal, over all days of the version",
        (Column("What"), Column("Verdict"), Column("Currency"), *numbers("One", "The other")),
        tuple(
            (
                row["name"],
                Flag("equal, to the last place", "good")
                if row["one"] == row["other"]
                else Flag(f"differs by {row['one'] - row['other']:,f}", "bad"),
                row["currency"] or facts.currency,
                money(row["one"]),
                money(row["other"]),
            )
            for row in rows
        ),
        "There is no order and no commission yet.",
    )
    return Section(
        "agreement",
        "Does the money agree?",
        "Computed from the published tables when this page was written, apart from the audits that"
        " every version passes.",
        (table,),
        tuple(
            f"{row['name']} ({row['currency'] or facts.currency}) differ"
            for row in rows
            if row["one"] != row["other"]
        ),
        f"All {len(rows)} sums are equal, to the last place"
        if rows and all(row["one"] == row["other"] for row in rows)
        else "",
    )


def sources(facts: Facts) -> Section:
    """Return the newest certificate of each source table."""
    rows = facts.rows("""
        select source, cell, table_name, kind, status, source_rows, warehouse_rows, checked_at,
            detail
        from meta.certificates
        qualify row_number() over (
            partition by source, cell, table_name order by checked_at desc, certificate_id desc
        ) = 1
        order by source, table_name, cell
    """)
    table = Table(
        "Newest certificate of each source table",
        (
            Column("Table"),
            Column("Verdict"),
            Column("Cell"),
            *numbers("Rows in the source", "In the warehouse"),
            Column("Compared", is_wide=True),
        ),
        tuple(
            (
                f"{row['source']}.{row['table_name']}",
                Flag(row["status"], "good" if row["status"] == "passed" else "bad"),
                row["cell"],
                count(row["source_rows"]),
                count(row["warehouse_rows"]),
                f"{row['kind']}, {minute(row['checked_at'], facts.zone)}",
            )
            for row in rows
        ),
        "No source table has been loaded yet.",
    )
    return Section(
        "sources",
        "Are the sources whole?",
        "Each load ends with a certificate that compares what the source had with what arrived:"
        " exact (every row), or read (all that the source gave out).",
        (table,),
        tuple(
            f"{row['source']}.{row['table_name']} ({row['cell']}): certificate {row['status']}"
            for row in rows
            if row["status"] != "passed"
        ),
        f"The newest certificate of each of {len(rows)} source tables passed"
        if rows and all(row["status"] == "passed" for row in rows)
        else "",
    )


def marts(facts: Facts) -> Section:
    """Return up to when each mart is complete."""
    rows = facts.rows("""
        select mart, cell, complete_up_to, is_complete, unmatched_rows
        from meta.freshness
        order by mart, cell
    """)
    late = [row for row in rows if not row["is_complete"]]
    unmatched = [row for row in rows if row["unmatched_rows"]]
    table = Table(
        f"Tables of the version, by the clock of {facts.zone.key}",
        (
            Column("Table"),
            Column("Verdict"),
            Column("Cell"),
            Column("Complete up to"),
            Column("Rows that name what is not there", is_number=True),
        ),
        tuple(
            (
                row["mart"],
                Flag("complete", "good") if row["is_complete"] else Flag("source lags", "doubt"),
                row["cell"],
                minute(row["complete_up_to"], facts.zone),
                count(row["unmatched_rows"]),
            )
            for row in rows
        ),
        "No table has a source yet.",
    )
    return Section(
        "marts",
        "How complete is each table?",
        "A table is complete if every source it is made from had been read up to the version's"
        " as_of. Rows that name what is not there are of its sources, and name a product, campaign"
        " or customer that no source has; they are counted all the same.",
        (table,),
        (f"{len(late)} of {len(rows)} tables wait for a source that lags",) if late else (),
        f"All {len(rows)} tables are complete"
        + (f"; {_having(len(unmatched))} rows that name what is not there" if unmatched else "")
        if rows and not late
        else "",
    )


def _having(tables: int) -> str:
    return "1 has" if tables == 1 else f"{tables} have"
