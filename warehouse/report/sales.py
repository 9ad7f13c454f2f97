"""What the overview says was sold, and how it leads to what was booked on the same days."""

from decimal import Decimal

from warehouse.figures import count, money
from warehouse.report.facts import Facts, Row, tile
from warehouse.report.parts import Column, Flag, Section, Table, Tile, numbers

NAME = "bridge"
TITLE = "Why does the table of days say otherwise?"
# Refunds are read one by one, so that neither end of the bridge is part of the way to the other.
BRIDGE = """
    with counted as (
        select order_id from core.orders
        where is_counted and order_date between $first and $last
    ),

    refunds as (
        select
            refunds.refund_date between $first and $last as is_of_days,
            counted.order_id is not null as is_of_orders,
            allocations.amount
        from core.refund_allocations as allocations
        inner join core.refunds as refunds on allocations.refund_id = refunds.refund_id
        left join core.order_lines as lines on allocations.order_line_id = lines.order_line_id
        left join counted on lines.order_id = counted.order_id
    ),

    orders as (
        select
            count(case when is_counted then 1 end) as counted_orders,
            coalesce(sum(case when is_counted then net_revenue end), 0) as counted_amount,
            count(case when not is_counted and status = 'cancelled' then 1 end)
                as cancelled_orders,
            coalesce(
                sum(case when not is_counted and status = 'cancelled' then gross_revenue end), 0
            ) as cancelled_amount,
            count(case when not is_counted and status <> 'cancelled' then 1 end)
                as other_orders,
            coalesce(
                sum(case when not is_counted and status <> 'cancelled' then gross_revenue end), 0
            ) as other_amount
        from core.orders
        where order_date between $first and $last
    ),

    moved as (
        select
            coalesce(sum(case when is_of_orders and not is_of_days then amount end), 0)
                as other_days_amount,
            coalesce(sum(case when is_of_days and not is_of_orders then amount end), 0)
                as other_refunds_amount
        from refunds
    ),

    days as (
        select
            coalesce(sum(order_count), 0) as days_orders,
            coalesce(sum(net_revenue), 0) as days_amount
        from core.daily_totals
        where report_date between $first and $last
    )

    select * from orders cross join moved cross join days
"""


def refunded_later(facts: Facts) -> Decimal:
    """Return refunds of the orders before that came when they were older than these are now.

    Orders of the period before have had its length longer to be refunded: what is compared with
    them leaves these refunds out.
    """
    [row] = facts.rows("""
        select coalesce(sum(allocations.amount), 0) as amount
        from core.refund_allocations as allocations
        inner join core.refunds as refunds on allocations.refund_id = refunds.refund_id
        inner join core.order_lines as lines on allocations.order_line_id = lines.order_line_id
        inner join core.orders as orders on lines.order_id = orders.order_id
        where
            orders.is_counted
            and orders.order_date >= $before
            and orders.order_date < $first
            and refunds.refunded_at > $as_of - ($first - $before) * interval 1 day
    """)
    return Decimal(row["amount"])


def tiles(facts: Facts, has_before: bool) -> tuple[Tile, ...]:
    """Return the figures of counted orders, and the refunds of the same days."""
    [row] = facts.rows("""
        select
            count(case when order_date >= $first then 1 end) as orders,
            sum(case when order_date >= $first then gross_revenue end) as gross,
            sum(case when order_date >= $first then refunded_amount end) as refunded,
            sum(case when order_date >= $first then net_revenue end) as net,
            count(case when order_date < $first then 1 end) as orders_before,
            sum(case when order_date < $first then gross_revenue end) as gross_before,
            sum(case when order_date < $first then refunded_amount end) as refunded_before,
            sum(case when order_date < $first then net_revenue end) as net_before
        from core.orders
        where is_counted and order_date between $before and $last
    """)
    [days] = facts.rows("""
        select
            sum(case when report_date >= $first then refunded_amount end) as refunded,
            sum(case when report_date < $first then refunded_amount end) as refunded_before
        from core.daily_totals
        where report_date between $before and $last
    """)

    later = refunded_later(facts)

    def both(row: Row, name: str, off: Decimal | int = 0) -> tuple[Decimal, Decimal | None]:
        before = Decimal(row[f"{name}_before"] or 0) - off
        return Decimal(row[name] or 0), before if has_before else None

    unit = facts.currency
    return (
        tile("Orders", *both(row, "orders"), count, note="that sell something, none cancelled"),
        tile("Revenue", *both(row, "gross"), money, unit, "of these orders, before refunds"),
        tile(
            "Refunds of these orders",
            *both(row, "refunded", later),
            money,
            unit,
            "so far, on any day; of those before up to the same age",
        ),
        tile(
            "Revenue after refunds",
            *both(row, "net", -later),
            money,
            unit,
            "of these orders, so far: later refunds will take from it",
        ),
        tile("Refunds of these days", *both(days, "refunded"), money, unit, "of orders of any day"),
    )


def bridge(facts: Facts) -> Section:
    """Return how revenue of counted orders becomes what the same days booked, place by place."""
    [row] = facts.rows(BRIDGE)
    steps = (
        ("Revenue after refunds, of counted orders", "counted_orders", row["counted_amount"]),
        ("Not counted: cancelled", "cancelled_orders", row["cancelled_amount"]),
        ("Not counted: nothing was sold (adjustments)", "other_orders", row["other_amount"]),
        ("Refunds of these orders on other days", None, row["other_days_amount"]),
        ("Refunds of other orders, or of none, on these days", None, -row["other_refunds_amount"]),
    )
    amount = sum((Decimal(step[2]) for step in steps), Decimal(0))
    orders = row["counted_orders"] + row["cancelled_orders"] + row["other_orders"]
    is_equal = (amount, orders) == (row["days_amount"], row["days_orders"])
    table = Table(
        f"From revenue of orders to the days' bookings, {facts.period}, in {facts.currency}",
        (Column("Step"), *numbers("Orders", "Amount"), Column("Verdict")),
        ()
        if not orders and not amount and is_equal
        else tuple(
            (name, count(row[number]) if number else "", money(step), "")
            for name, number, step in steps
        ),
        "There is no order yet.",
        (
            ("Together", count(orders), money(amount), ""),
            (
                "Table of days (core.daily_totals)",
                count(row["days_orders"]),
                money(row["days_amount"]),
                Flag("equal, to the last place", "good")
                if is_equal
                else Flag(f"differs by {amount - row['days_amount']:,f}", "bad"),
            ),
        ),
    )
    return Section(
        NAME,
        TITLE,
        "The pages count orders that sell something and are not cancelled, and take a refund from"
        " the order that it is of. `core.daily_totals` books every order on its day, also"
        " cancelled ones and adjustments such as bad debt, and a refund on the day of the refund.",
        (table,),
        () if is_equal else ("Revenue of orders does not lead to the days' bookings",),
    )
