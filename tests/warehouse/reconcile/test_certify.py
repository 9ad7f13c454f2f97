"""A certificate compares SQL on the source's snapshot with SQL on raw, and says where not equal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from extractors.package import Manifest
from extractors.relational.postgres import TableSpec
from tests.relational_source import NOW, Source
from warehouse.engines.duckdb_engine import build_database
from warehouse.load.package import LoadRecord, load_package
from warehouse.reconcile.certificate import Certificate
from warehouse.reconcile.certify import certify

ORDERS = TableSpec("orders", ("order_id",))


class Shop:
    """A source with 1,250 orders, loaded: three key ranges."""

    def __init__(self, source: Source, landing: Path, build: duckdb.DuckDBPyConnection) -> None:
        self.source, self.landing, self.build = source, landing, build
        self.position: dict[str, Any] | None = None

    def load(self, manifest: Manifest) -> LoadRecord:
        self.position = manifest.to
        return load_package(self.build, self.landing, manifest, run_id="test")

    def run(self, spec: TableSpec = ORDERS, full: bool = False) -> Certificate:
        """Extract, load and certify, as a run does."""
        with self.source.snapshot() as snapshot:
            since = None if full else self.position
            self.load(snapshot.extract(spec, self.landing, since))
            return certify(
                self.build,
                ("raw_shop", spec.name),
                snapshot.reader(spec),
                deletes=spec.deletes,
                landing=self.landing,
                load=self.load,
                now=lambda: NOW,
            )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.build.execute(sql).fetchall()


@pytest.fixture
def shop(source: Source, tmp_path: Path) -> Iterator[Shop]:
    source.run(
        "create table orders (order_id text primary key, status text, amount numeric(12,3))",
        "insert into orders select 'A' || lpad(n::text, 6, '0'), 'placed', n / 1000.0"
        " from generate_series(1, 1250) n",
    )
    with build_database(tmp_path / "build.duckdb") as build:
        yield Shop(source, tmp_path / "landing", build)


def test_a_loaded_table_is_certified(shop: Shop) -> None:
    certificate = shop.run()
    assert (certificate.status, certificate.kind, certificate.ranges) == ("passed", "exact", ())
    assert certificate.source_rows == certificate.warehouse_rows == 1_250
    assert certificate.source_checksum == certificate.warehouse_checksum
    assert certificate.position == shop.position
    assert certificate.detail == "every row agrees with the source's snapshot"


def test_a_cell_changed_by_hand_fails_the_next_certificate_which_names_the_range(
    shop: Shop,
) -> None:
    assert shop.run().status == "passed"
    shop.rows("update raw_shop.orders set amount = amount + 0.001 where order_id = 'A000777'")
    certificate = shop.run()
    assert certificate.status == "failed"
    assert certificate.ranges == ("order_id >= A000500 and order_id < A001000",)
    assert certificate.source_checksum != certificate.warehouse_checksum
    assert certificate.detail == (
        "shop.orders: 1 rows of raw differ from the source in order_id >= A000500 and order_id <"
        " A001000 (order_id=A000777); something else than a load changed them:"
        " warehouse run --full-refresh shop.orders"
    )
    assert shop.run(full=True).status == "passed"


def test_deleted_rows_become_tombstones(shop: Shop) -> None:
    shop.run()
    shop.source.run("delete from orders where order_id in ('A000001', 'A001250')")
    certificate = shop.run()
    assert (certificate.status, certificate.deleted_rows) == ("passed", 2)
    assert certificate.detail.endswith("2 rows were deleted at the source")
    deleted = "select order_id from raw_shop.orders where _deleted_at is not null order by all"
    assert shop.rows(deleted) == [("A000001",), ("A001250",)]
    again = shop.run()
    assert (again.status, again.deleted_rows, again.source_rows) == ("passed", 0, 1_248)


def test_a_deleted_row_that_returns_lives_again(shop: Shop) -> None:
    shop.run()
    shop.source.run("delete from orders where order_id = 'A000001'")
    shop.run()
    shop.source.run("insert into orders values ('A000001', 'back', 1)")
    assert shop.run().status == "passed"
    live = "select status from raw_shop.orders where order_id = 'A000001' and _deleted_at is null"
    assert shop.rows(live) == [("back",)]


def test_ignored_deletes_are_kept_and_counted(shop: Shop) -> None:
    spec = TableSpec("orders", ("order_id",), deletes="ignore")
    shop.run(spec)
    shop.source.run("delete from orders where order_id = 'A000001'")
    certificate = shop.run(spec)
    assert (certificate.status, certificate.deleted_rows) == ("passed", 0)
    assert (certificate.source_rows, certificate.warehouse_rows) == (1_249, 1_250)
    assert "1 rows deleted at the source are kept (deletes: ignore)" in certificate.detail


def test_rows_missing_in_raw_are_read_again(shop: Shop) -> None:
    shop.run()
    shop.rows("delete from raw_shop.orders where order_id between 'A000100' and 'A000199'")
    certificate = shop.run()
    assert (certificate.status, certificate.re_read_rows) == ("passed", 100)
    assert shop.rows("select count(*) from raw_shop.orders") == [(1_250,)]
    assert "100 rows were missing in raw and read again" in certificate.detail


def test_a_key_that_raw_holds_twice_fails(shop: Shop) -> None:
    shop.run()
    shop.rows("insert into raw_shop.orders select * from raw_shop.orders limit 1")
    certificate = shop.run()
    assert certificate.status == "failed"
    assert "shop.orders: raw holds a key twice in order_id < A" in certificate.detail


def test_a_lost_load_is_found_in_every_range(shop: Shop) -> None:
    shop.run()
    shop.rows("update raw_shop.orders set status = 'x'")
    certificate = shop.run()
    assert certificate.ranges == (
        "order_id < A000500",
        "order_id >= A000500 and order_id < A001000",
        "order_id >= A001000",
    )
    assert "1250 rows of raw differ" in certificate.detail


def test_an_empty_table_is_certified(shop: Shop) -> None:
    shop.source.run("truncate orders")
    certificate = shop.run()
    assert (certificate.status, certificate.source_rows, certificate.warehouse_rows) == (
        "passed",
        0,
        0,
    )


def test_the_cells_of_a_table_are_certified_apart(shop: Shop) -> None:
    shop.run()
    shop.rows("insert into raw_shop.orders select * replace ('us' as _cell) from raw_shop.orders")
    assert shop.run().status == "passed"


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ("id bigint, v int, primary key (id)", "n, n"),
        ("id numeric(20,2), v int, primary key (id)", "n, n"),
        ("id uuid, v int, primary key (id)", "md5(n::text)::uuid, n"),
        ("id date, v int, primary key (id, v)", "date '2011-01-01' + n % 300, n"),
        ("id timestamptz, v int, primary key (id)", "now() + n * interval '1 second', n"),
        ("id double precision, v int, primary key (id)", "n / 7.0, n"),
        ("id bytea, v int, primary key (id)", "sha256(n::text::bytea), n"),
        ("id inet, v int, primary key (id)", "'10.0.0.0'::inet + n, n"),
    ],
)
def test_keys_of_every_type_find_a_changed_and_a_deleted_row(
    shop: Shop, columns: str, values: str
) -> None:
    shop.source.run(
        f"create table t ({columns})",
        f"insert into t select {values} from generate_series(1, 1100) n",
    )
    names = ("id", "v") if "(id, v)" in columns else ("id",)
    spec = TableSpec("t", names)
    shop.position = None
    assert shop.run(spec).status == "passed"
    shop.source.run("delete from t where v = 600")
    assert shop.run(spec).deleted_rows == 1
    shop.rows("delete from raw_shop.t where v = 700")
    assert shop.run(spec).re_read_rows == 1
    if len(names) == 1:
        shop.rows("update raw_shop.t set v = 0 where v = 300")
        assert shop.run(spec).status == "failed"


def test_a_personal_key_is_compared_by_its_hash(shop: Shop) -> None:
    shop.source.run(
        "create table users (email text primary key, country text)",
        "insert into users values ('a@x', 'GB'), ('b@x', 'FR'), ('c@x', 'FR')",
    )
    spec = TableSpec("users", ("email",), pii={"email": "hmac"}, pii_keys={"k": "secret"})
    shop.position = None
    assert shop.run(spec).status == "passed"
    shop.source.run("delete from users where email = 'a@x'")
    shop.rows("delete from raw_shop.users where country = 'FR'")
    certificate = shop.run(spec)
    assert certificate.status == "passed"
    assert (certificate.deleted_rows, certificate.re_read_rows) == (1, 2)
    live = "select left(email, 2), country from raw_shop.users where _deleted_at is null"
    assert shop.rows(live) == [("k:", "FR")] * 2
    written = b"".join(p.read_bytes() for p in shop.landing.rglob("*") if p.is_file())
    assert b"@x" not in written


@pytest.mark.parametrize(
    "change", ["email = null", "email = 'ada@x'", "birth_date = 1816", "birth_date = null"]
)
def test_a_personal_column_changed_by_hand_is_found(shop: Shop, change: str) -> None:
    shop.source.run(
        "create table users (id int primary key, email text, birth_date date)",
        "insert into users values (1, 'ada@x', '1815-12-10'), (2, null, '0044-03-15 BC')",
        "insert into users values (3, 'x', 'infinity'), (4, 'y', null)",
    )
    rules = {"email": "hmac", "birth_date": "year"}
    spec = TableSpec("users", ("id",), pii=rules, pii_keys={"k": "secret"})
    shop.position = None
    assert shop.run(spec).status == "passed"
    shop.rows(f"update raw_shop.users set {change} where id = 1")
    assert shop.run(spec).status == "failed"


def test_a_source_of_another_encoding_is_certified(shop: Shop, source: Source) -> None:
    latin = Source(source.server, f"{source.name}_latin")
    source.run(f"create database {latin.name} encoding 'LATIN1' locale 'C' template template0")
    try:
        latin.run(
            "create table words (word text primary key, more text[])",
            "insert into words select 'é' || n, array['ß', n::text]"
            " from generate_series(1, 1100) n",
        )
        shop.source, shop.position = latin, None
        spec = TableSpec("words", ("word",))
        assert shop.run(spec).status == "passed"
        latin.run("delete from words where word in ('é5', 'é1000')")
        certificate = shop.run(spec)
        assert (certificate.status, certificate.deleted_rows) == ("passed", 2)
    finally:
        source.run(f"drop database {latin.name} with (force)")


def test_a_renamed_label_of_an_enum_is_found(shop: Shop) -> None:
    """It changes rows without writing them, so that no incremental read can see it."""
    shop.source.run(
        "create type mood as enum ('sad', 'ok')",
        "create table t (id int primary key, m mood)",
        "insert into t values (1, 'sad')",
    )
    spec = TableSpec("t", ("id",))
    shop.position = None
    assert shop.run(spec).status == "passed"
    shop.source.run("alter type mood rename value 'sad' to 'low'")
    assert shop.run(spec).status == "failed"
    assert shop.run(spec, full=True).status == "passed"
