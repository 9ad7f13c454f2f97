"""The source's SQL and DuckDB's write the same canonical text, for every certified type."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from extractors.package import Manifest
from extractors.relational.postgres import TableSpec
from tests.relational_source import Source
from warehouse.engines.duckdb_engine import build_database
from warehouse.load.package import load_package
from warehouse.reconcile.compare import compare

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
FLOAT32 = st.floats(width=32) | st.sampled_from([-0.0, float("inf"), float("nan")])
# Years of four digits come as values; others and infinity as PostgreSQL's own text.
MOMENTS = [
    "infinity",
    "-infinity",
    "0044-03-15 00:00:00.000001 BC",
    "4714-11-24 00:00:00 BC",
    "12345-01-01 00:00:00",
    "294247-01-10 04:00:54.775806",
    "1999-12-31 23:59:59.999999",
]
TIMES = st.datetimes().map(str) | st.sampled_from(MOMENTS)
DAYS = st.dates().map(str) | st.sampled_from(["infinity", "-infinity", "0044-03-15 BC"])


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    whole = st.integers(-(10**precision) + 1, 10**precision - 1)
    return whole.map(lambda n: Decimal(f"{n}e-{scale}"))


COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "real": FLOAT32,
    "double precision": st.floats(),
    "numeric(12,3)": decimals(12, 3),
    "numeric(4,4)": decimals(4, 4),
    "numeric(38,10)": decimals(38, 10),
    "numeric": decimals(30, 8),
    "money": decimals(18, 2),
    "text": TEXT,
    "varchar(40)": TEXT,
    "char(8)": st.sampled_from(["", "ab", "é ✓"]),
    "bytea": st.binary(max_size=20),
    "uuid": st.uuids(),
    "date": DAYS,
    "timestamp": TIMES,
    "timestamptz": TIMES,
    "interval": st.timedeltas().map(lambda d: f"{d.days} days {d.seconds} seconds"),
    "jsonb": TEXT.map(lambda text: psycopg.types.json.Jsonb({"a": text, "n": 1.10})),
    "inet": st.ip_addresses().map(str),
    "integer[]": st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=4),
    "text[]": st.lists(st.none() | TEXT, max_size=4),
    "boolean[]": st.lists(st.none() | st.booleans(), max_size=3),
    "numeric[]": st.lists(decimals(8, 2), max_size=3),
}
ROWS = st.lists(
    st.tuples(*(st.none() | values for values in COLUMNS.values())), min_size=1, max_size=20
)
SPEC = TableSpec("t", ("id",))


def load(connection: duckdb.DuckDBPyConnection, landing: Path, manifest: Manifest) -> None:
    load_package(connection, landing, manifest, run_id="test")


def test_source_and_raw_agree_on_random_rows(source: Source, tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(len(COLUMNS))]
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, COLUMNS, strict=True))
    source.run(f"create table t (id int primary key, {columns})")
    values = ", ".join(f"%s::{kind}" for kind in COLUMNS)

    with (
        build_database(tmp_path / "build.duckdb") as connection,
        psycopg.connect(source.dsn, autocommit=True) as session,
    ):
        session.execute("set timezone = 'UTC'")

        @settings(
            max_examples=8,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(ROWS)
        def check(rows: list[tuple[Any, ...]]) -> None:
            session.execute("truncate t")
            with session.cursor() as cursor:
                cursor.executemany(
                    f"insert into t values (%s, {values})".encode(),
                    [(n, *row) for n, row in enumerate(rows)],
                )
            with source.snapshot() as snapshot:
                manifest = snapshot.extract(SPEC, tmp_path / "landing", None)
                assert (manifest.rows, manifest.quarantined) == (len(rows), 0)
                load(connection, tmp_path / "landing", manifest)
                found = compare(connection, ("raw_shop", "t"), "main", snapshot.reader(SPEC))
            assert found.changed_keys == ()
            assert found.source == found.warehouse
            assert found.source[0] == len(rows)

        check()
