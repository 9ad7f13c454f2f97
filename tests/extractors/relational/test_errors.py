"""What a user reads when a source refuses: one line with place, reason and advice."""

import socket
import threading
import time
from pathlib import Path

import pytest

from extractors.errors import ConfigError, SourceError, WarehouseError
from extractors.relational.catalogue import relation
from extractors.relational.connection import connect, server_of
from extractors.relational.plan import problems, reading_mode
from extractors.relational.postgres import TableSpec
from tests.relational_source import Source, landed

SPEC = TableSpec("orders", ("order_id",))


def failure(source: Source, landing: Path, spec: TableSpec = SPEC, dsn: str | None = None) -> str:
    with pytest.raises(WarehouseError) as caught, source.snapshot(dsn) as snapshot:
        snapshot.extract(spec, landing, None)
    message = str(caught.value)
    assert "\n" not in message
    assert source.server.password not in message
    return message


@pytest.fixture
def shop(source: Source) -> Source:
    source.run("create table orders (order_id text primary key, status text)")
    return source


def test_a_wrong_password(shop: Source, tmp_path: Path) -> None:
    dsn = shop.dsn.replace(shop.server.password, "wrong")
    message = failure(shop, tmp_path, dsn=dsn)
    assert message.startswith(f"shop (PostgreSQL 127.0.0.1:{shop.server.port}/{shop.name}, shop)")
    assert 'password authentication failed for user "shop"; check user, password' in message


def test_a_missing_database(shop: Source, tmp_path: Path) -> None:
    message = failure(shop, tmp_path, dsn=shop.server.dsn("nowhere"))
    assert 'database "nowhere" does not exist; check the database\'s name' in message


