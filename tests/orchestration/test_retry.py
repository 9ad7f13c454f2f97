"""A read that is tried again in the same run, as Dagster does when a source failed for a moment."""

from pathlib import Path
from typing import Any

import pytest

from extractors.errors import SourceError
from extractors.package import Manifest
from extractors.relational.postgres import Snapshot
from orchestration.pipeline import Options, running
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
