"""A mart is as complete as the tables it is made from, and says what these name in vain."""

from datetime import UTC, datetime
from typing import Any

import duckdb

from warehouse.publish import freshness

AS_OF = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
BEHIND = datetime(2026, 1, 1, 9, 15, tzinfo=UTC)

SOURCES = {
    ("core", "orders"): [("shop", "orders"), ("shop", "users")],
    ("core", "sessions"): [("activity", "searches"), ("shop", "orders")],
}


def written(
    build: duckdb.DuckDBPyConnection,
    positions: list[tuple[str, str, str, datetime]],
    unmatched: dict[tuple[str, str, str], int],
) -> list[tuple[Any, ...]]:
    """Return meta.freshness for tables (source, cell, entity) complete up to an instant."""
    for source, cell, entity, complete_up_to in positions:
        build.execute(
            "INSERT INTO meta.positions VALUES (?, ?, ?, ?, '{}', 1, ?, 'load', 'load')",
            [source, cell, entity, entity, complete_up_to],
        )
    freshness.write(build, SOURCES, unmatched, AS_OF)
    return build.execute("FROM meta.freshness ORDER BY mart, cell").fetchall()


def test_a_source_that_is_behind_holds_back_only_the_marts_that_read_it(
    build: duckdb.DuckDBPyConnection,
) -> None:
    assert written(
        build,
        [
            ("shop", "main", "orders", LATER),
            ("shop", "main", "users", AS_OF),
            ("activity", "main", "searches", BEHIND),
        ],
        {("activity", "searches", "main"): 3, ("shop", "orders", "main"): 2},
    ) == [
        ("core.orders", "main", AS_OF, True, 2),
        ("core.sessions", "main", BEHIND, False, 5),
    ]
    assert freshness.marts(build)[1] == {
        "mart": "core.sessions",
        "cell": "main",
        "complete_up_to": "2026-01-01T09:15:00.000000Z",
        "is_complete": False,
        "unmatched_rows": 5,
    }


def test_each_cell_of_a_source_stands_for_itself(build: duckdb.DuckDBPyConnection) -> None:
    assert written(
        build,
        [
            (source, cell, entity, BEHIND if cell == "us" and source == "shop" else LATER)
            for source, entity in (("shop", "orders"), ("shop", "users"), ("activity", "searches"))
            for cell in ("eu", "us")
        ],
        {("activity", "searches", "us"): 1},
    ) == [
        ("core.orders", "eu", AS_OF, True, 0),
        ("core.orders", "us", BEHIND, False, 0),
        ("core.sessions", "eu", AS_OF, True, 0),
        ("core.sessions", "us", BEHIND, False, 1),
    ]
