"""Equal content hashes mean equal rows, however they were written."""

import hashlib
import json

import duckdb
import pytest

from warehouse.engines.duckdb_snapshot import content_hash


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    opened = duckdb.connect()
    opened.execute("LOAD icu; SET TimeZone = 'UTC'; CREATE SCHEMA core")
    return opened


def hashed(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    connection.execute(f"CREATE OR REPLACE TABLE core.t AS {query}")
    return content_hash(connection, "core", "t")[1]


def test_the_hash_does_not_depend_on_row_order_or_on_the_warehouses_own_columns(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    one = hashed(connection, "SELECT i, i * 1.5 AS x, 'l1' AS _load_id FROM range(1000) r(i)")
    other = hashed(
        connection, "SELECT i, i * 1.5 AS x, 'l2' AS _load_id FROM range(1000) r(i) ORDER BY -i"
    )
    assert one == other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT NULL::VARCHAR AS a", "SELECT '' AS a"),
        ("SELECT 'ab' AS a, 'c' AS b", "SELECT 'a' AS a, 'bc' AS b"),
        ("SELECT 1::INTEGER AS a", "SELECT 1::BIGINT AS a"),
        ("SELECT 1 AS a", "SELECT 1 AS b"),
        ("SELECT 1.10::DECIMAL(9,2) AS a", "SELECT 1.11::DECIMAL(9,2) AS a"),
        ("SELECT 1 AS a", "SELECT 1 AS a UNION ALL SELECT 1"),
        ("SELECT NULL::INTEGER AS a, 1 AS b", "SELECT 1 AS a, NULL::INTEGER AS b"),
        ("SELECT ',' AS a, NULL::INTEGER AS b", "SELECT '' AS a, NULL::INTEGER AS b"),
        ("SELECT [1, 2] AS a, [3] AS b", "SELECT [1] AS a, [2, 3] AS b"),
        (
            "SELECT TIMESTAMP_NS '2026-01-01 00:00:00.000000001' AS a",
            "SELECT TIMESTAMP_NS '2026-01-01 00:00:00.000000002' AS a",
        ),
        ("SELECT 1.23456789012::DOUBLE AS a", "SELECT 1.23456789013::DOUBLE AS a"),
        (
            "SELECT TIMESTAMPTZ '2026-01-01 00:00:00.000001+00' AS a",
            "SELECT TIMESTAMPTZ '2026-01-01 00:00:00.000002+00' AS a",
        ),
    ],
)
def test_tables_that_differ_have_different_hashes(
    one: str, other: str, connection: duckdb.DuckDBPyConnection
) -> None:
    assert hashed(connection, one) != hashed(connection, other)


def test_the_hash_of_a_time_does_not_depend_on_the_sessions_time_zone(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    query = (
        "SELECT TIMESTAMPTZ '2026-07-01 12:00:00+00' AS a, TIMESTAMP '2026-07-01 12:00:00' AS c,"
        " 0.1::DOUBLE + 0.2 AS b"
    )
    before = hashed(connection, query)
    connection.execute("SET TimeZone = 'Asia/Kathmandu'")
    assert hashed(connection, query) == before
    assert hashed(connection, query.replace("0.1::DOUBLE + 0.2", "0.3::DOUBLE")) == before


def test_the_hash_is_what_its_definition_says(connection: duckdb.DuckDBPyConnection) -> None:
    texts = [
        "0:-1.50,1782900000000001,1.00000000000e-01,true,2026-07-01,",
        "4:é:~,-1,,,,",
        "~0.00,infinity,-2.50000000000e+10,false,0044-03-15 (BC),",
        f"70:{'a' * 70}7.25,,0.00000000000e+00,true,12026-01-01,",
    ]
    hashed(
        connection,
        "SELECT * REPLACE (n::DECIMAL(9,2) AS n) FROM (VALUES"
        " ('', -1.5, TIMESTAMPTZ '2026-07-01 12:00:00.000001+02', 0.1::DOUBLE, true,"
        " DATE '2026-07-01', 'l1'),"
        " ('é:~', NULL, '1969-12-31 23:59:59.999999+00', NULL, NULL, NULL, 'l1'),"
        " (NULL, 0, 'infinity', -2.5e10, false, '0044-03-15 (BC)', 'l2'),"
        " (repeat('a', 70), 7.25, NULL, 0.0, true, '12026-01-01', NULL))"
        " AS rows(t, n, moment, x, yes, day, _load_id)",
    )
    types = ("VARCHAR", "DECIMAL(9,2)", "TIMESTAMP WITH TIME ZONE", "DOUBLE", "BOOLEAN", "DATE")
    digests = [hashlib.md5(text.encode()).hexdigest() for text in texts]
    sums = [
        str(sum(int(digest[start : start + 15], 16) for digest in digests)) for start in (0, 16)
    ]
    columns = list(zip(("t", "n", "moment", "x", "yes", "day"), types, strict=True))
    expected = hashlib.sha256(json.dumps([columns, len(texts), *sums]).encode()).hexdigest()
    assert content_hash(connection, "core", "t") == (4, expected)


def test_an_empty_table_has_a_hash_of_its_own(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE OR REPLACE TABLE core.t (a INTEGER)")
    rows, digest = content_hash(connection, "core", "t")
    assert rows == 0
    assert digest != hashed(connection, "SELECT 0::INTEGER AS a")