def test_an_unreachable_host(shop: Source, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    message = failure(shop, tmp_path, dsn=f"postgresql://shop:secret@127.0.0.1:{port}/shop")
    assert f"127.0.0.1:{port}/shop" in message
    assert "Connection refused; check that the server runs" in message


def test_a_host_that_says_nothing_is_given_up(shop: Source, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        dsn = f"postgresql://shop:secret@127.0.0.1:{port}/shop?connect_timeout=2"
        started = time.monotonic()
        message = failure(shop, tmp_path, dsn=dsn)
    assert "timeout expired" in message
    assert time.monotonic() - started < 10


def test_all_connections_go_to_the_server_that_has_the_snapshot(
    shop: Source, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        dead = taken.getsockname()[1]
    dsn = shop.dsn.replace("@127.0.0.1:", f"@127.0.0.1:{dead},localhost:")
    with shop.snapshot(dsn) as snapshot:
        assert snapshot.extract(SPEC, tmp_path, None).mode == "full"


@pytest.mark.parametrize("dsn", ["password=hush port", "mysql://u:hush@h/d"])
def test_a_dsn_that_cannot_be_used_does_not_show_its_password(
    shop: Source, tmp_path: Path, dsn: str
) -> None:
    assert "hush" not in failure(shop, tmp_path, dsn=dsn)


def test_a_malformed_dsn_is_an_error_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match="shop: the DSN cannot be read; write it as postgresql:"):
        server_of("shop", "host=a port")


def test_a_missing_table(shop: Source, tmp_path: Path) -> None:
    message = failure(shop, tmp_path, TableSpec("payments", ("id",)))
    assert "shop.payments (PostgreSQL" in message
    assert "no such table; correct its name in warehouse.yml" in message


def test_a_missing_key_column(shop: Source, tmp_path: Path) -> None:
    message = failure(shop, tmp_path, TableSpec("orders", ("id",)))
    assert "`key` names the column id, which it does not have; it has order_id, status" in message


def test_a_missing_personal_column(shop: Source, tmp_path: Path) -> None:
    spec = TableSpec("orders", ("order_id",), pii={"email": "drop"})
    assert "`pii` names the column email, which it does not" in failure(shop, tmp_path, spec)


def test_a_key_that_repeats(shop: Source, tmp_path: Path) -> None:
    shop.run("insert into orders values ('A', 'new'), ('B', 'new'), ('C', 'old')")
    message = failure(shop, tmp_path, TableSpec("orders", ("status",)))
    assert 'key (status) is not unique: ["new"] has 2 rows; name the columns' in message


def test_a_key_without_an_index_is_fine_while_it_is_unique(shop: Source, tmp_path: Path) -> None:
    shop.run("insert into orders values ('A', 'new'), ('B', 'old')")
    with shop.snapshot() as snapshot:
        manifest = snapshot.extract(TableSpec("orders", ("status",)), tmp_path, None)
    assert landed(tmp_path, manifest) == [("A", "new"), ("B", "old")]


def test_a_row_without_its_key_is_quarantined(source: Source, tmp_path: Path) -> None:
    source.run("create table t (id int, v text)", "insert into t values (1, 'a'), (null, 'b')")
    with source.snapshot() as snapshot:
        manifest = snapshot.extract(TableSpec("t", ("id",)), tmp_path, None)
    assert landed(tmp_path, manifest) == [(1, "a")]
    assert landed(tmp_path, manifest, "reason, field, payload", "quarantine") == [
        ("key is null", "id", '{ "id" : null, "v" : "b" }')
    ]


@pytest.fixture
def reader_dsn(shop: Source) -> str:
    """Return the DSN of a role that may connect and nothing else."""
    role = f"reader_{shop.name}"
    shop.run(f"create role {role} login password 'hush'")
    return f"postgresql://{role}:hush@127.0.0.1:{shop.server.port}/{shop.name}"


def test_missing_privileges_name_the_grant(shop: Source, tmp_path: Path, reader_dsn: str) -> None:
    message = failure(shop, tmp_path, dsn=reader_dsn)
    grant = f'GRANT SELECT ON "public"."orders" TO "reader_{shop.name}"'
    assert "no privilege to read" in message
    assert message.endswith(grant)
    shop.run(f"grant select (order_id) on orders to reader_{shop.name}")
    assert 'GRANT SELECT ("status") ON' in failure(shop, tmp_path, dsn=reader_dsn)
    spec = TableSpec("orders", ("order_id",), pii={"status": "drop"})
    with shop.snapshot(reader_dsn) as snapshot:
        assert snapshot.extract(spec, tmp_path, None).rows == 0


def test_a_schema_without_privilege(shop: Source, tmp_path: Path, reader_dsn: str) -> None:
    shop.run("create schema sales", "create table sales.orders (id int primary key)")
    message = failure(shop, tmp_path, TableSpec("sales.orders", ("id",)), reader_dsn)
    assert 'GRANT USAGE ON SCHEMA "sales"' in message


def test_a_row_policy_is_refused_and_not_taken_for_a_small_table(
    shop: Source, tmp_path: Path, reader_dsn: str
) -> None:
    shop.run(
        f"grant select on orders to reader_{shop.name}",
        "alter table orders enable row level security",
        "insert into orders values ('A', 'new')",
    )
    assert "row-level security" in failure(shop, tmp_path, dsn=reader_dsn)


def test_a_cancelled_statement(shop: Source, tmp_path: Path) -> None:
    shop.run(
        "create view slow as select order_id, pg_sleep(10)::text as s from orders",
        "insert into orders values ('A', 'new')",
    )
    stop = threading.Event()

    def cancel() -> None:
        while not stop.wait(0.05):
            shop.run(
                "select pg_cancel_backend(pid) from pg_stat_activity where query like '%slow%'"
                " and pid <> pg_backend_pid()"
            )

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        message = failure(shop, tmp_path, TableSpec("slow", ("order_id",)))
    finally:
        stop.set()
        thread.join()
    assert "shop.slow" in message
    assert "somebody cancelled the statement" in message
    assert not list((tmp_path / "shop" / "main").glob("*/*"))


def test_a_server_that_ends_the_connections(shop: Source, tmp_path: Path) -> None:
    with shop.snapshot() as snapshot:
        shop.run(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        with pytest.raises(SourceError) as caught:
            snapshot.extract(SPEC, tmp_path, None)
    assert "run again" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_problem_of_a_table_is_told_before_a_run(shop: Source) -> None:
    spec = TableSpec("orders", ("id",), pii={"email": "hmac", "status": "year"})
    server = server_of("shop", shop.dsn)
    with connect(server, shop.dsn) as connection:
        found = problems(spec, relation(connection, "orders"), server)
    assert [str(problem).partition("shop): ")[2] or str(problem) for problem in found] == [
        "`key` names the column id, which it does not have; it has order_id, status",
        "`pii` names the column email, which it does not have; it has order_id, status",
        "pii: orders: email: `hmac` needs a key; set one under pii_keys",
        "pii: `year` on status, which is text; it needs a date or timestamp",
    ]


def test_a_view_is_told_to_be_read_in_full(shop: Source) -> None:
    shop.run("create view v as select * from orders")
    with connect(server_of("shop", shop.dsn), shop.dsn) as connection:
        table, view = relation(connection, "orders"), relation(connection, "v")
    assert table is not None
    assert view is not None
    assert reading_mode(SPEC, table)[0] == "scan"
    assert reading_mode(SPEC, view) == ("full", "a view has no xmin to tell changed rows by")
    assert (table.is_unique(("order_id",)), view.is_unique(("order_id",))) == (True, False)
