"""Readers of a domain or of some cells: they come, change and go as the configuration says."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from psycopg import conninfo

from extractors.errors import ConfigError
from tests.relational_source import Source, postgres_server, source
from tests.warehouse import publishing
from warehouse import config
from warehouse.config import Settings
from warehouse.engines import postgres_engine, postgres_reader_roles, postgres_roles
from warehouse.publish import postgres_target, status, versions
from warehouse.serve import readers

__all__ = ["postgres_server", "source"]

FINANCE = "finance: { schemas: [affiliate] }"
EU = "eu: { schemas: [core, meta], cells: [eu] }"
DENIED, NOT_THERE = psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable


@dataclass(slots=True)
class Marts:
    """Two versions of a table of three cells and one without, and who reads them."""

    build: duckdb.DuckDBPyConnection
    path: Path
    source: Source

    def configure(self, *entries: str, tables: str = "views", keep: int = 2) -> Settings:
        """Write the configuration with these readers."""
        self.path.write_text(
            f"publication: {{ keep: {keep}, postgres: '{self.source.dsn}', tables: {tables},"
            f" readers: {{ {', '.join(entries)} }} }}\n"
            "sources:\n"
            "  s: { kind: postgres, tables: { t: { key: [id] } },"
            " cells: { eu: 'postgresql://a:b@127.0.0.1:1/a',"
            " us: 'postgresql://a:b@127.0.0.1:1/b' } }\n",
            encoding="utf-8",
        )
        return config.load(self.path)

    def publish(self, settings: Settings, number: int) -> str:
        self.build.execute(
            "CREATE SCHEMA IF NOT EXISTS core; CREATE SCHEMA IF NOT EXISTS affiliate"
        )
        self.build.execute(
            "CREATE OR REPLACE TABLE core.baskets AS SELECT n,"
            f" {number} AS number, ['eu', 'us', NULL][n] AS cell FROM range(1, 4) AS numbers (n)"
        )
        self.build.execute(
            f"CREATE OR REPLACE TABLE affiliate.payable AS SELECT {number} AS number"
        )
        return publishing.publish(self.build, settings, number)

    def ask(self, role: str, query: str) -> list[Any]:
        """Return what a role is told."""
        with psycopg.connect(self.source.dsn) as connection:
            connection.execute(f"set role {role}".encode())
            return connection.execute(query.encode()).fetchall()

    def refused(self, role: str, *places: str) -> None:
        """Fail where a role may read one of these."""
        for place in places:
            with pytest.raises((DENIED, NOT_THERE)):
                self.ask(role, f"select * from {place}")

    def names(self, query: str) -> list[str]:
        with psycopg.connect(self.source.dsn) as connection:
            return [row[0] for row in connection.execute(query.encode()).fetchall()]

    def schemas(self, pattern: str) -> list[str]:
        return self.names(
            f"select nspname::text from pg_namespace where nspname ~ '{pattern}' order by 1"
        )

    def roles(self) -> list[str]:
        return self.names(
            "select rolname::text from pg_roles where rolname ~ '^bi_' and rolname <> 'bi_reader'"
            " order by 1"
        )


@pytest.fixture
def marts(build: duckdb.DuckDBPyConnection, tmp_path: Path, source: Source) -> Iterator[Marts]:
    found = Marts(build, tmp_path / "warehouse.yml", source)
    yield found
    with psycopg.connect(source.dsn, autocommit=True) as connection:
        postgres_reader_roles.drop_others(connection, [])
    assert [role for role in found.roles() if role != "bi_theirs"] == []


@pytest.mark.parametrize("tables", ["views", "physical"])
def test_a_reader_comes_changes_and_goes_without_a_new_version(marts: Marts, tables: str) -> None:
    settings = marts.configure(tables=tables)
    for number in (1, 2):
        marts.publish(settings, number)
    assert marts.roles() == []

    settings = marts.configure(FINANCE, EU, tables=tables)
    assert status.status(settings)["targets"][1]["lags"]
    versions.catch_up(settings)
    assert not status.status(settings)["targets"][1]["lags"]
    named = "select number, version from affiliate.payable cross join meta.publication"
    assert marts.ask("bi_finance", named) == [(2, "v000002")]
    assert marts.ask("bi_finance", "select number from v000001_affiliate.payable") == [(1,)]
    marts.refused(
        "bi_finance", "core.baskets", "v000001_core.baskets", "meta.keys", "eu_core.baskets"
    )
    baskets = "select n, number, version from eu_core.baskets cross join eu_meta.publication"
    assert marts.ask("bi_eu", baskets) == [(1, 2, "v000002")]
    assert marts.ask("bi_eu", "select n, number from v000001_eu_core.baskets") == [(1, 1)]
    marts.refused(
        "bi_eu", "core.baskets", "eu_core.products", "affiliate.payable", "meta.publication"
    )

    # other schemas for the one, another cell for the other
    settings = marts.configure(
        "finance: { schemas: [core] }",
        "eu: { schemas: [core], cells: [us] }",
        tables=tables,
    )
    versions.catch_up(settings)
    assert marts.ask("bi_finance", "select count(*) from core.baskets") == [(3,)]
    assert marts.ask("bi_finance", "select count(*) from v000001_core.baskets") == [(3,)]
    marts.refused("bi_finance", "affiliate.payable", "v000002_affiliate.payable")
    assert marts.ask("bi_eu", baskets) == [(2, 2, "v000002")]
    assert marts.ask("bi_eu", "select n from v000001_eu_core.baskets") == [(2,)]

    # a version more, one less
    marts.publish(settings, 3)
    assert marts.ask("bi_eu", baskets) == [(2, 3, "v000003")]
    assert marts.schemas("eu_") == [
        *("eu_core", "eu_meta", "v000002_eu_core", "v000002_eu_meta"),
        *("v000003_eu_core", "v000003_eu_meta"),
    ]
    versions.rollback(settings)
    assert marts.ask("bi_eu", baskets) == [(2, 2, "v000002")]

    versions.catch_up(marts.configure(tables=tables))
    assert marts.roles() == []
    assert marts.schemas("eu_") == []
    assert marts.names("select schema_name from store.schemas order by 1") == [
        "affiliate",
        "core",
        "meta",
    ]


def test_a_reader_goes_whoever_reads_just_then(marts: Marts) -> None:
    settings = marts.configure(EU)
    marts.publish(settings, 1)
    with marts.source.session() as reading:
        reading.execute("set role bi_eu")
        reading.execute("select * from eu_core.baskets, v000001_eu_core.baskets as pinned")
        versions.catch_up(marts.configure())
        assert marts.roles() == []
        assert status.status(marts.configure())["targets"][1]["problem"] is None
        reading.rollback()
    marts.publish(marts.configure(), 2)
    assert marts.schemas("eu_") == []


def test_a_role_of_somebody_else_is_never_altered(marts: Marts) -> None:
    settings = marts.configure("theirs: { schemas: [core] }")
    marts.source.run("create role bi_theirs")
    try:
        marts.publish(settings, 1)
        problem = status.status(settings)["targets"][1]["problem"]
        assert "has a role bi_theirs that the warehouse did not make; name the reader" in problem
        with pytest.raises(ConfigError, match="COMMENT ON ROLE bi_theirs IS 'Made by Commerce"):
            postgres_target.check(settings)
        # the way it says
        marts.source.run(problem.partition("to the warehouse: ")[2])
        postgres_target.check(settings)
        versions.catch_up(settings)
        assert marts.ask("bi_theirs", "select count(*) from core.baskets") == [(3,)]
    finally:
        marts.source.run("drop owned by bi_theirs; drop role bi_theirs")


def test_a_schema_of_somebody_else_with_the_name_of_a_readers_stays(marts: Marts) -> None:
    marts.source.run("create schema eu_core", "create table eu_core.theirs (n integer)")
    settings = marts.configure(EU)
    marts.publish(settings, 1)
    problem = status.status(settings)["targets"][1]["problem"]
    assert "has a schema eu_core that the warehouse did not make" in problem
    assert marts.names("select count(*)::text from eu_core.theirs") == ["0"]


def test_a_publisher_that_may_make_no_role_says_what_its_administrator_runs(marts: Marts) -> None:
    marts.source.run(
        "create role publisher login password 'p'",
        f"grant create on database {marts.source.name} to publisher",
    )
    dsn = conninfo.make_conninfo(marts.source.dsn, user="publisher", password="p")
    try:
        with (
            psycopg.connect(dsn, autocommit=True) as connection,
            pytest.raises(
                ConfigError, match="publisher may not make the role bi_finance; have it"
            ) as said,
        ):
            postgres_reader_roles.make(connection, ["bi_finance"])
        marts.source.run(str(said.value).partition("made: ")[2])
        with psycopg.connect(dsn, autocommit=True) as connection:
            postgres_reader_roles.make(connection, ["bi_finance"])
        with pytest.raises(ConfigError, match="publisher may not give bi_finance a password"):
            readers.let_in(dsn, "finance")
    finally:
        marts.source.run("drop owned by publisher; drop role publisher")


def test_a_password_is_given_by_a_publisher_that_may_make_roles(marts: Marts) -> None:
    marts.source.run(
        "create role publisher login createrole password 'p'",
        f"grant create on database {marts.source.name} to publisher",
    )
    dsn = postgres_engine.address(
        conninfo.make_conninfo(marts.source.dsn, user="publisher", password="p")
    )
    try:
        first, second = readers.let_in(dsn, "finance"), readers.let_in(dsn, "finance")
        with psycopg.connect(second) as connection:
            found = connection.execute(
                "select current_user::text, current_setting('statement_timeout')"
            ).fetchone()
            assert found == ("bi_finance", "5min")
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(first)
        with pytest.raises(ConfigError, match="no reader marketing; there are finance"):
            readers.require_reader(marts.configure(FINANCE), "marketing")
        with pytest.raises(ConfigError, match="bi_finance is the role of finance, name that"):
            readers.require_reader(marts.configure(FINANCE), "bi_finance")
    finally:
        marts.source.run("drop role bi_finance; drop owned by publisher; drop role publisher")


@pytest.mark.parametrize(
    "place",
    [
        {"host": "/var/run/postgresql"},
        {"host": "::1", "port": "5433"},
        {"host": "one,two", "port": "5432,5433"},
    ],
)
def test_a_readers_address_leads_to_where_the_publishers_does(place: dict[str, str]) -> None:
    given = conninfo.make_conninfo("", dbname="a/b", user="publisher", **place)
    found = conninfo.conninfo_to_dict(readers.address_of("bi_finance", "p", given))
    assert (found["user"], found["dbname"], found["host"]) == ("bi_finance", "a/b", place["host"])
    assert found["port"] == place.get("port", "5432")


def test_a_statement_beyond_the_time_out_is_ended_from_outside(marts: Marts) -> None:
    with (
        marts.source.session() as reader,
        psycopg.connect(marts.source.dsn, autocommit=True) as publisher,
    ):
        user = str(reader.info.user)
        reader.execute("set statement_timeout = 0")
        reader.pgconn.send_query(b"select pg_sleep(60)")
        assert postgres_roles.end_overlong(publisher, ["bi_reader"], "0 s") == 0
        assert postgres_roles.end_overlong(publisher, [user], "1 h") == 0
        while not postgres_roles.end_overlong(publisher, [user], "0 s"):
            pass
        result = reader.pgconn.get_result()
        assert result is not None
        assert result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"57014"
        assert reader.pgconn.get_result() is None
