"""The stock's movements: what is booked when, and when deliveries fill it up."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from demo.rows.stock import movements

TIME = pa.timestamp("us", "UTC")
OPENED = "2026-01-01T00:00:00+00:00"  # a Thursday; the first Monday is the 5th


def at(text: str) -> datetime:
    """Return an instant of January 2026, UTC, from `day hour:minute`."""
    return datetime.fromisoformat(f"2026-01-{text}").replace(tzinfo=UTC)


def moved(
    goods: list[tuple[str, int, str, str]],
    outs: Sequence[tuple[str, str, str]] = (),
    now: str = "2026-01-20T00:00:00+00:00",
    codes: tuple[str, ...] = ("10001A",),
    ended: str = "31 00:00",
) -> list[tuple[Any, ...]]:
    """Return product, kind, quantity and time of the movements of articles with level 50."""
    count = len(codes)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        articles = {
            "product_id": list(codes),
            "created_at": pa.array([at("01 00:00")] * count, TIME),
            "ended_at": pa.array([at(ended)] * count, TIME),
            "level": [50] * count,
        }
        connection.register("articles", pa.table(articles))
        columns = list(zip(*goods, strict=True)) or [(), (), (), ()]
        given = pa.table(
            {
                "product_id": pa.array(columns[0], pa.string()),
                "quantity": pa.array(columns[1], pa.int32()),
                "kind": pa.array(columns[2], pa.string()),
                "went_at": pa.array([at(text) for text in columns[3]], TIME),
            }
        )
        connection.register("goods", given)
        sold_out = {
            "product_id": pa.array([row[0] for row in outs], pa.string()),
            "from_at": pa.array([at(row[1]) for row in outs], TIME),
            "to_at": pa.array([at(row[2]) for row in outs], TIME),
        }
        connection.register("outs", pa.table(sold_out))
        rows = movements(connection, OPENED, now).to_pylist()
    assert len({row["movement_id"] for row in rows}) == len(rows)
    names = ("product_id", "kind", "quantity", "moved_at")
    return [tuple(row[name] for name in names) for row in rows]


FIRST = ("10001A", "receipt", 50, at("01 00:00"))


def test_a_days_sales_are_one_movement_at_23_00_and_monday_fills_up() -> None:
    assert moved(
        [
            ("10001A", -3, "sale", "02 09:00"),
            ("10001a", -4, "sale", "02 22:59"),  # the same article, typed in lower case
            ("10001A", -5, "sale", "02 23:00"),
            ("10001A", 2, "return", "03 10:00"),
        ]
    ) == [
        FIRST,
        ("10001A", "sale", -7, at("02 23:00")),
        ("10001A", "return", 2, at("03 23:00")),
        ("10001A", "sale", -5, at("03 23:00")),
        ("10001A", "receipt", 10, at("05 06:00")),
    ]


def test_what_came_back_beyond_the_level_is_written_off() -> None:
    assert moved([("10001A", 6, "return", "02 09:00")]) == [
        FIRST,
        ("10001A", "return", 6, at("02 23:00")),
        ("10001A", "adjustment", -6, at("05 06:00")),
    ]


def test_a_stock_out_empties_the_shelf_and_its_end_fills_it() -> None:
    assert moved(
        [
            ("10001A", -8, "sale", "03 12:00"),
            # Brought back while nothing is on sale: booked when it is again.
            ("10001A", 3, "return", "04 12:00"),
        ],
        outs=[("10001A", "03 23:30", "07 05:00")],
    ) == [
        FIRST,
        ("10001A", "sale", -8, at("03 23:00")),
        ("10001A", "adjustment", -42, at("03 23:30")),
        ("10001A", "receipt", 50, at("07 05:00")),
        ("10001A", "return", 3, at("07 23:00")),
        ("10001A", "adjustment", -3, at("12 06:00")),
    ]


def test_nothing_is_delivered_after_the_article_ended_nor_booked_after_now() -> None:
    goods = [("10001A", -8, "sale", "02 12:00"), ("10001A", -1, "sale", "09 12:00")]

    assert moved(goods, ended="04 00:00", now="2026-01-08T00:00:00+00:00") == [
        FIRST,
        ("10001A", "sale", -8, at("02 23:00")),
    ]


def test_articles_have_each_their_own_stock_and_other_codes_none() -> None:
    goods = [
        ("10001A", -1, "sale", "02 12:00"),
        ("10002", -2, "sale", "02 12:00"),
        ("POST", -1, "sale", "02 12:00"),
    ]

    assert moved(goods, codes=("10001A", "10002"), now="2026-01-03T00:00:00+00:00") == [
        FIRST,
        ("10001A", "sale", -1, at("02 23:00")),
        ("10002", "receipt", 50, at("01 00:00")),
        ("10002", "sale", -2, at("02 23:00")),
    ]
