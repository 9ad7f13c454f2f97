"""The page about affiliates: what they brought, what they are owed, and what is held or waits."""

from collections.abc import Sequence
from decimal import Decimal

from warehouse.figures import count, money, percent, ratio
from warehouse.report import affiliate_checks
from warehouse.report.facts import Facts, Row, tile
from warehouse.report.parts import Column, Page, Section, Table, Tile, among, bar, numbers

TITLE = "Affiliates"
# `warehouse sql` lists those of a larger programme; the totals are of all.
MOST = 200
STATES = {
    "pending": "Inside its hold",
    "held": "Held by an open chargeback",
    "approved": "Past its hold",
    "payable": "In a closed statement",
    "paid": "Paid",
    "reversed": "Taken back",
    "declined": "Declined",
}


def page(facts: Facts) -> Page:
    """Return the page."""
    begins = facts.begins_at("affiliate.performance_daily")
    if begins is None:
        return Page(
            "affiliate", TITLE, "This version holds no clicks and no sales of affiliates yet."
        )
    sections = (
        (payable, "payable", "What can be paid, and what is owed?"),
        (states, "states", "What became of the commissions?"),
        (best, "best", "Who brought most?"),
        (affiliate_checks.held_clicks, "held", "Which clicks are held?"),
        (affiliate_checks.waiting, "waiting", "What is waiting?"),
        (affiliate_checks.declined, "declined", "Why did lines earn nothing?"),
        (affiliate_checks.statements, "statements", "How do the monthly balances move?"),
    )
    return Page(
        "affiliate",
        TITLE,
        "What affiliates brought and what it costs. Sales are in the reporting currency,"
        " commissions in the currency that each affiliate is paid in; currencies are never added.",
        facts.tiles(_tiles, begins),
        tuple(facts.section(*one) for one in sections),
    )


def _tiles(facts: Facts, has_before: bool) -> tuple[Tile, ...]:
    rows = facts.rows("""
        select
            report_date >= $first as is_now,
            currency,
            sum(clicks) as clicks,
            sum(valid_clicks) as valid_clicks,
            sum(orders) as orders,
            sum(sales) as sales,
            sum(net_commission) as commission
        from affiliate.performance_daily
        where report_date between $before and $last
        group by report_date >= $first, currency
        order by currency
    """)
    now = [row for row in rows if row["is_now"]]
    before = [row for row in rows if not row["is_now"]]

    def both(name: str, currency: str | None = None) -> tuple[Decimal, Decimal | None]:
        return _sum(now, name, currency), _sum(before, name, currency) if has_before else None

    paid_in = sorted({row["currency"] for row in rows if row["commission"]})
    return (
        tile(
            "Sales", *both("sales"), money, facts.currency, "that earn commission, before refunds"
        ),
        tile("Orders", *both("orders"), count),
        tile("Clicks that may earn", *both("valid_clicks"), count),
        tile(
            "Clicks held",
            _sum(now, "clicks") - _sum(now, "valid_clicks"),
            _sum(before, "clicks") - _sum(before, "valid_clicks") if has_before else None,
            count,
        ),
        *(
            tile("Commission", *both("commission", one), money, one, "after what was taken back")
            for one in paid_in
        ),
    )


def _sum(rows: Sequence[Row], name: str, currency: str | None = None) -> Decimal:
    found = [row[name] or 0 for row in rows if currency in {None, row["currency"]}]
    return sum(map(Decimal, found), Decimal(0))


def payable(facts: Facts) -> Section:
    """Return what is payable and owed by affiliate, from posted state."""
    rows = facts.rows("""
        select affiliate_id, name, currency, affiliate_status, payable, owed, pending, in_payment,
            minimum_payout, payout_currency, statement_number
        from affiliate.payable
        order by payable desc, owed desc, affiliate_id, currency
    """)
    amounts = ("payable", "owed", "pending", "in_payment")
    currencies = sorted({row["currency"] for row in rows})
    table = Table(
        among(
            MOST,
            len(rows),
            "Payable and owed by affiliate, from posted state, in currencies of payout",
        ),
        (
            Column("Affiliate"),
            Column("Currency"),
            *numbers("Payable now", "Owed", "Inside its hold", "In payment", "Least payout"),
            Column("Statement"),
            Column("Partnership"),
        ),
        tuple(
            (
                named(row),
                row["currency"],
                *(money(row[amount]) for amount in amounts),
                f"{money(row['minimum_payout'])} {row['payout_currency'] or ''}".strip(),
                row["statement_number"],
                row["affiliate_status"],
            )
            for row in rows[:MOST]
        ),
        "No affiliate has earned anything yet.",
        tuple(
            (f"All in {one}", one, *(money(_sum(rows, a, one)) for a in amounts), "", "", "")
            for one in currencies
        ),
    )
    return Section(
        "payable",
        "What can be paid, and what is owed?",
        "From posted state: closed statements, payments, decisions, and the entries that were"
        " posted with this version. A rollback of what is shown pays nobody more or less;"
        " `warehouse payouts export` works from the same state, as it is by then.",
        (table,),
        tuple(
            f"{money(_sum(rows, 'payable', one))} {one} can be paid out"
            for one in currencies
            if _sum(rows, "payable", one)
        ),
    )


