"""What a second read holds: everything that changed, whoever stamped it and however late."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from extractors.errors import SourceError
from extractors.package import Manifest
from extractors.relational.postgres import TableSpec
from tests.relational_source import NOW, Source, landed

ORDERS = TableSpec("orders", ("order_id",))
TABLE = (
    "create table orders (order_id text primary key, status text,"
    " updated_at timestamptz not null default now())"
)


@pytest.fixture
def shop(source: Source) -> Source:
    source.run(TABLE, "insert into orders values ('A', 'placed', now()), ('B', 'placed', now())")
    return source


def read(
    source: Source, landing: Path, since: Manifest | None = None, spec: TableSpec = ORDERS
) -> Manifest:
    with source.snapshot() as snapshot:
        return snapshot.extract(spec, landing, since.to if since else None)


def test_only_changed_rows_are_read_again(shop: Source, tmp_path: Path) -> None:
    first = read(shop, tmp_path)
    shop.run("insert into orders values ('C', 'placed', now())")
    second = read(shop, tmp_path, first)
    assert (first.mode, second.mode, second.from_) == ("full", "incremental", first.to)
    assert landed(tmp_path, first, "order_id") == [("A",), ("B",)]
    assert landed(tmp_path, second, "order_id") == [("C",)]
    assert second.source_position > first.source_position


def test_an_update_stamped_with_an_old_time_arrives(shop: Source, tmp_path: Path) -> None:
    first = read(shop, tmp_path)
    shop.run("update orders set status = 'paid', updated_at = '2001-01-01' where order_id = 'A'")
    assert landed(tmp_path, read(shop, tmp_path, first), "order_id, status") == [("A", "paid")]


@pytest.mark.parametrize("savepoint", [False, True])
def test_a_transaction_open_across_the_first_read_arrives_in_the_second(
    shop: Source, tmp_path: Path, savepoint: bool
) -> None:
    with shop.session() as late:
        late.execute("insert into orders values ('LATE-1', 'placed', now())")
        if savepoint:
            late.execute("savepoint s")
            late.execute("insert into orders values ('LATE-2', 'placed', now())")
            late.execute("release savepoint s")
        shop.run("insert into orders values ('EARLY', 'placed', now())")
        first = read(shop, tmp_path)
        late.commit()
    second = read(shop, tmp_path, first)
    assert landed(tmp_path, first, "order_id") == [("A",), ("B",), ("EARLY",)]
    # EARLY has an xid after the open transaction's: it is read again, and found unchanged.
    expected = [("EARLY",), ("LATE-1",), *([("LATE-2",)] if savepoint else [])]
    assert landed(tmp_path, second, "order_id") == expected
    assert (first.mode, second.mode) == ("full", "incremental")


def test_a_prepared_transaction_arrives_once_it_commits(shop: Source, tmp_path: Path) -> None:
    with shop.session() as late:
        late.execute("insert into orders values ('LATE', 'placed', now())")
        late.execute("prepare transaction 'late'")
    first = read(shop, tmp_path)
    shop.run("commit prepared 'late'")
    assert landed(tmp_path, read(shop, tmp_path, first), "order_id") == [("LATE",)]


def test_nothing_new_makes_an_empty_package_that_moves_on(shop: Source, tmp_path: Path) -> None:
    first = read(shop, tmp_path)
    second = read(shop, tmp_path, first)
    shop.run("create table other (id int)")
    third = read(shop, tmp_path, second)
    assert [(m.mode, m.rows, m.parts) for m in (second, third)] == [("incremental", 0, ())] * 2
    assert second.facts["mode_reason"] == "no transaction wrote since the previous snapshot"
    assert third.source_position > second.source_position


def test_an_empty_table_makes_a_full_package_without_rows(source: Source, tmp_path: Path) -> None:
    source.run(TABLE)
    manifest = read(source, tmp_path)
    assert (manifest.mode, manifest.rows, manifest.key) == ("full", 0, ("order_id",))
    assert [column.name for column in manifest.columns] == ["order_id", "status", "updated_at"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("alter table orders add note text default 'x'", "its columns, types, key or PII rules"),
        ("alter table orders alter status type varchar(9)", "its columns, types, key or PII rules"),
        (
            "alter table orders rename to old; create table orders (like old including all);"
            " insert into orders select * from old",
            "the table was created anew",
        ),
    ],
)
def test_a_changed_table_is_read_in_full(
    shop: Source, tmp_path: Path, change: str, reason: str
) -> None:
    first = read(shop, tmp_path)
    shop.run(change)
    second = read(shop, tmp_path, first)
    assert (second.mode, second.rows) == ("full", 2)
    assert reason in second.facts["mode_reason"]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("system_identifier", "1", "another server (restore)"),
        ("timeline", 0, "another timeline (failover)"),
        ("xmin", -(2**31) - 10, "more than 2^31 transactions"),
        ("lsn", 2**62, "the server is behind the one read before"),
    ],
)
def test_a_position_of_another_history_is_read_in_full(
    shop: Source, tmp_path: Path, field: str, value: Any, reason: str
) -> None:
    position = {**read(shop, tmp_path).to, field: value}
    with shop.snapshot() as snapshot:
        second = snapshot.extract(ORDERS, tmp_path, position)
    assert (second.mode, second.rows) == ("full", 2)
    assert reason in second.facts["mode_reason"]


def test_a_view_is_read_in_full_every_time(shop: Source, tmp_path: Path) -> None:
    shop.run("create view open_orders as select * from orders")
    spec = TableSpec("open_orders", ("order_id",))
    first = read(shop, tmp_path, spec=spec)
    second = read(shop, tmp_path, first, spec)
    assert [(m.mode, m.rows) for m in (first, second)] == [("full", 2)] * 2


def test_an_attached_partition_with_old_rows_arrives(source: Source, tmp_path: Path) -> None:
    source.run(
        "create table t (id int, primary key (id)) partition by range (id)",
        "create table t1 partition of t for values from (0) to (10)",
        "create table t2 (id int not null primary key)",
        "insert into t values (1)",
        "insert into t2 values (11)",
    )
    spec = TableSpec("t", ("id",))
    first = read(source, tmp_path, spec=spec)
    source.run("insert into t values (2)")
    source.run("alter table t attach partition t2 for values from (10) to (20)")
    second = read(source, tmp_path, first, spec)
    assert second.mode == "incremental"
    assert landed(tmp_path, first) == [(1,)]
    assert landed(tmp_path, second) == [(2,), (11,)]


def test_tables_of_one_snapshot_agree_while_others_write(source: Source, tmp_path: Path) -> None:
    """Each transaction writes one row to both tables; a read between them would show one more."""
    source.run("create table a (id int primary key)", "create table b (id int primary key)")
    stop = threading.Event()

    def write() -> None:
        with source.session() as session:
            for n in range(100_000):
                if stop.is_set():
                    return
                session.execute("insert into a values (%s)", [n])
                session.execute("insert into b values (%s)", [n])
                session.commit()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        since: dict[str, Manifest] = {}
        seen: dict[str, set[tuple[int]]] = {"a": set(), "b": set()}
        for _ in range(5):
            with source.snapshot() as snapshot:
                for name in ("a", "b"):
                    last = since.get(name)
                    manifest = snapshot.extract(
                        TableSpec(name, ("id",)), tmp_path, last.to if last else None
                    )
                    since[name] = manifest
                    seen[name] |= set(landed(tmp_path, manifest))
            assert seen["a"] == seen["b"]
            assert seen["a"] == {(n,) for n in range(len(seen["a"]))}
    finally:
        stop.set()
        writer.join()
    assert len(seen["a"]) > 10


def test_parallel_readers_see_one_snapshot_and_write_several_parts(
    source: Source, tmp_path: Path
) -> None:
    source.run(
        "create table big (id int primary key, filler text)",
        "alter table big alter filler set storage plain",
        "insert into big select n, repeat('x', 1500) from generate_series(1, 25000) n",
    )
    counts: list[int] = []
    with source.snapshot() as snapshot:
        # Not visible, but in pages that the readers' last range covers.
        source.run("insert into big select n, '' from generate_series(25001, 26000) n")
        source.run("delete from big where id <= 100")
        spec = TableSpec("big", ("id",))
        first = snapshot.extract(spec, tmp_path, None, progress=counts.append)
    assert len(first.parts) == len(counts) > 1
    assert sum(counts) == first.rows == 25_000
    assert landed(tmp_path, first, "count(DISTINCT id), min(id), max(id)") == [(25_000, 1, 25_000)]
    source.run("update big set filler = 'y' where id = 12345")
    second = read(source, tmp_path, first, spec)
    # The rows inserted while the first snapshot was open were not in it.
    assert landed(tmp_path, second, "count(*), min(id), max(id)") == [(1001, 12345, 26_000)]


def test_complete_up_to_waits_for_the_oldest_open_transaction(shop: Source, tmp_path: Path) -> None:
    assert read(shop, tmp_path).complete_up_to == NOW
    with shop.session() as late:
        late.execute("select pg_sleep(0.3)")
        held = read(shop, tmp_path).complete_up_to
    assert timedelta(seconds=0.3) <= NOW - held < timedelta(seconds=30)


def test_a_table_truncated_after_the_snapshot_is_not_taken_for_empty(
    shop: Source, tmp_path: Path
) -> None:
    with shop.snapshot() as snapshot:
        shop.run("truncate orders")
        for work in (
            lambda: snapshot.extract(ORDERS, tmp_path, None),
            lambda: snapshot.reader(ORDERS).checksums([]),
        ):
            with pytest.raises(SourceError, match="truncated or rewritten while it was read; run"):
                work()
    assert not list((tmp_path / "shop" / "main" / "orders").iterdir())
