"""Each row of docs/reference/types.md (PostgreSQL), read from a live server."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from extractors.relational.catalogue import SourceType
from extractors.relational.postgres import TableSpec
from extractors.relational.types import reading, wider
from tests.relational_source import Source, landed

# source type, value as SQL, raw type, value as DuckDB shows it
VALUES = [
    ("boolean", "true", "BOOLEAN", "true"),
    ("smallint", "-32768", "SMALLINT", "-32768"),
    ("integer", "2147483647", "INTEGER", "2147483647"),
    ("bigint", "-9223372036854775808", "BIGINT", "-9223372036854775808"),
    ("oid", "4294967295", "BIGINT", "4294967295"),
    ("real", "1.1", "FLOAT", "1.1"),
    ("double precision", "0.1", "DOUBLE", "0.1"),
    ("double precision", "'NaN'", "DOUBLE", "nan"),
    ("double precision", "'-Infinity'", "DOUBLE", "-inf"),
    ("numeric(12,3)", "0.055", "DECIMAL(12,3)", "0.055"),
    ("numeric(3,3)", "-0.999", "DECIMAL(3,3)", "-.999"),
    ("numeric(38,10)", f"'-{'9' * 28}.{'9' * 10}'", "DECIMAL(38,10)", f"-{'9' * 28}.{'9' * 10}"),
    ("numeric(38,0)", f"'{'9' * 38}'", "DECIMAL(38,0)", "9" * 38),
    ("numeric(39,0)", f"'{'9' * 39}'", "VARCHAR", "9" * 39),
    ("numeric(2,-3)", "45000", "VARCHAR", "45000"),
    ("numeric(2,5)", "0.00045", "DECIMAL(5,5)", ".00045"),
    ("numeric", "1.50", "DECIMAL(38,10)", "1.5000000000"),
    ("numeric", "1 / 4.0", "DECIMAL(38,10)", "0.2500000000"),
    ("numeric", "1 / 3.0", "VARCHAR", "0.33333333333333333333"),
    ("numeric", "1e30", "VARCHAR", "1" + "0" * 30),
    ("numeric", "'NaN'", "VARCHAR", "NaN"),
    ("numeric(12,3)", "'NaN'", "VARCHAR", "NaN"),
    ("numeric", "'Infinity'", "VARCHAR", "Infinity"),
    ("money", "12.34", "DECIMAL(19,2)", "12.34"),
    ("text", "'é ✓ '", "VARCHAR", "é ✓ "),
    ("text", "''", "VARCHAR", ""),
    ("varchar(5)", "'ab '", "VARCHAR", "ab "),
    ("char(5)", "'ab'", "VARCHAR", "ab"),
    ("name", "'orders'", "VARCHAR", "orders"),
    ('"char"', "'x'", "VARCHAR", "x"),
    ("mood", "'not bad'", "VARCHAR", "not bad"),
    ("price", "1.25", "DECIMAL(8,2)", "1.25"),
    ("bytea", "'\\x00ff'", "BLOB", "\\x00\\xFF"),
    (
        "uuid",
        "'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        "UUID",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    ),
    ("date", "'2011-08-31'", "DATE", "2011-08-31"),
    ("date", "'infinity'", "DATE", "infinity"),
    ("date", "'-infinity'", "DATE", "-infinity"),
    ("date", "'0044-03-15 BC'", "DATE", "0044-03-15 (BC)"),
    ("date", "'5874897-12-31'", "DATE", "5874897-12-31"),
    ("timestamp", "'2011-08-31 12:00:00.123456'", "TIMESTAMP", "2011-08-31 12:00:00.123456"),
    ("timestamp", "'infinity'", "TIMESTAMP", "infinity"),
    ("timestamptz", "'2011-08-31 12:00:00+02'", "TIMESTAMPTZ", "2011-08-31 10:00:00+00"),
    ("timestamptz", "'infinity'", "TIMESTAMPTZ", "infinity"),
    ("timestamptz", "'-infinity'", "TIMESTAMPTZ", "-infinity"),
    ("timestamptz", "'4714-11-24 00:00:00+00 BC'", "TIMESTAMPTZ", "4714-11-24 (BC) 00:00:00+00"),
    (
        "timestamptz",
        "'294247-01-10 04:00:54.775806+00'",
        "TIMESTAMPTZ",
        "294247-01-10 04:00:54.775806+00",
    ),
    ("time", "'24:00:00'", "VARCHAR", "24:00:00"),
    ("timetz", "'12:00:00.5+02'", "VARCHAR", "12:00:00.5+02"),
    ("interval", "'1 year 2 days 03:04:05.678'", "VARCHAR", "P1Y2DT3H4M5.678S"),
    ("json", """'{"a": 1.10,  "a": 2}'""", "VARCHAR", '{"a": 1.10,  "a": 2}'),
    ("jsonb", """'{"b":1.10,"a":null}'""", "VARCHAR", '{"a": null, "b": 1.10}'),
    ("inet", "'10.0.0.1/24'", "VARCHAR", "10.0.0.1/24"),
    ("inet", "'10.0.0.1'", "VARCHAR", "10.0.0.1/32"),
    ("cidr", "'10.0.0.0/8'", "VARCHAR", "10.0.0.0/8"),
    ("macaddr", "'08:00:2b:01:02:03'", "VARCHAR", "08:00:2b:01:02:03"),
    ("bit(4)", "B'0101'", "VARCHAR", "0101"),
    ("varbit", "B'011'", "VARCHAR", "011"),
    ("int4range", "'[1,5)'", "VARCHAR", "[1,5)"),
    ("point", "'(0.1,2)'", "VARCHAR", "(0.1,2)"),
    ("tsvector", "'a:1 b'", "VARCHAR", "'a':1 'b'"),
    ("pair", "row(1,'x y')", "VARCHAR", '(1,"x y")'),
    ("integer[]", "'{1,null,3}'", "INTEGER[]", "[1, NULL, 3]"),
    ("text[]", "array['a,b', null, '', 'null']", "VARCHAR[]", "['a,b', NULL, '', 'null']"),
    ("boolean[]", "'{}'", "BOOLEAN[]", "[]"),
    ("integer[]", "'{{1,2},{3,4}}'", "VARCHAR", "[[1,2],[3,4]]"),
    ("numeric[]", "'{1.10,NaN,null}'", "VARCHAR", '[1.10,"NaN",null]'),
    (
        "timestamptz[]",
        "array['2011-08-31 12:00+02'::timestamptz]",
        "VARCHAR",
        '["2011-08-31T10:00:00+00:00"]',
    ),
]


@pytest.fixture
def typed(source: Source) -> Source:
    source.run(
        "create type mood as enum ('good', 'not bad')",
        "create domain money_amount as numeric(8,2)",
        "create domain price as money_amount check (value >= 0)",
        "create type pair as (a int, b text)",
    )
    return source


def test_every_type_keeps_its_values(typed: Source, tmp_path: Path) -> None:
    columns = ", ".join(f"c{n} {kind}" for n, (kind, *_) in enumerate(VALUES))
    values = ", ".join(f"({value})::{kind}" for kind, value, *_ in VALUES)
    typed.run(
        f"create table t (id int primary key, {columns})",
        f"insert into t values (1, {values})",
        "insert into t values (2)",
    )
    with typed.snapshot() as snapshot:
        manifest = snapshot.extract(TableSpec("t", ("id",)), tmp_path, None)
    shown = ", ".join(f"c{n}::VARCHAR" for n in range(len(VALUES)))
    first, second = landed(tmp_path, manifest, f"id, {shown}")
    found = [
        (kind, value, column.type, text)
        for (kind, value, *_), column, text in zip(
            VALUES, manifest.columns[1:], first[1:], strict=True
        )
    ]
    assert found == VALUES
    assert set(second[1:]) == {None}
    assert manifest.quarantined == 0


def test_a_time_beyond_raws_last_is_quarantined_and_the_rest_loaded(
    source: Source, tmp_path: Path
) -> None:
    source.run(
        "create table t (id int primary key, seen timestamptz, email text, price numeric)",
        "insert into t values (1, '2011-01-01', 'a@x', 1), (2, '294276-12-31', 'b@x', 2)",
        "insert into t values (3, '294247-01-10 04:00:54.775807+00', 'c@x', 1/3.0)",
        "insert into t values (4, 'infinity', 'd@x', 4)",
    )
    spec = TableSpec("t", ("id",), pii={"email": "drop"})
    with source.snapshot() as snapshot:
        manifest = snapshot.extract(spec, tmp_path, None)
        rows = snapshot.reader(spec).checksums([])[0][0]
    assert landed(tmp_path, manifest, "id, seen::VARCHAR, price") == [
        (1, "2011-01-01 00:00:00+00", Decimal(1)),
        (4, "infinity", Decimal(4)),
    ]
    rejected = landed(tmp_path, manifest, "row_key, field, reason, payload", "quarantine")
    assert [row[:3] for row in rejected] == [
        ('["2"]', "seen", "time is after the last that raw can hold (294247-01-10)"),
        ('["3"]', "seen", "time is after the last that raw can hold (294247-01-10)"),
    ]
    assert json.loads(rejected[0][3]) == {
        "id": "2",
        "seen": "294276-12-31 00:00:00+00",
        "price": "2",
    }
    assert (manifest.rows, manifest.quarantined, rows) == (2, 2, 2)


def test_an_array_that_does_not_start_at_one_is_quarantined(source: Source, tmp_path: Path) -> None:
    source.run(
        "create table t (id int primary key, a int[])",
        "insert into t values (1, '{1}'), (2, '[2:3]={1,2}')",
    )
    with source.snapshot() as snapshot:
        manifest = snapshot.extract(TableSpec("t", ("id",)), tmp_path, None)
    assert landed(tmp_path, manifest) == [(1, [1])]
    assert landed(tmp_path, manifest, "row_key, field", "quarantine") == [('["2"]', "a")]


def test_types_only_widen(source: Source, tmp_path: Path) -> None:
    source.run(
        "create table t (id int primary key, n int, price numeric(6,2), note int)",
        "insert into t values (1, 7, 1.25, 3)",
    )
    recorded = {"id": "BIGINT", "n": "SMALLINT", "price": "DECIMAL(10,4)", "note": "VARCHAR"}
    with source.snapshot() as snapshot:
        manifest = snapshot.extract(TableSpec("t", ("id",), types=recorded), tmp_path, None)
    assert [column.type for column in manifest.columns] == [
        "BIGINT",
        "INTEGER",
        "DECIMAL(10,4)",
        "VARCHAR",
    ]
    assert landed(tmp_path, manifest) == [(1, 7, Decimal("1.2500"), "3")]


def test_every_type_has_a_row_in_the_documentation(repository: Path) -> None:
    page = (repository / "docs" / "reference" / "types.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| ")]
    named = {
        "mood": "enums",
        "price": "domains",
        "pair": "composite types",
        "int4range": "ranges",
        "point": "geometric types",
        "numeric[]": "other arrays",
        "timestamptz[]": "other arrays",
    }
    for kind, *_ in VALUES:
        base = kind.partition("(")[0]
        told = named.get(kind) or f"`{base.removesuffix('[]')}"
        assert any(told in row for row in rows), kind


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("SMALLINT", "BIGINT", "BIGINT"),
        ("BIGINT", "DECIMAL(12,3)", "DECIMAL(22,3)"),
        ("DECIMAL(38,10)", "DECIMAL(12,3)", "DECIMAL(38,10)"),
        ("DECIMAL(38,0)", "DECIMAL(12,3)", "VARCHAR"),
        ("DATE", "TIMESTAMP", "TIMESTAMP"),
        ("DATE", "TIMESTAMPTZ", "VARCHAR"),
        ("BOOLEAN", "INTEGER", "VARCHAR"),
        ("BIGINT", "DOUBLE", "VARCHAR"),
    ],
)
def test_the_wider_type_holds_both(one: str, other: str, both: str) -> None:
    assert wider(one, other) == wider(other, one) == both


def test_a_numeric_declared_wider_than_decimal_is_text() -> None:
    assert reading(SourceType("numeric", (40 << 16 | 2) + 4, "numeric(40,2)")).raw == "VARCHAR"
