"""Measure PostgreSQL -> landing -> raw against `COPY BINARY` to nowhere, in the same run.

Run: .venv/bin/python benchmarks/postgres_to_raw.py [--rows 2000000] [--repeats 3]

The floor is psql draining `COPY (SELECT ...) TO STDOUT (FORMAT BINARY)`, or psycopg taking the raw
blocks where there is no psql: what leaves the server at all. Ours is a full extraction (two readers
under one snapshot, types checked, checksummed parts) plus the load into DuckDB with its record. The
table has 14 columns of 10 types. Beside it: a run in which nothing changed, and a certificate.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from extractors.package import Manifest
from extractors.relational.postgres import Snapshot, TableSpec
from localserver.postgres_server import PostgresServer
from warehouse.engines.duckdb_engine import build_database
from warehouse.load.package import load_package
from warehouse.reconcile.compare import compare

SPEC = TableSpec("order_items", ("order_item_id",))
TABLE = """
create table order_items as
select n as order_item_id, 'O' || n / 3 as order_id, 'P' || n * 7919 % 4000 as product_id,
       (n % 9 + 1)::int as quantity, ((n * 37 % 100000) / 1000.0)::numeric(12,3) as unit_price,
       ((n * 37 % 1000000) / 100.0)::numeric(14,2) as amount,
       timestamptz '2020-01-01' + n * interval '17 seconds' as ordered_at,
       timestamptz '2021-01-01' + n * interval '13 seconds' as updated_at, n % 7 = 0 as is_gift,
       case when n % 5 > 0 then 'note number ' || n end as note,
       (array['GB', 'FR', 'DE'])[n % 3 + 1] as country, date '2020-01-01' + (n % 900)::int as day,
       n / 3.0::float8 as weight, md5(n::text)::uuid as token
from generate_series(1, %s::bigint) n
"""
COPY = "copy (select * from order_items) to stdout (format binary)"


def drain(dsn: str) -> None:
    """Let everything the server sends fall to the ground."""
    psql = shutil.which("psql")
    if psql:
        with Path(os.devnull).open("wb") as nowhere:
            subprocess.run([psql, dsn, "-c", COPY], stdout=nowhere, check=True)
        return
    with closing(psycopg.connect(dsn)) as connection, connection.cursor().copy(COPY) as blocks:
        for _ in blocks:
            pass


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class Run:
    """One full extraction and load into an empty build database."""

    def __init__(self, dsn: str, home: Path) -> None:
        self.dsn, self.landing, self.build = dsn, home / "landing", home / "build.duckdb"
        self.last: Manifest | None = None

    def snapshot(self) -> Snapshot:
        return Snapshot(self.dsn, source="shop", now=lambda: datetime.now(UTC))

    def extract(self) -> None:
        with self.snapshot() as snapshot:
            since = self.last.to if self.last else None
            self.last = snapshot.extract(SPEC, self.landing, since)

    def load(self) -> None:
        assert self.last is not None
        with build_database(self.build) as connection:
            load_package(connection, self.landing, self.last, run_id="benchmark")

    def certify(self) -> None:
        with self.snapshot() as snapshot, build_database(self.build) as connection:
            found = compare(connection, ("raw_shop", "order_items"), "main", snapshot.reader(SPEC))
        assert not found.ranges, found.texts


def measure(dsn: str, home: Path, repeats: int, rows: int) -> None:
    floors: list[float] = []
    extracts: list[float] = []
    loads: list[float] = []
    run = Run(dsn, home)
    drain(dsn)  # warms the server's cache
    for _ in range(repeats):
        shutil.rmtree(home, ignore_errors=True)
        run = Run(dsn, home)
        floors.append(seconds(lambda: drain(dsn)))
        extracts.append(seconds(run.extract))
        loads.append(seconds(run.load))
    again, certified = seconds(run.extract) + seconds(run.load), seconds(run.certify)
    assert run.last is not None
    floor, extract, load = (statistics.median(each) for each in (floors, extracts, loads))
    ours = extract + load
    print(
        f"{rows:,} rows, median of {repeats}: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(f"COPY BINARY to nowhere      {floor:6.2f} s  {rows / floor:10,.0f} rows/s")
    print(f"extract to landing          {extract:6.2f} s  {rows / extract:10,.0f} rows/s")
    print(f"load into raw               {load:6.2f} s  {rows / load:10,.0f} rows/s")
    print(f"PostgreSQL -> raw           {ours:6.2f} s  ratio to the floor {floor / ours:.2f}")
    print(f"nothing changed             {again:6.2f} s  ratio to a full read {again / ours:.3f}")
    share = certified / ours
    print(f"certificate of all rows     {certified:6.2f} s  ratio to a full read {share:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        settings = {"fsync": "off", "max_wal_size": "8GB", "autovacuum": "off"}
        server = PostgresServer(Path(folder) / "postgres", settings=settings)
        try:
            dsn = server.start().dsn()
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute(TABLE.replace("%s", str(arguments.rows)).encode())
                connection.execute("alter table order_items add primary key (order_item_id)")
                connection.execute("vacuum analyze order_items")
            measure(dsn, Path(folder) / "home", arguments.repeats, arguments.rows)
        finally:
            server.delete()


if __name__ == "__main__":
    main()
