"""What Superset asks of the catalog, and is told: `make superset` runs the real one."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from tests.clients.conftest import Server

RECORDED = Path(__file__).with_name("superset") / "statements.sql"


def statements() -> Iterator[tuple[str, str]]:
    for part in RECORDED.read_text(encoding="utf-8").split(";\n"):
        if part.strip():
            name, _, sql = part.strip().rpartition("\n\n")[2].partition("\n")
            yield name.removeprefix("-- "), sql


def answers(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return what each statement gives, one after the other in one session as Superset's is."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name, sql in statements():
            relation = found.get("relation", [(None,)])[0][0]
            cursor = connection.execute(sql.replace("{oid}", str(relation)).encode())
            found[name] = cursor.fetchall() if cursor.description else []
    return found


COLUMNS = [
    ("order_id", "text", None),
    ("order_date", "date", None),
    ("net_amount", "numeric(18,2)", "What the order is worth without VAT."),
    ("ordered_at", "timestamp with time zone", None),
    ("is_counted", "boolean", None),
    ("parts", "bigint[]", None),
    ("version_number", "integer", None),
    ("note", "text", None),
]
NOTHING = ("hstore", "foreign tables", "enums", "unique", "checks", "search path")
CHART = [(None, Decimal("1.25")), ("é", Decimal("6.25"))]


def test_superset_finds_views_with_their_descriptions_and_draws_a_chart(bi: Server) -> None:
    found = answers(bi.dsn)
    assert found["ping"] == [(1,)]
    assert {"core", "meta"} <= {schema for (schema,) in found["schemas"]}
    assert sorted(found["views"]) == [("order_lines",), ("orders",)]
    assert [(row[0], row[1], row[5]) for row in found["columns"]] == COLUMNS
    assert found["description"] == [("One row per order.",)]
    assert found["exists"] == [("orders",)]
    assert sorted(found["chart"], key=lambda row: row[1]) == CHART
    keys = ("tables", "primary key columns", "primary key", "foreign keys", "indexes")
    assert [name for name in (*NOTHING, *keys) if found[name]] == []


def test_superset_finds_the_keys_of_physical_tables(physical: Server) -> None:
    found = answers(physical.dsn)
    assert sorted(found["tables"]) == [("order_lines",), ("orders",)]
    assert [(row[0], row[1], row[5]) for row in found["columns"]] == COLUMNS
    assert found["primary key columns"] == [("order_id",)]
    assert [column for _, _, _, column, *_ in found["indexes"]] == ["order_date"]
    assert sorted(found["chart"], key=lambda row: row[1]) == CHART
    assert [name for name in (*NOTHING, "views") if found[name]] == []
