"""What readers of the BI endpoint are refused, and what they may do."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import conninfo

from tests.clients import attempts
from tests.clients.conftest import Server
from warehouse import config
from warehouse.publish import versions
from warehouse.serve import embedded

# A table that each may read.
OWN = {
    "bi_reader": "affiliate.payable",
    "bi_finance": "affiliate.payable",
    "bi_home": "home_affiliate.payable",
}
ATTEMPTS = [
    (role, attempt, state)
    for role in OWN
    for attempt, state in {**attempts.EVERYBODY, **attempts.BEYOND[role]}.items()
]


Readers = dict[str, psycopg.Connection[tuple[object, ...]]]


@pytest.fixture(scope="module")
def readers(bi: Server) -> Readers:
    connections = {
        role: psycopg.connect(embedded.endpoint(bi.settings, role).dsn, autocommit=True)
        for role in OWN
    }
    for connection in connections.values():
        connection.execute("set default_transaction_read_only = off")
    return connections


@pytest.mark.parametrize(("role", "attempt", "state"), ATTEMPTS)
def test_a_reader_is_refused(readers: Readers, role: str, attempt: str, state: str) -> None:
    reader, own = readers[role], OWN[role]
    schema, _, _ = own.partition(".")
    try:
        with pytest.raises(psycopg.Error) as refused:
            reader.execute(attempt.replace("{own}", own).replace("{schema}", schema).encode())
    finally:
        reader.rollback()
        reader.execute("reset search_path")
    assert refused.value.sqlstate == state, refused.value


def test_a_reader_reads_every_public_schema_and_those_of_kept_versions(bi: Server) -> None:
    assert bi.ask("select order_id, version_number from core.orders order by 1") == [
        ("o1", 2),
        ("o2", 2),
        ("o3", 2),
    ]
    assert bi.ask("select distinct version_number from v000001_core.orders") == [(1,)]
    assert bi.ask("select version from meta.publication") == [("v000002",)]


def test_each_reader_reads_its_part_of_every_version_and_knows_which_it_is(
    readers: Readers,
) -> None:
    def ask(role: str, query: str) -> list[tuple[object, ...]]:
        return readers[role].execute(query.encode()).fetchall()

    payable = "select affiliate_id, version_number, version from {0}.payable, {1}.publication"
    everything = [(f"a{n}", 2, "v000002") for n in (1, 2, 3, 4)]
    finance = payable.format("affiliate", "meta")
    assert sorted(ask("bi_reader", finance)) == sorted(ask("bi_finance", finance)) == everything
    assert ask("bi_finance", "select amount from affiliate.totals") == [(100,)]
    home = payable.format("home_affiliate", "home_meta")
    assert sorted(ask("bi_home", home)) == everything[:2]
    pinned = "select count(*), max(version_number) from v000001_"
    assert ask("bi_finance", f"{pinned}affiliate.payable") == [(4, 1)]
    assert ask("bi_home", f"{pinned}home_affiliate.payable") == [(2, 1)]


# What shows nothing of another's rows: role, query, what it says instead.
HIDDEN = [
    # conditions that tell a value by an error, a cost or an estimate see the reader's rows alone
    ("bi_home", "select count(*) from {own} where 1 / (30 - amount) < 9", 2),
    (
        "bi_home",
        "select count(*) from {own} where (account || cell) !~ 'us$' or account::int > 0",
        2,
    ),
    ("bi_home", "select count(*) from {own} where cell = 'us' or cell is null", 0),
    ("bi_home", "select count(*) from {own} where account like '%3'", 0),
    # statistics hold values
    *(
        (role, "select count(*) from pg_stats where tablename ~ '^(payable|orders)'", 0)
        for role in OWN
    ),
    *((role, "select count(*) from pg_stats_ext", 0) for role in OWN),
    # what others ask
    *(
        (
            role,
            "select count(*) from pg_stat_activity"
            " where usename <> current_user and query <> '<insufficient privilege>'",
            0,
        )
        for role in OWN
    ),
    ("bi_finance", "select count(*) from information_schema.tables where table_schema ~ 'core'", 0),
    ("bi_home", "select count(*) from information_schema.columns where table_schema ~ 'core'", 0),
]


@pytest.mark.parametrize(("role", "query", "said"), HIDDEN)
def test_a_reader_sees_nothing_of_what_others_read(
    readers: Readers, role: str, query: str, said: int
) -> None:
    found = readers[role].execute(query.replace("{own}", OWN[role]).encode()).fetchall()
    assert found == [(said,)]


@pytest.mark.parametrize("role", OWN)
def test_rights_are_passed_on_to_nobody(readers: Readers, role: str) -> None:
    readers[role].execute(f"grant select on {OWN[role]} to public, bi_finance, bi_home".encode())
    query = f"select has_table_privilege('public', '{OWN[role]}', 'select')"
    assert readers[role].execute(query.encode()).fetchall() == [(False,)]


def test_every_view_of_some_cells_is_a_barrier(bi: Server) -> None:
    """Without it the planner may ask a reader's cheap, telling condition first."""
    with psycopg.connect(embedded.server(bi.settings).dsn("warehouse")) as publisher:
        found = publisher.execute(
            "select relnamespace::regnamespace::text, array_agg(relname::text order by relname)"
            " from pg_class where relnamespace::regnamespace::text ~ 'home_' and relkind = 'v'"
            " and reloptions = '{security_barrier=true}' group by 1 order by 1"
        ).fetchall()
    assert found == [
        (f"{version}{schema}", [table])
        for version in ("home", "v000001_home", "v000002_home")
        for schema, table in (("_affiliate", "payable"), ("_meta", "publication"))
    ]


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


def test_roles_are_made_what_they_are_by_several_commands_at_once(bi: Server) -> None:
    with ThreadPoolExecutor(3) as commands:
        for done in [commands.submit(embedded.secure, bi.settings) for _ in range(9)]:
            done.result()


def test_the_password_of_a_reader_that_went_is_none_of_one_that_comes(bi: Server) -> None:
    before = embedded.endpoint(bi.settings, "bi_finance").dsn
    path = bi.settings.path
    text = path.read_text(encoding="utf-8")
    told: list[str] = []
    try:
        path.write_text(text.replace("finance: { schemas: [affiliate] },", ""), encoding="utf-8")
        embedded.start(config.load(path), tell=told.append)
        versions.catch_up(config.load(path))
    finally:
        path.write_text(text, encoding="utf-8")
        versions.catch_up(bi.settings)
        embedded.secure(bi.settings)
    assert told == ["reader removed: finance, which warehouse.yml does not name"]
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(before)
    with psycopg.connect(embedded.endpoint(bi.settings, "bi_finance").dsn) as connection:
        assert connection.execute("select count(*) from affiliate.totals").fetchone() == (1,)
