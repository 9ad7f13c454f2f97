"""What readers of the BI endpoint are refused, and what they may do."""

import psycopg
import pytest
from psycopg import conninfo

from tests.clients.conftest import Server
from warehouse.serve import embedded

# Asked with read-only transactions switched off, which any client can: what refuses is the role.
REFUSED = [
    # to write
    "insert into core.orders (order_id) values ('x')",
    "update core.orders set note = ''",
    "delete from core.orders",
    "truncate store.shown",
    "create table core.mine (n integer)",
    "create table public.mine (n integer)",
    "create temp table mine (n integer)",
    "select * into temp mine from core.orders",
    "create schema mine",
    "create view core.mine as select 1",
    "create function core.f() returns integer language sql as 'select 1'",
    "comment on view core.orders is 'mine'",
    "alter view core.orders rename to mine",
    "drop view core.orders",
    "drop schema core cascade",
    "alter schema core rename to mine",
    "analyze store.shown",
    "vacuum full store.shown",
    "begin; lock table store.shown in access exclusive mode",
    "begin; lock table core.orders in access exclusive mode",
    "select lo_create(0)",
    "select lo_from_bytea(0, 'x')",
    "select pg_advisory_lock(1)",
    "select pg_try_advisory_xact_lock(1)",
    "select pg_logical_emit_message(false, 'x', 'x')",
    "select pg_notify('x', 'x')",
    # to see what is not theirs
    "select * from store.shown",
    "select * from store.versions",
    "select rolpassword from pg_authid",
    "select * from pg_stats_ext_exprs, pg_statistic",
    "select * from pg_hba_file_rules",
    "show data_directory",
    "show hba_file",
    # files, programs and the network
    "copy core.orders to '/tmp/orders'",
    "copy (select 1) to program 'id'",
    "select pg_read_file('/etc/passwd')",
    "select pg_read_binary_file('/etc/passwd')",
    "select pg_ls_dir('.')",
    "select pg_stat_file('postgresql.conf')",
    "select lo_import('/etc/passwd')",
    "select pg_current_logfile()",
    "create extension vector schema core",
    "create foreign data wrapper f",
    "create subscription s connection 'host=x' publication p",
    "load '/tmp/x.so'",
    "do $$ begin end $$",
    # to become somebody else, or stop others
    "create role mine",
    "alter role bi_reader superuser",
    "alter role bi_reader connection limit -1",
    "set role warehouse",
    "set session authorization warehouse",
    "alter system set work_mem = '1GB'",
    "alter database warehouse set work_mem = '1GB'",
    "create database mine",
    "drop database warehouse",
    "select pg_reload_conf()",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'warehouse'",
    "set log_statement = 'none'",
    "set session_replication_role = 'replica'",
    "checkpoint",
    "create publication p for all tables",
    "select pg_create_physical_replication_slot('s')",
]


@pytest.fixture(scope="module")
def reader(bi: Server) -> psycopg.Connection[tuple[object, ...]]:
    connection = psycopg.connect(bi.dsn, autocommit=True)
    connection.execute("set default_transaction_read_only = off")
    return connection


@pytest.mark.parametrize("attempt", REFUSED)
def test_a_reader_is_refused(reader: psycopg.Connection[tuple[object, ...]], attempt: str) -> None:
    try:
        with pytest.raises(psycopg.Error) as refused:
            reader.execute(attempt.encode())
    finally:
        reader.rollback()
    assert refused.value.sqlstate in {
        "42501",  # no privilege
        "55000",  # a view that cannot be written
    }, refused.value


def test_a_reader_reads_every_public_schema_and_those_of_kept_versions(bi: Server) -> None:
    assert bi.ask("select order_id, version_number from core.orders order by 1") == [
        ("o1", 2),
        ("o2", 2),
        ("o3", 2),
    ]
    assert bi.ask("select distinct version_number from v000001_core.orders") == [(1,)]
    assert bi.ask("select version from meta.publication") == [("v000002",)]


def test_a_reader_is_bounded_and_cannot_write_by_mistake(bi: Server) -> None:
    assert bi.ask("select current_setting('transaction_read_only')") == [("on",)]
    assert bi.ask("select current_setting('statement_timeout')") == [("5min",)]
    assert bi.ask("select rolconnlimit from pg_roles where rolname = current_user") == [(80,)]
    with (
        psycopg.connect(bi.dsn, options="-c statement_timeout=20") as connection,
        pytest.raises(psycopg.errors.QueryCanceled),
    ):
        connection.execute("select pg_sleep(5)")


@pytest.mark.parametrize("change", ["dbname=postgres", "dbname=template1", "password=wrong"])
def test_a_reader_gets_into_no_other_database_and_not_without_the_password(
    bi: Server, change: str
) -> None:
    name, _, value = change.partition("=")
    with pytest.raises(psycopg.OperationalError, match="permission denied|authentication failed"):
        psycopg.connect(conninfo.make_conninfo(bi.dsn, **{name: value}))


def test_the_server_listens_on_this_machine_alone_and_asks_for_a_scrambled_password(
    bi: Server,
) -> None:
    server = embedded.server(bi.settings)
    with psycopg.connect(server.dsn("warehouse")) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
        rules = connection.execute(
            "select distinct auth_method from pg_hba_file_rules where error is null"
        ).fetchall()
    assert rules == [("scram-sha-256",)]


def test_what_readers_changed_of_their_own_role_is_undone_and_a_password_is_changed_by_command(
    bi: Server,
) -> None:
    log = embedded.server(bi.settings).log
    with psycopg.connect(bi.dsn, autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        connection.execute("alter role bi_reader set statement_timeout = 0")
        connection.execute("alter role bi_reader password 'mine'")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(bi.dsn)
    embedded.secure(bi.settings)
    assert bi.ask("select current_setting('statement_timeout')") == [("5min",)]

    embedded.rotate(bi.settings)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(bi.dsn)
    renewed = embedded.endpoint(bi.settings)
    with psycopg.connect(renewed.dsn) as connection:
        assert connection.execute("select current_user").fetchone() == ("bi_reader",)
    password = conninfo.conninfo_to_dict(renewed.dsn)["password"]
    assert str(password) not in log.read_text(encoding="utf-8")
    # what the other tests connect with
    old = conninfo.conninfo_to_dict(bi.dsn)["password"]
    (embedded.server(bi.settings).directory / "reader-password").write_text(str(old))
    embedded.secure(bi.settings)
