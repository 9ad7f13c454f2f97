"""What psqlODBC, which Excel and Power BI use, gets from the endpoint through unixODBC."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.clients.conftest import Server, missing

DRIVER = "PostgreSQL Unicode"
# ODBC has no time zones: sessions are in UTC.
TEN_O_CLOCK = datetime(2011, 1, 1, 10, tzinfo=UTC).replace(tzinfo=None)


@contextmanager
def connected(dsn: str, more: str = "") -> Iterator[Any]:
    try:
        import pyodbc
    except ImportError as error:
        missing(f"no unixODBC on this machine: {error}")
    if DRIVER not in pyodbc.drivers():
        missing(f"no ODBC driver {DRIVER!r} on this machine")
    at = urlsplit(dsn)
    words = (
        f"Driver={DRIVER};Server={at.hostname};Port={at.port};Database={at.path[1:]};"
        f"Uid={at.username};Pwd={at.password};{more}"
    )
    connection = pyodbc.connect(words, autocommit=True)
    try:
        yield connection
    finally:
        connection.close()


def test_a_tool_browses_what_there_is(bi: Server) -> None:
    with connected(bi.dsn) as connection:
        cursor = connection.cursor()
        assert [(row.table_name, row.table_type) for row in cursor.tables(schema="core")] == [
            ("order_lines", "VIEW"),
            ("orders", "VIEW"),
        ]
        assert [
            (row.column_name, row.type_name, row.column_size, row.decimal_digits)
            for row in cursor.columns(schema="core", table="orders")
        ] == [
            ("order_id", "text", 8190, None),
            ("order_date", "date", 10, None),
            ("net_amount", "numeric", 18, 2),
            ("ordered_at", "timestamptz", 26, 6),
            ("is_counted", "bool", 5, 0),
            ("parts", "_int8", 255, None),
            ("version_number", "int4", 10, 0),
            ("note", "text", 8190, None),
        ]
        assert cursor.primaryKeys(schema="core", table="orders").fetchall() == []
        assert cursor.getTypeInfo().fetchall()


def test_a_tool_finds_the_keys_of_physical_tables(physical: Server) -> None:
    with connected(physical.dsn) as connection:
        cursor = connection.cursor()
        assert [(row.table_name, row.table_type) for row in cursor.tables(schema="core")] == [
            ("order_lines", "TABLE"),
            ("orders", "TABLE"),
        ]
        found = cursor.primaryKeys(schema="core", table="orders").fetchall()
        assert [row.column_name for row in found] == ["order_id"]
        assert [
            (row.pktable_schem, row.pktable_name, row.pkcolumn_name, row.fkcolumn_name)
            for row in cursor.foreignKeys(foreignSchema="core", foreignTable="order_lines")
        ] == [("core", "orders", "order_id", "order_id")]
        unique = list(cursor.statistics(schema="core", table="orders", unique=True))
        assert [row.column_name for row in unique if row.column_name] == ["order_id"]


def test_values_and_parameters_arrive_as_they_are(bi: Server) -> None:
    with connected(bi.dsn, "BoolsAsChar=0;") as connection:
        found = connection.execute(
            "select * from core.orders where order_date >= ? and net_amount < ?"
            " and is_counted = ? and order_id <> ? and ordered_at < ?",
            *(date(2011, 1, 2), Decimal("3.75"), True),
            *("o'; drop table core.orders; --", TEN_O_CLOCK + timedelta(hours=1)),
        ).fetchall()
    day = date(2011, 1, 3)
    assert [tuple(row) for row in found] == [
        ("o2", day, Decimal("2.50"), TEN_O_CLOCK, True, "{2,NULL}", 2, "é")
    ]


@pytest.mark.parametrize("more", ["", "UseDeclareFetch=1;Fetch=1000;"])
def test_many_rows_are_read_at_once_or_by_a_cursor(bi: Server, more: str) -> None:
    with connected(bi.dsn, more) as connection:
        cursor = connection.execute(
            "select n from core.orders, generate_series(1, 20000) as numbers (n)"
        )
        assert sum(row[0] for row in cursor) == 600030000


def test_the_queries_that_excel_and_power_query_write_are_answered(bi: Server) -> None:
    with connected(bi.dsn) as connection:
        summed = connection.execute(
            'SELECT "orders"."order_date", SUM("orders"."net_amount") AS "a0"'
            ' FROM "warehouse"."core"."orders" "orders" GROUP BY "orders"."order_date"'
            ' ORDER BY "orders"."order_date"'
        ).fetchall()
        assert [tuple(row) for row in summed] == [
            (date(2011, 1, 2), Decimal("1.25")),
            (date(2011, 1, 3), Decimal("2.50")),
            (date(2011, 1, 4), Decimal("3.75")),
        ]
        folded = connection.execute(
            'select "_"."order_id" from (select "order_id", "note" from "core"."orders") "_"'
            ' where "_"."note" is not null and "_"."order_id" = ? limit 200',
            "o3",
        ).fetchall()
        assert [tuple(row) for row in folded] == [("o3",)]


def test_excel_finds_its_way_from_the_database_to_columns(bi: Server) -> None:
    with connected(bi.dsn) as connection:
        import pyodbc

        told = {
            "SQL_DBMS_NAME": "PostgreSQL",
            "SQL_DATABASE_NAME": "warehouse",
            "SQL_IDENTIFIER_QUOTE_CHAR": '"',
            "SQL_CATALOG_NAME_SEPARATOR": ".",
            "SQL_SCHEMA_TERM": "schema",
        }
        assert {name: connection.getinfo(getattr(pyodbc, name)) for name in told} == told
        cursor = connection.cursor()
        databases = cursor.tables(catalog="%", schema="", table="").fetchall()
        assert [row.table_cat for row in databases] == ["warehouse"]
        schemas = {row.table_schem for row in cursor.tables(catalog="", schema="%", table="")}
        assert {"core", "meta", "v000002_core"} <= schemas
        listed = cursor.tables(schema="core", tableType="TABLE,VIEW").fetchall()
        assert [tuple(row)[:4] for row in listed] == [
            ("warehouse", "core", "order_lines", "VIEW"),
            ("warehouse", "core", "orders", "VIEW"),
        ]
        # `_` stands for any one character unless it is escaped
        columns = cursor.columns(schema="core", table=r"order\_lines").fetchall()
        assert [row.column_name for row in columns] == ["order_line_id", "order_id"]
        types = {
            name: [row.type_name for row in cursor.getTypeInfo(getattr(pyodbc, name))]
            for name in ("SQL_NUMERIC", "SQL_TYPE_DATE", "SQL_BIGINT")
        }
        assert types == {
            "SQL_NUMERIC": ["numeric"],
            "SQL_TYPE_DATE": ["date"],
            "SQL_BIGINT": ["int8"],
        }


@pytest.mark.parametrize(
    ("query", "parameters", "ids"),
    [
        # MS Query, with a criterion that a cell of the sheet gives
        (
            "SELECT orders.order_id, orders.net_amount\r\nFROM warehouse.core.orders orders\r\n"
            "WHERE (orders.order_date>=?) AND (orders.note Like ?)\r\nORDER BY orders.order_id",
            (date(2011, 1, 3), "%é%"),
            ["o2", "o3"],
        ),
        ('SELECT * FROM "warehouse"."core"."orders"', (), ["o1", "o2", "o3"]),
        # the first look at columns, without rows
        ("SELECT * FROM core.orders WHERE 1 = 2", (), []),
        # ODBC's own writing of constants, functions and joins
        (
            "SELECT order_id FROM core.orders WHERE ordered_at >= {ts '2011-01-01 00:00:00'}"
            " AND order_date >= {d '2011-01-03'} AND {fn LENGTH(order_id)} = 2 ORDER BY 1",
            (),
            ["o2", "o3"],
        ),
        (
            "SELECT o.order_id FROM {oj core.orders o LEFT OUTER JOIN core.order_lines l"
            " ON o.order_id = l.order_id} ORDER BY 1",
            (),
            ["o1", "o2", "o3"],
        ),
    ],
)
def test_what_excel_sends_is_answered(
    bi: Server, query: str, parameters: tuple[object, ...], ids: list[str]
) -> None:
    with connected(bi.dsn) as connection:
        assert [row[0] for row in connection.execute(query, *parameters)] == ids


def test_a_prepared_statement_is_asked_again_and_a_preview_ends_after_some_rows(
    bi: Server,
) -> None:
    with connected(bi.dsn) as connection:
        cursor = connection.cursor()
        query = "select count(*) from core.orders where order_date >= ?"
        days = [date(2011, 1, day) for day in (2, 3, 4, 5)]
        assert [cursor.execute(query, day).fetchval() for day in days] == [3, 2, 1, 0]
        connection.set_attr(1, 2)  # SQL_ATTR_MAX_ROWS
        rows = connection.execute("select order_id from core.orders order by order_id").fetchall()
        assert [row[0] for row in rows] == ["o1", "o2"]


def test_a_refusal_has_its_state_and_the_connection_goes_on(bi: Server) -> None:
    refused = {
        "select * from core.nothing": "42P01",
        "selec 1": "42601",
        "create table core.mine (n int)": "25006",
        "insert into core.orders (order_id) values ('o9')": "42501",
    }
    with connected(bi.dsn) as connection:
        for query, state in refused.items():
            with pytest.raises(Exception, match=state):
                connection.execute(query)
        assert connection.execute("select 1").fetchval() == 1
