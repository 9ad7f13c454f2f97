"""Publish marts of 8.5 million rows, against copying them with DuckDB; see `make bench`.

The copy is CREATE TABLE AS into an attached file, its checkpoint, and an fsync. A publication
writes the same tables, opens the file again and counts them, fsyncs, renames, records the version
in state and swaps the pointer; content hashing is measured apart. They take turns, and the ratios
are those of the best turn of each: of time, and of processor time, which another load of the
machine changes less. Then what a rollback costs, by the size of the version: the function, and the
whole command.
SCALE changes the number of rows.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from warehouse import config
from warehouse.config import Settings
from warehouse.engines import duckdb_engine, duckdb_snapshot
from warehouse.publish import publication, versions

SCALE = float(os.environ.get("SCALE", "1"))
TURNS = 4
YML = (
    "warehouse: {home: ./var}\npublication: {keep: 3}\nsources:\n"
    "  s: {kind: postgres, dsn: 'postgresql://a@127.0.0.1:1/s', tables: {t: {key: [id]}}}\n"
)
MARTS = {
    ("core", "order_lines"): (
        3_000_000,
        "'L' || (i * 7919 % 100000000) AS order_line_id, 'O' || (i // 4) AS order_id,"
        " 'P' || (hash(i) % 5000) AS product_id, 'product' AS line_kind,"
        " (hash(i + 1) % 12)::INTEGER AS quantity,"
        " (hash(i + 2) % 100000 / 100)::DECIMAL(18,4) AS unit_price,"
        " (hash(i + 3) % 1000000 / 100)::DECIMAL(18,4) AS line_amount,"
        " 0::INTEGER AS refunded_quantity, 0::DECIMAL(18,4) AS refunded_amount,"
        " (hash(i + 3) % 1000000 / 100)::DECIMAL(18,4) AS net_amount,"
        " TIMESTAMPTZ '2011-01-01 00:00:00+00' + INTERVAL (i * 7) SECOND AS ordered_at,"
        " DATE '2011-01-01' + (i // 12343)::INTEGER AS order_date",
    ),
    ("campaign", "attribution"): (
        3_000_000,
        "'O' || (i // 6) AS order_id, md5((i // 6)::VARCHAR) AS touchpoint_id,"
        " (['first_touch', 'last_touch', 'linear', 'markov', 'shapley', 'time_decay'])"
        "[1 + (i % 6)::INTEGER] AS model,"
        " (['email', 'direct', 'display', 'search'])[1 + (hash(i) % 4)::INTEGER] AS channel,"
        " 'C' || (hash(i) % 50) AS campaign_id,"
        " (hash(i + 5) % 1000000 / 1000000)::DECIMAL(18,12) AS credit,"
        " (hash(i + 3) % 1000000 / 100)::DECIMAL(18,4) AS attributed_revenue,"
        " (hash(i + 4) % 1000000 / 100)::DECIMAL(18,4) AS attributed_net_revenue",
    ),
    ("core", "sessions"): (
        1_000_000,
        "md5(i::VARCHAR) AS session_id, 'V' || (hash(i) % 300000) AS visitor_id,"
        " CASE WHEN i % 3 = 0 THEN 'U' || (hash(i) % 100000) END AS customer_id,"
        " TIMESTAMPTZ '2011-01-01 00:00:00+00' + INTERVAL (i * 21) SECOND AS started_at,"
        " TIMESTAMPTZ '2011-01-01 00:10:00+00' + INTERVAL (i * 21) SECOND AS ended_at,"
        " (hash(i) % 20)::BIGINT AS event_count, i % 5 = 0 AS has_order,"
        " '/product/' || (hash(i) % 5000) || '?utm=é' AS landing_page",
    ),
    ("core", "inventory_daily"): (
        1_500_000,
        "DATE '2011-01-01' + (i // 5000)::INTEGER AS inventory_date,"
        " 'P' || (i % 5000) AS product_id, (hash(i) % 100)::BIGINT AS received,"
        " (hash(i) % 90)::BIGINT AS sold, (hash(i) % 900)::BIGINT AS on_hand",
    ),
}


@dataclass
class Figures:
    """Seconds by the clock and of the processors, of each turn."""

    clock: list[float] = field(default_factory=list)
    processors: list[float] = field(default_factory=list)

    def measure(self, work: Callable[[], Any]) -> Any:
        """Do the work once and note what it took."""
        clock, processors = time.perf_counter(), _processors()
        result = work()
        self.clock.append(time.perf_counter() - clock)
        self.processors.append(_processors() - processors)
        return result

    def of(self, other: "Figures") -> str:
        """Return the least of each, and the ratios to another's."""
        own, theirs = ((min(figures.clock), min(figures.processors)) for figures in (self, other))
        return (
            f"{own[0]:6.2f} s, processors {own[1]:6.2f} s;"
            f" ratio {own[0] / theirs[0]:.2f}, of processor time {own[1] / theirs[1]:.2f}"
        )


