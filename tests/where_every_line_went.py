"""Write docs/explanation/where-every-line-went.md from the real orders: `make docs-lines`."""

import os
import sys
import tempfile
from pathlib import Path

import duckdb

import warehouse
from tests.demo_shops import published, real_orders
from warehouse.publish.reader import Published

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "explanation" / "where-every-line-went.md"

TABLES = ("order_lines", "orders", "refunds", "refund_allocations")

# The warehouse numbers the lines of an invoice in file order: that is how each is found again.
LINES = """
create table lines as
select
    InvoiceNo || '-' || row_number() over (partition by InvoiceNo order by file_row_number)
        as line_id,
    row_number() over (
        partition by
            InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country
        order by file_row_number
    ) > 1 as is_duplicate
from read_parquet($orders, file_row_number => true)
"""

# All rows of one refund's allocations but an `(unmatched)` remainder share one rule: the first.
WENT = """
create table went as
with first_rules as (
    select refund_id, min_by(match_rule, match_rule = 'unmatched') as match_rule
    from refund_allocations
    group by refund_id
)
select
    1 as part, line_kind as went_to, order_line_id as line_id, line_amount as amount,
    customer_id is null as is_anonymous
from order_lines inner join orders using (order_id)
union all
select
    2, match_rule, refund_id, -amount, customer_id is null
from refunds inner join first_rules using (refund_id)
"""

ROWS = """
select
    part,
    case
        when grouping(part) = 1 then 'all lines'
        when grouping(went_to) = 1 then if(part = 1, 'order lines', 'refund lines')
        else went_to
    end as went_to,
    count(*), sum(amount),
    count(case when is_duplicate then 1 end),
    coalesce(sum(case when is_duplicate then amount end), 0),
    count(case when is_anonymous then 1 end),
    coalesce(sum(case when is_anonymous then amount end), 0)
from went inner join lines using (line_id)
group by rollup (part, went_to)
order by grouping(part), part, grouping(went_to), went_to
"""

ALLOCATED = """
select match_rule, count(distinct refund_id), count(*), sum(quantity)::bigint, sum(amount)
from refund_allocations
group by match_rule
order by match_rule
"""

TEXT = """\
# Where every line went

Written by `make docs-lines` from the real orders, `{file}`
([origin]({origin})). A test compares this page with what a run publishes.

The file's {lines} lines add up to {amount}. Each of them is a row of `core.order_lines` or
of `core.refunds`, under the id `<invoice>-<n>`, n counting the invoice's lines in file order; none
is dropped, joined twice or changed. Refunds count negatively here.

{table}

- *Duplicates* repeat an earlier line of the file in all eight columns. Nobody can say which of them
  are true repeats, so they are kept and counted.
- *Without customer*: the file has no customer for them. They count in every total; they match no
  refund, and belong to no row of `core.customers`.
- The kind of a line comes from the seed `dbt_project/seeds/line_kinds.csv`; a price of 0 without a
  customer makes an adjustment.
- A refund line stands under the rule of its first allocation. A refund may be split over several
  order lines, and what finds none is kept as an `(unmatched)` remainder:

{allocations}

The {orders} invoices that are no cancellations are the rows of `core.orders`; {adjustments} of
them have no sale line (`order_kind` is `adjustment`), the other {sales} add up to {sold}.
"""


def page(version: Published, orders: Path) -> str:
    """Return the page for a published version made from `orders` alone."""
    connection = duckdb.connect()
    for table in TABLES:
        connection.register(table, version.sql(f"select * from core.{table}").to_arrow_table())
    connection.execute(LINES, {"orders": str(orders)})
    connection.execute(WENT)
    rows = connection.execute(ROWS).fetchall()
    kinds = connection.execute(
        "select order_kind, count(*), sum(gross_revenue) from orders group by all"
    ).fetchall()
    counts = {kind: count for kind, count, _ in kinds}
    _, _, lines, amount, *_ = rows[-1]
    return TEXT.format(
        file=orders.name,
        origin="../../data/README.md",
        lines=_number(lines),
        amount=_number(amount),
        table=_table(
            ("went to", "lines", "amount", "duplicates", "amount", "without customer", "amount"),
            [_emphasised(row) for row in rows],
        ),
        allocations=_table(
            ("rule", "refund lines", "allocations", "quantity", "amount"),
            [tuple(map(_number, row)) for row in connection.execute(ALLOCATED).fetchall()],
        ),
        orders=_number(sum(counts.values())),
        adjustments=_number(counts["adjustment"]),
        sales=_number(counts["sale"]),
        sold=_number(next(sold for kind, _, sold in kinds if kind == "sale")),
    )


def _emphasised(row: tuple[object, ...]) -> tuple[str, ...]:
    """Return a row's cells; a sum of rows above it in bold."""
    _, went_to, *figures = row
    cells = [str(went_to).replace("_", " "), *map(_number, figures)]
    is_sum = str(went_to).endswith(" lines")
    return tuple(f"**{cell}**" for cell in cells) if is_sum else tuple(cells)


def _number(value: object) -> str:
    """Return a figure as people read it: thousands apart, at least three decimals if any."""
    if isinstance(value, int):
        return f"{value:,}"
    text = f"{value:,}" if not isinstance(value, str) else value
    return text.removesuffix("0") if text[-5:-4] == "." else text


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    rule = ("---", *("---:" for _ in head[1:]))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def main() -> None:
    """Load the real orders into a shop of their own, and write the page."""
    named = os.environ.get("WAREHOUSE_SHARED_DATA")
    orders = real_orders(Path(named) if named else ROOT.parent / "shared" / "data")
    if not orders.is_file():
        sys.exit(f"{orders}: no such file; name its folder in WAREHOUSE_SHARED_DATA")
    with (
        tempfile.TemporaryDirectory() as folder,
        published(Path(folder), "--orders", str(orders)) as shop,
        warehouse.open(config=shop.directory / "warehouse.yml") as version,
    ):
        PAGE.write_text(page(version, orders), encoding="utf-8")


if __name__ == "__main__":
    main()
