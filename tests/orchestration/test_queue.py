"""However many runs are started at once, each waits for the one before it and ends well."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.relational_source import Source, postgres_server, source
from tests.shops import environment
from warehouse import config
from warehouse.engines.duckdb_engine import build_database

__all__ = ["postgres_server", "source"]


@pytest.mark.parametrize("runs", [40, pytest.param(200, marks=pytest.mark.drill)])
def test_many_runs_started_at_once_end_without_a_lock_error(
    source: Source, tmp_path: Path, runs: int
) -> None:
    source.run("create table orders (id int primary key)", "insert into orders values (1), (2)")
    path = tmp_path / "warehouse.yml"
    path.write_text(
        "sources:\n  shop:\n    kind: postgres\n"
        f"    dsn: {source.dsn}\n    tables: {{orders: {{key: [id]}}}}\n"
    )
    started = subprocess.run(
        [sys.executable, "-m", "tests.orchestration.queued", str(path), str(runs)],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert (started.returncode, started.stderr) == (0, "")
    settings = config.load(path)
    with build_database(settings.build_database) as build:
        assert build.execute("SELECT status, count(*) FROM meta.runs GROUP BY ALL").fetchall() == [
            ("succeeded", runs)
        ]
        assert build.execute("SELECT count(*) FROM meta.loads").fetchone() == (runs,)
        assert build.execute("SELECT id FROM raw_shop.orders ORDER BY id").fetchall() == [
            (1,),
            (2,),
        ]
