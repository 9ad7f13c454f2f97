"""How document lines become the rows of the shop's tables."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from demo.orders import history_of, rows_of, utc
from demo.orders_file import read_lines
from demo.parameters import Parameters
from demo.rows.documents import document_rows
from demo.state import clock_after
from tests.demo.lines import lines_of

D = Decimal


def rows(table: pa.Table, *columns: str) -> list[tuple[Any, ...]]:
    """Return the given columns as tuples."""
    return [tuple(row.values()) for row in table.select(list(columns)).to_pylist()]


def test_lines_are_numbered_from_1_in_file_order_and_go_on_counting() -> None:
    shop = document_rows(
        lines_of(
            "1 | A | a | 2 | 2011-01-05 10:00 | 1.5 | 7",
            "2 | A | a | 1 | 2011-01-05 10:01 | 1.5 | 7",
            "1 | B | b | 3 | 2011-01-05 10:02 | 2   | 7",
            "1 | A | a | 2 | 2011-01-05 10:00 | 1.5 | 7",
        ),
        seed=1,
    )

    assert rows(shop["order_lines"], "order_line_id", "product_id", "quantity") == [
        ("1-1", "A", 2),
        ("2-1", "A", 1),
        ("1-2", "B", 3),
        ("1-3", "A", 2),
    ]
    assert rows(shop["orders"], "order_id", "user_id", "status", "currency") == [
        ("1", "7", "shipped", "GBP"),
        ("2", "7", "shipped", "GBP"),
    ]
    assert rows(shop["orders"], "ordered_at")[0] == (datetime(2011, 1, 5, 10, tzinfo=UTC),)


def test_a_cancellation_becomes_refunds_and_no_order() -> None:
    shop = document_rows(
        lines_of(
            "C9 | A | a | -2 | 2011-01-05 10:00 | 1.125 | 7",
            "C9 | D | Discount | -1 | 2011-01-05 10:03 | 5 |",
        ),
        seed=1,
    )

    assert shop["orders"].num_rows == shop["order_lines"].num_rows == 0
    columns = ("refund_id", "refund_document_id", "order_id", "user_id", "quantity", "amount")
    assert rows(shop["refunds"], *columns) == [
        ("C9-1", "C9", None, "7", 2, D("2.250")),
        ("C9-2", "C9", None, "7", 1, D("5.000")),
    ]
    assert set(rows(shop["refunds"], "refunded_at")) == {(datetime(2011, 1, 5, 10, tzinfo=UTC),)}
    assert rows(shop["users"], "user_id", "email", "name", "account_status") == [
        ("7", "c7@example.com", "Customer 7", "active")
    ]


def test_a_product_has_its_latest_name_and_price_and_keeps_its_letter_case() -> None:
    shop = document_rows(
        lines_of(
            "1 | 85123A | OLD MUG     | 1 | 2011-01-05 10:00 | 2    | 7",
            "2 | 85123A |   NEW MUG   | 1 | 2011-01-06 10:00 | 2.55 | 7",
            "3 | 85123A |             | 1 | 2011-01-07 10:00 | 0    | 7",
            "4 | 85123a | mug in gift | 1 | 2011-01-07 10:00 | -3   | 7",
            "5 | POST   |             | 1 | 2011-01-07 10:00 | 18   | 7",
        ),
        seed=1,
    )

    columns = ("product_id", "name", "category", "list_price", "is_commissionable")
    assert rows(shop["products"], *columns) == [
        ("85123A", "NEW MUG", "kitchen", D("2.550"), True),
        ("85123a", "mug in gift", "kitchen", D("0.000"), True),
        ("POST", None, "other", D("18.000"), False),
    ]
    brands = [brand for (brand,) in rows(shop["products"], "brand")]
    assert brands[0] == brands[1]


def test_a_customer_has_the_country_of_the_latest_document_and_the_time_of_the_first() -> None:
    lines = lines_of(
        "1  | A | a | 1  | 2011-01-05 10:00 | 2 | 7",
        "C2 | A | a | -1 | 2011-01-06 10:00 | 2 | 7",
        "3  | A | a | 1  | 2011-01-06 10:00 | 2 | 8",
    )
    countries = pa.array(["Belgium", "France", "Spain"])
    moved = lines.set_column(lines.schema.get_field_index("country"), "country", countries)

    shop = document_rows(moved, seed=1)

    assert rows(shop["users"], "user_id", "country", "created_at") == [
        ("7", "France", datetime(2011, 1, 5, 10, tzinfo=UTC)),
        ("8", "Spain", datetime(2011, 1, 6, 10, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("wall", "instant"),
    [
        ("2011-03-26T12:00", "2011-03-26T12:00"),
        ("2011-03-28T12:00", "2011-03-28T11:00"),
        # does not exist: read with the offset before the change
        ("2011-03-27T01:30", "2011-03-27T01:30"),
        # occurs twice: the first pass
        ("2011-10-30T01:30", "2011-10-30T00:30"),
        ("2011-10-30T02:30", "2011-10-30T02:30"),
    ],
)
def test_london_wall_clock_becomes_utc_by_the_zones_rules(wall: str, instant: str) -> None:
    assert utc(datetime.fromisoformat(wall)) == datetime.fromisoformat(f"{instant}Z")


def test_the_real_orders_give_the_figures_of_the_data(shared_data: Path) -> None:
    lines = read_lines(shared_data / "online_retail_2010-12-01_2011-08-31.parquet")

    now = clock_after(lines)
    shop = rows_of(history_of(lines, lines, now, None, 1, 1, Parameters()))

    counts = {name: table.num_rows for name, table in shop.items()}
    documents = ("users", "products", "orders", "order_lines", "refunds")
    assert {name: counts[name] for name in documents} == {
        "users": 3_360,
        "products": 3_774,
        "orders": 13_905,
        "order_lines": 314_858,
        "refunds": 5_847,
    }
    assert counts["order_lines"] + counts["refunds"] == 320_705
    with duckdb.connect() as connection:
        connection.register("order_lines", shop["order_lines"])
        connection.register("refunds", shop["refunds"])
        figures = connection.execute(
            """
            select
                (select sum(quantity * unit_price) from order_lines)
                - (select sum(amount) from refunds),
                (select count(distinct refund_document_id) from refunds),
                (select min(quantity) from refunds)
            """
        ).fetchone()
    assert figures == (D("5761931.382"), 2_554, 1)
