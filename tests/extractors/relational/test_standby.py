"""Reading a real streaming standby: nothing is lost when it lags, conflicts or takes over."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from demo.servers import Servers
from demo.standby import ReplicatedServer
from extractors.errors import ConfigError, SourceError
from extractors.package import Manifest
from extractors.relational.postgres import Snapshot, TableSpec
from tests.recovery_conflict import allow_conflicts, provoke_conflict
from tests.relational_source import NOW, landed
from warehouse.engines.duckdb_engine import build_database
from warehouse.load.package import LoadRecord, load_package
from warehouse.reconcile.certify import certify

ORDERS = TableSpec("orders", ("order_id",))
BEFORE, LATER = (datetime(2011, 8, day, tzinfo=UTC) for day in (30, 31))


class Shop:
    """A primary with orders A and B, its standby, and a raw table that follows one of them."""

    def __init__(self, servers: Servers, folder: Path, build: duckdb.DuckDBPyConnection) -> None:
        self.servers, self.landing, self.build = servers, folder / "landing", build
        self.position: dict[str, Any] | None = None
        self.run(
            "drop table if exists orders, heartbeat",
            "create table orders (order_id text primary key, status text)",
            "create table heartbeat (ts timestamptz)",
            "insert into orders values ('A', 'placed'), ('B', 'placed')",
        )
        servers.settle()

    def run(self, *statements: str) -> None:
        """Change the primary."""
        with self.session() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def session(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.servers.primary.dsn(), autocommit=True)

    def snapshot(self, server: ReplicatedServer, heartbeat: str | None = None) -> Snapshot:
        return Snapshot(server.dsn(), source="shop", now=lambda: NOW, heartbeat=heartbeat)

    def load(self, manifest: Manifest) -> LoadRecord:
        self.position = manifest.to
        return load_package(self.build, self.landing, manifest, run_id="test")

    def read(self, server: ReplicatedServer | None = None, full: bool = False) -> Manifest:
        """Extract, load and certify as a run does; from the standby unless told."""
        with self.snapshot(server or self.servers.standby) as snapshot:
            manifest = snapshot.extract(ORDERS, self.landing, None if full else self.position)
            self.load(manifest)
            certificate = certify(
                self.build,
                ("raw_shop", "orders"),
                snapshot.reader(ORDERS),
                deletes="reconcile",
                landing=self.landing,
                load=self.load,
                now=lambda: NOW,
            )
        assert (certificate.status, certificate.kind) == ("passed", "exact")
        return manifest

    @property
    def live(self) -> list[str]:
        """The orders that raw holds."""
        sql = "select order_id from raw_shop.orders where _deleted_at is null order by all"
        return [row[0] for row in self.build.execute(sql).fetchall()]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Yield a primary and a standby that tests leave as they are."""
    yield from pair_in(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def own_pair(tmp_path: Path) -> Iterator[Servers]:
    """Yield a primary and a standby for one test."""
    yield from pair_in(tmp_path / "servers")


def pair_in(folder: Path) -> Iterator[Servers]:
    servers = Servers(folder)
    servers.start()
    servers.settle()
    yield servers
    servers.delete()


@pytest.fixture
def shop(pair: Servers, tmp_path: Path) -> Iterator[Shop]:
    with build_database(tmp_path / "build.duckdb") as build:
        yield Shop(pair, tmp_path, build)


@pytest.fixture
def own_shop(own_pair: Servers, tmp_path: Path) -> Iterator[Shop]:
    with build_database(tmp_path / "build.duckdb") as build:
        yield Shop(own_pair, tmp_path, build)


def test_a_transaction_open_on_the_primary_across_two_reads_arrives_once_it_commits(
    shop: Shop,
) -> None:
    """On a standby neither the snapshot's list nor pg_stat_activity shows that it is open."""
    with shop.session() as late, late.transaction():
        late.execute("insert into orders values ('LATE-1', 'placed')")
        with late.transaction():  # a savepoint, with a transaction id of its own
            late.execute("insert into orders values ('LATE-2', 'placed')")
        shop.run("insert into orders values ('EARLY-1', 'placed')")
        shop.servers.settle()
        first = shop.read()
        shop.run("insert into orders values ('EARLY-2', 'placed')")
        shop.servers.settle()
        second = shop.read()
    shop.servers.settle()
    third = shop.read()

    assert [manifest.mode for manifest in (first, second, third)] == ["full", *["incremental"] * 2]
    assert first.facts["in_recovery"] is True
    # Early ones have ids after the open transaction's: they are read again, and found unchanged.
    assert [
        [row[0] for row in landed(shop.landing, manifest, "order_id")]
        for manifest in (first, second, third)
    ] == [
        ["A", "B", "EARLY-1"],
        ["EARLY-1", "EARLY-2"],
        ["EARLY-1", "EARLY-2", "LATE-1", "LATE-2"],
    ]
    assert shop.live == ["A", "B", "EARLY-1", "EARLY-2", "LATE-1", "LATE-2"]


def test_rows_that_a_lagging_standby_does_not_show_yet_arrive_when_it_catches_up(
    shop: Shop,
) -> None:
    shop.read()
    shop.servers.lag(3600)
    shop.run("insert into orders values ('C', 'placed')", "delete from orders where order_id = 'A'")
    shop.read()
    lagging = shop.live
    shop.servers.lag(0)

    assert shop.read().mode == "incremental"
    assert (lagging, shop.live) == (["A", "B"], ["B", "C"])


def test_a_standby_behind_what_was_read_from_the_primary_is_refused(shop: Shop) -> None:
    shop.servers.cut()
    shop.run("insert into orders values ('C', 'placed')", "delete from orders where order_id = 'A'")
    shop.read(shop.servers.primary)
    with pytest.raises(
        SourceError, match="shop.orders .* shows an older state than what was read before"
    ):
        shop.read()
    assert shop.live == ["B", "C"]

    shop.servers.join()
    assert shop.read().mode == "incremental"
    assert shop.live == ["B", "C"]


@pytest.mark.parametrize(
    "conflict",
    [
        ("update orders set status = 'paid'", "vacuum orders"),
        ("alter table orders add column if not exists note text",),
    ],
)
def test_a_recovery_conflict_ends_the_read_and_the_next_one_loses_nothing(
    shop: Shop, conflict: tuple[str, ...]
) -> None:
    shop.read()
    allow_conflicts(shop.servers)
    shop.run("insert into orders values ('C', 'placed')")

    with shop.snapshot(shop.servers.standby) as snapshot:
        snapshot.reader(ORDERS).checksums([])
        provoke_conflict(shop.servers, *conflict)
        with pytest.raises(SourceError) as caught:
            snapshot.extract(ORDERS, shop.landing, shop.position)

    assert "conflict with recovery" in str(caught.value)
    assert str(caught.value).endswith("or a longer max_standby_streaming_delay")
    assert "\n" not in str(caught.value)
    shop.servers.settle()
    shop.read()
    assert shop.live == ["A", "B", "C"]


def test_after_a_failover_raw_is_what_the_new_primary_is(own_shop: Shop) -> None:
    """What only the old primary had is gone from the source, though raw had read it."""
    shop, servers = own_shop, own_shop.servers
    old = servers.primary
    shop.read()
    servers.cut()
    shop.run("insert into orders values ('LOST', 'placed')")
    shop.run("update orders set status = 'lost' where order_id = 'A'")
    shop.run("delete from orders where order_id = 'B'")
    shop.read(old)
    assert shop.live == ["A", "LOST"]

    servers.promote()
    # The same transaction ids as those that got lost.
    shop.run("insert into orders values ('NEW', 'placed')")
    failover = shop.read(servers.primary)
    assert (failover.mode, failover.facts["timeline"]) == ("full", 2)
    assert failover.facts["mode_reason"] == "another timeline (failover)"
    assert shop.build.execute(
        "select order_id, status, _deleted_at is null from raw_shop.orders order by all"
    ).fetchall() == [
        ("A", "placed", True),
        ("B", "placed", True),
        ("LOST", "placed", False),
        ("NEW", "placed", True),
    ]

    # The old primary comes back by itself, and somebody's address still leads to it.
    old.settings, old.follows = {}, None
    old.start()
    with pytest.raises(SourceError, match="on timeline 1, the server read before was on 2"):
        shop.read(old)
    assert shop.live == ["A", "B", "NEW"]
    assert shop.read(old, full=True).mode == "full"
    assert shop.live == ["A", "LOST"]

    servers.join()
    shop.run("insert into orders values ('AFTER', 'placed')")
    servers.settle()
    assert servers.standby.directory == old.directory
    shop.read()
    assert shop.read().mode == "incremental"
    assert shop.live == ["A", "AFTER", "B", "NEW"]


def test_a_heartbeat_bounds_what_is_complete(shop: Shop) -> None:
    def complete(heartbeat: str | None = "public.heartbeat.ts") -> datetime:
        with shop.snapshot(shop.servers.standby, heartbeat) as snapshot:
            return snapshot.complete_up_to

    shop.run(f"insert into heartbeat values ('{BEFORE}')")
    shop.servers.settle()
    assert (complete(), complete(None)) == (BEFORE, NOW)
    shop.servers.cut()
    shop.run(f"update heartbeat set ts = '{LATER}'")
    assert complete() == BEFORE
    shop.servers.join()
    assert complete() == LATER
    # One row a server: the one that writes now counts; a clock that is ahead bounds nothing.
    shop.run(f"insert into heartbeat values ('{BEFORE}'), ('infinity'), (null)")
    shop.servers.settle()
    assert complete() == LATER
    shop.run("update heartbeat set ts = '2030-01-01'")
    shop.servers.settle()
    assert complete() == NOW


@pytest.mark.parametrize(
    ("heartbeat", "error", "message"),
    [
        ("heartbeat.ts", SourceError, "heartbeat.ts: holds no time; let the primary write one"),
        ("ops.heartbeat.ts", ConfigError, "no such table; correct `heartbeat` in warehouse.yml"),
        ("heartbeat.at", ConfigError, "no such column; the table has ts; correct `heartbeat`"),
        ("orders.status", ConfigError, "is text; it needs timestamp with time zone"),
        ("ts", ConfigError, "ts is no column; write it as schema.table.column"),
    ],
)
def test_a_heartbeat_that_tells_no_time_is_an_error(
    shop: Shop, heartbeat: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught, shop.snapshot(shop.servers.primary, heartbeat):
        pass
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
