"""A read that is tried again in the same run: by Dagster, or because a replica cancelled it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.servers import Servers
from extractors.errors import SourceError
from extractors.package import Manifest
from extractors.relational.postgres import Snapshot
from orchestration import progress, relational
from orchestration.opening import running
from orchestration.options import Options
from tests.recovery_conflict import allow_conflicts, provoke_conflict
from tests.relational_source import Source, postgres_server, source
from warehouse import config
from warehouse.engines.duckdb_engine import build_database

__all__ = ["postgres_server", "source"]

CONFIGURATION = """
sources:
  shop:
    kind: postgres
    dsn: {dsn}
    tables: {{ orders: {{ key: [id] }}, refunds: {{ key: [id] }} }}
"""
TABLES = ("orders", "refunds")


def test_a_table_that_was_read_before_another_one_failed_goes_on_from_there(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What landed in the first attempt must not stand in the way of the next run either."""
    for table in TABLES:
        source.run(f"create table {table} (id int primary key)", f"insert into {table} values (1)")
    (tmp_path / "warehouse.yml").write_text(CONFIGURATION.format(dsn=source.dsn))
    settings = config.load(tmp_path / "warehouse.yml")
    with running(settings, Options()) as pipeline:
        assert len(list(pipeline.ingest("shop", "main", TABLES))) == 2
    extract, failures = Snapshot.extract, [1]

    def conflicting(self: Snapshot, spec: Any, *others: Any, **named: Any) -> Manifest:
        if spec.name == "refunds" and failures:
            failures.pop()
            raise SourceError("canceling statement due to conflict with recovery")
        return extract(self, spec, *others, **named)

    monkeypatch.setattr(Snapshot, "extract", conflicting)
    for table in TABLES:
        source.run(f"insert into {table} values (2)")
    with running(settings, Options()) as pipeline:
        with pytest.raises(SourceError, match="conflict with recovery"):
            list(pipeline.ingest("shop", "main", TABLES))
        source.run("insert into orders values (3)")
        list(pipeline.ingest("shop", "main", TABLES))
    with running(settings, Options()) as pipeline:
        list(pipeline.ingest("shop", "main", TABLES))

    with build_database(settings.build_database) as build:
        for table, ids in (("orders", [1, 2, 3]), ("refunds", [1, 2])):
            found = build.execute(f"SELECT id FROM raw_shop.{table} ORDER BY id").fetchall()
            assert [row[0] for row in found] == ids


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Yield a primary with both tables, and a standby that is soon tired of waiting for readers."""
    found = Servers(tmp_path / "servers")
    found.start()
    found.settle()
    for table in TABLES:
        found.primary.ask("create table orders (id int primary key)".replace("orders", table))
        found.primary.ask("insert into orders values (1)".replace("orders", table))
    allow_conflicts(found)
    yield found
    found.delete()


@pytest.mark.parametrize("waits", [(0,), ()])
def test_a_read_that_the_standby_cancelled_begins_again_and_goes_on_from_what_landed(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: tuple[int, ...]
) -> None:
    path = tmp_path / "warehouse.yml"
    path.write_text(CONFIGURATION.format(dsn=servers.standby.dsn()))
    settings = config.load(path)
    extract, conflicts, read = Snapshot.extract, [1], list[tuple[str, str, int]]()

    def meanwhile(self: Snapshot, spec: Any, *others: Any, **named: Any) -> Manifest:
        if spec.name == "refunds" and conflicts:
            conflicts.pop()
            provoke_conflict(servers, "update refunds set id = 2", "vacuum refunds")
        found = extract(self, spec, *others, **named)
        read.append((spec.name, found.mode, found.rows))
        return found

    monkeypatch.setattr(Snapshot, "extract", meanwhile)
    monkeypatch.setattr(relational, "WAITS", waits)
    monkeypatch.setattr(relational, "TABLES_AT_ONCE", 1)
    said: list[progress.Event] = []
    with running(settings, Options(), said.append) as pipeline:
        if not waits:
            with pytest.raises(SourceError, match="conflict with recovery; on a replica set hot_"):
                list(pipeline.ingest("shop", "main", TABLES))
            return
        found = list(pipeline.ingest("shop", "main", TABLES))

    assert read == [("orders", "full", 1), ("orders", "incremental", 0), ("refunds", "full", 1)]
    assert [(each.entity, each.certificate.status) for each in found] == [
        ("orders", "passed"),
        ("refunds", "passed"),
    ]
    assert [event for event in said if "the replica cancelled the read" in event.message]
    with build_database(settings.build_database) as build:
        assert build.execute("SELECT id FROM raw_shop.orders").fetchall() == [(1,)]
        assert build.execute("SELECT id FROM raw_shop.refunds").fetchall() == [(2,)]
