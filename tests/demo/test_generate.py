"""The made-up shop: form, oddities, and numbers that stay when it grows."""

from collections import Counter
from dataclasses import replace
from datetime import datetime

import duckdb
import pyarrow as pa
import pytest

from demo.content import Content
from demo.generate import made_lines, plan
from demo.place import Arguments

MADE = Arguments(orders=None, clicks=None, scale=1, seed=1)


@pytest.fixture(scope="module")
def lines() -> pa.Table:
    """Return the lines of the usual size."""
    return made_lines(seed=1)


def test_the_usual_size_is_300_customers_2000_orders_and_5000_items(lines: pa.Table) -> None:
    content = Content(lines, MADE)
    counts = {name: table.num_rows for name, table in content.rows.items()}

    assert 250 <= counts["users"] <= 300
    assert 200 <= counts["products"] <= 250
    assert counts["orders"] == 2_000
    assert counts["refunds"] > 200
    assert content.clock == datetime.fromisoformat("2026-04-01T00:00:00Z")
    items = content.items()
    assert sum(len(found) for found in items.values()) >= 5_000
    last = content.clock.isoformat()
    assert all(item["received_at"]["S"] < last for item in items["campaign_events"])
    assert all(item["occurred_at"]["S"] < last for item in items["shop_activity"])


def test_it_has_the_oddities_of_the_real_data(lines: pa.Table) -> None:
    with duckdb.connect() as connection:
        connection.register("lines", lines)
        found = connection.execute(
            """
            select
                count(*) filter (customer_id is null),
                count(*) filter (description is null),
                count(*) filter (stock_code = 'POST'),
                count(*) filter (stock_code <> upper(stock_code)),
                count(*) filter (unit_price = 0 and customer_id is null and quantity < 0),
                count(*) filter (unit_price * 100 <> floor(unit_price * 100)),
                count(*) filter (invoice_no[1] = 'A'),
                count(*) - (select count(*) from (select distinct * from lines)),
                count(distinct invoice_no) filter (invoice_no[1] = 'C')
            from lines
            """
        ).fetchone()
        two_times = connection.execute(
            "select invoice_no from lines group by 1 having count(distinct invoiced_at) > 1"
        ).fetchone()

    assert found
    assert all(found), found
    assert two_times


def test_one_more_order_changes_no_other(lines: pa.Table) -> None:
    size = plan(1)

    more = made_lines(1, size=replace(size, orders=size.orders + 1))

    had = Counter(map(str, lines.to_pylist()))
    have = Counter(map(str, more.to_pylist()))
    assert not had - have
    assert have - had


def test_another_seed_makes_another_shop(lines: pa.Table) -> None:
    assert not made_lines(seed=2).equals(lines)
    assert made_lines(seed=1).equals(lines)