def states(facts: Facts) -> Section:
    """Return commissions of all orders so far by what became of them."""
    rows = facts.rows("""
        select currency, status, count(*) as lines, sum(commission_amount) as earned,
            sum(due_amount) as due
        from affiliate.conversions
        group by currency, status
        order by currency, status
    """)
    place = {state: number for number, state in enumerate(STATES)}
    rows.sort(key=lambda row: (row["currency"], place.get(row["status"], len(place))))
    largest = {
        one: max(row["due"] for row in rows if row["currency"] == one)
        for one in {row["currency"] for row in rows}
    }
    table = Table(
        "Commissions of all orders so far by state",
        (
            Column("State"),
            Column("Currency"),
            Column("Due", is_wide=True),
            *numbers("Before refunds", "Order lines"),
        ),
        tuple(
            (
                STATES.get(str(row["status"]), str(row["status"])),
                row["currency"],
                bar(money(row["due"]), row["due"], largest[row["currency"]]),
                money(row["earned"]),
                count(row["lines"]),
            )
            for row in rows
        ),
        "No order came by an affiliate yet.",
    )
    return Section(
        "states",
        "What became of the commissions?",
        "Due is the commission less what refunds and chargebacks took. Bars compare within a"
        " currency.",
        (table,),
    )


def best(facts: Facts) -> Section:
    """Return what each affiliate brought in the period, those with most sales first."""
    rows = facts.rows("""
        select
            daily.affiliate_id,
            max(payable.name) as name,
            daily.currency,
            sum(daily.clicks) as clicks,
            sum(daily.valid_clicks) as valid_clicks,
            sum(daily.orders) as orders,
            sum(daily.sales) as sales,
            sum(daily.commission) as commission,
            sum(daily.reversed_commission) as reversed_commission,
            sum(daily.net_commission) as net_commission
        from affiliate.performance_daily as daily
        left join
            affiliate.payable as payable
            on daily.affiliate_id = payable.affiliate_id and daily.currency = payable.currency
        where daily.report_date between $first and $last
        group by daily.affiliate_id, daily.currency
        order by sales desc, clicks desc, daily.affiliate_id, daily.currency
        limit 20
    """)
    largest = max((row["sales"] for row in rows), default=Decimal(0))
    table = Table(
        f"The first twenty affiliates by sales, from {facts.period}",
        (
            Column("Affiliate"),
            Column(f"Sales, {facts.currency}", is_wide=True),
            *numbers("Orders", "Clicks", "May earn", "Commission"),
            Column("Currency"),
            *numbers("Taken back", "Commission per click"),
        ),
        tuple(
            (
                named(row),
                bar(money(row["sales"]), row["sales"], largest),
                count(row["orders"]),
                count(row["clicks"]),
                count(row["valid_clicks"]),
                money(row["net_commission"]),
                row["currency"],
                percent(row["reversed_commission"], row["commission"]),
                ratio(row["net_commission"], row["valid_clicks"]),
            )
            for row in rows
        ),
        "No affiliate brought a click or a sale in these weeks.",
    )
    return Section(
        "best",
        "Who brought most?",
        "Orders may come by a coupon or by a click of earlier weeks, so they can be more than the"
        " clicks. Commission is after what refunds and chargebacks took back so far; an affiliate"
        " of whom far more is taken back than of others brings buyers who send things back.",
        (table,),
    )


def named(row: Row) -> str:
    """Return an affiliate's name with the id, or the id where no name is known."""
    return f"{row['name']} ({row['affiliate_id']})" if row["name"] else row["affiliate_id"]