def _processors() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def copy(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Copy the marts as DuckDB does it."""
    path.unlink(missing_ok=True)
    duckdb_engine.attach_new(connection, path, "stock")
    for schema, name in MARTS:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS stock.{schema}")
        connection.execute(f"CREATE TABLE stock.{schema}.{name} AS FROM {schema}.{name}")
    connection.execute("DETACH stock")
    with path.open("rb") as file:
        os.fsync(file.fileno())


def publish(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    hashes: dict[tuple[str, str], tuple[int, str]],
) -> None:
    """Publish the marts, whose content hashes are known."""
    publication.publish(
        connection,
        settings,
        run_id="bench",
        as_of=datetime(2026, 1, 1, tzinfo=UTC),
        fingerprint="bench",
        next_due_at=None,
        sources_of={},
        unmatched={},
        known_hashes=hashes,
    )


def rollbacks(settings: Settings) -> str:
    """Return what showing the other of the two newest versions takes, and the whole command."""
    names = [version.version for version in versions.versions(settings)][-2:]
    function, command = Figures(), Figures()
    for turn in range(10):
        function.measure(lambda turn=turn: versions.rollback(settings, names[turn % 2]))
    for turn in range(3):
        words = ["-m", "cli.main", "--config", str(settings.path), "rollback", names[turn % 2]]
        command.measure(
            lambda words=words: subprocess.run(
                [sys.executable, *words], check=True, capture_output=True
            )
        )
    versions.resume(settings)
    return (
        f"{statistics.median(function.clock) * 1000:5.1f} ms (slowest"
        f" {max(function.clock) * 1000:.1f}); the whole command"
        f" {statistics.median(command.clock) * 1000:.0f} ms"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "warehouse.yml")
        path.write_text(YML, encoding="utf-8")
        settings = config.load(path)
        with duckdb_engine.build_database(settings.build_database) as connection:
            connection.execute("CREATE SCHEMA core; CREATE SCHEMA campaign")
            for scale in (0.0001, SCALE):
                for (schema, name), (rows, columns) in MARTS.items():
                    connection.execute(
                        f"CREATE OR REPLACE TABLE {schema}.{name} AS SELECT {columns}"
                        f" FROM range({int(rows * scale)}) AS r(i)"
                    )
                connection.execute("CHECKPOINT")
                rows = sum(int(rows * scale) for rows, _ in MARTS.values())
                copied, hashed, published = Figures(), Figures(), Figures()
                for _ in range(TURNS):
                    copied.measure(lambda: copy(connection, Path(folder, "stock.duckdb")))
                    hashes = hashed.measure(
                        lambda: {
                            mart: duckdb_snapshot.content_hash(connection, *mart) for mart in MARTS
                        }
                    )
                    published.measure(lambda hashes=hashes: publish(connection, settings, hashes))
                size = versions.version_path(
                    settings.published_directory, versions.newest_version(settings) or ""
                )
                print(f"{rows:,} rows, {size.stat().st_size / 2**20:,.1f} MiB")
                print(f"  copying      {copied.of(copied)}")
                print(f"  publication  {published.of(copied)}")
                print(f"  hashing      {hashed.of(copied)}")
                print(f"  rollback     {rollbacks(settings)}", flush=True)


if __name__ == "__main__":
    main()
