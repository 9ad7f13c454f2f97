"""Measure loading packages into raw against DuckDB's own INSERT, in the same run.

Run: .venv/bin/python benchmarks/package_to_raw.py [--rows 5000000] [--table 30000000] [--repeats 3]

Appends: `load_package` of `--rows` rows (11 columns: integers, decimals, times, texts) into an
empty table, then of as many new keys into the filled one. The floor takes the same files in a
database opened the same way: BEGIN; INSERT INTO t SELECT *, <five constants> FROM
read_parquet(...); COMMIT, into an equal table, without checking keys, checksums or columns, and
without records. The bare floor leaves out the five metadata columns that every raw row has.

Upserts: packages of 1 % of a table's rows as a share of loading that table (5 columns). All of the
rows differ from raw's, their keys scattered over the whole table or its last; or none differs.

Every time includes a CHECKPOINT. Repetitions are interleaved; medians, and in brackets each one.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import duckdb

from extractors.naming import literal
from extractors.package import Column, Manifest, PackageWriter, package_directory
from warehouse.engines.duckdb_engine import build_database, transaction
from warehouse.engines.duckdb_package import METADATA
from warehouse.load.package import load_package

WIDE = {
    "order_item_id": ("BIGINT", "n"),
    "order_id": ("VARCHAR", "'O' || (n // 3)"),
    "product_id": ("VARCHAR", "'P' || (n * 7919 % 4000)"),
    "quantity": ("INTEGER", "n % 9 + 1"),
    "unit_price": ("DECIMAL(12,3)", "n * 37 % 100000 / 1000"),
    "amount": ("DECIMAL(14,2)", "n * 37 % 1000000 / 100"),
    "ordered_at": ("TIMESTAMPTZ", "TIMESTAMPTZ '2020-01-01 00:00:00Z' + to_seconds(n * 17)"),
    "is_gift": ("BOOLEAN", "n % 7 = 0"),
    "note": ("VARCHAR", "CASE WHEN n % 5 > 0 THEN 'note number ' || n END"),
    "country": ("VARCHAR", "['GB', 'FR', 'DE'][n % 3 + 1]"),
    "day": ("DATE", "DATE '2020-01-01' + (n % 900)::INTEGER"),
}
NARROW = {
    "order_id": ("BIGINT", "n"),
    "customer_id": ("VARCHAR", "'C' || (n * 7919 % 400000)"),
    "amount": ("DECIMAL(14,2)", "n * 37 % 1000000 / 100 + {change}"),
    "updated_at": ("TIMESTAMPTZ", "TIMESTAMPTZ '2020-01-01 00:00:00Z' + to_seconds(n * 3)"),
    "status": ("VARCHAR", "['new', 'paid', 'sent'][n % 3 + 1]"),
}
Shape = dict[str, tuple[str, str]]
PART_ROWS = 1_000_000


def land(
    landing: Path,
    shape: Shape,
    numbers: tuple[int, int],
    *,
    mode: str = "full",
    where: str = "true",
    change: int = 0,
) -> Manifest:
    """Land a package of the rows of some numbers, in parts of a million numbers or fewer rows."""
    values = ", ".join(
        f"({sql.format(change=change)})::{kind} AS {name}" for name, (kind, sql) in shape.items()
    )
    first, last = numbers
    step = PART_ROWS if where == "true" else last - first
    with PackageWriter(landing, "s", "main", "t") as writer, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for start in range(first, last, step):
            path = writer.new_part()
            connection.execute(
                f"COPY (SELECT {values} FROM range({start}, {min(start + step, last)}) AS r(n)"
                f" WHERE {where}) TO {literal(str(path))} (FORMAT parquet)"
            )
            writer.add_part(path)
        return writer.commit(
            mode="full" if mode == "full" else "incremental",
            key=[next(iter(shape))],
            columns=[Column(name, kind, name, kind) for name, (kind, _) in shape.items()],
            from_=None if mode == "full" else {"at": 1},
            to={"at": 1},
            source_position=1,
            complete_up_to=datetime.now(UTC),
        )


class Spent(NamedTuple):
    """Seconds on the clock, and of all this process's threads."""

    wall: float
    cpu: float


def measured(work: Callable[[], object]) -> Spent:
    """Return what some work takes."""
    started, busy = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - started, time.process_time() - busy)


def ratio(these: Sequence[Spent], those: Sequence[Spent]) -> str:
    """Return what `these` took beside `those`: of the medians, and each repetition."""
    shown: list[str] = []
    for which in (0, 1):
        first, second = [each[which] for each in these], [each[which] for each in those]
        each = [f"{x / y:.3f}" for x, y in zip(first, second, strict=True)]
        shown.append(
            f"{statistics.median(first) / statistics.median(second):.3f} [{' '.join(each)}]"
        )
    return f"{shown[0]}, of CPU time {shown[1]}"


def rate(rows: int, spent: Sequence[Spent]) -> str:
    """Return the rate of the median repetition."""
    return f"{rows / statistics.median(each.wall for each in spent):,.0f} rows/s"


def insert(
    connection: duckdb.DuckDBPyConnection, landing: Path, manifest: Manifest, *, constants: bool
) -> None:
    """Do what a floor does with a package."""
    directory = package_directory(landing, manifest)
    files = ", ".join(literal(str(directory / part.name)) for part in manifest.parts)
    stamp = ", 'main', ?, now(), 1, NULL" if constants else ""
    with transaction(connection):
        connection.execute(
            f"INSERT INTO floor SELECT *{stamp} FROM read_parquet([{files}])",
            [manifest.load_id] if constants else None,
        )
    connection.execute("CHECKPOINT")


def load(
    connection: duckdb.DuckDBPyConnection, landing: Path, manifest: Manifest, changed: int
) -> None:
    """Load a package, which must change so many rows."""
    record = load_package(connection, landing, manifest, run_id="benchmark")
    connection.execute("CHECKPOINT")
    assert record.changed_rows == changed, record


def appends(home: Path, rows: int, repeats: int) -> None:
    """Print the rate of two packages of new keys, one after the other, beside the floor's."""
    landing = home / "appends"
    packages = [
        land(landing, WIDE, (0, rows)),
        land(landing, WIDE, (rows, 2 * rows), mode="incremental"),
    ]
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in WIDE.items())
    metadata = ", ".join(f"{name} {kind}" for name, kind in METADATA)
    tables = {"equal": f"{columns}, {metadata}", "bare": columns}
    spent: dict[tuple[str, int], list[Spent]] = defaultdict(list)
    for _ in range(repeats):
        for name, body in tables.items():
            with build_database(home / "build.duckdb") as connection:
                connection.execute(f"CREATE TABLE floor ({body})")
                for turn, each in enumerate(packages):
                    work = partial(insert, connection, landing, each, constants=name == "equal")
                    spent[name, turn].append(measured(work))
            (home / "build.duckdb").unlink()
        with build_database(home / "build.duckdb") as connection:
            for turn, each in enumerate(packages):
                work = partial(load, connection, landing, each, rows)
                spent["ours", turn].append(measured(work))
        (home / "build.duckdb").unlink()
    for turn, what in enumerate(("first package", "new keys later")):
        ours = spent["ours", turn]
        print(f"append, {what}: {rate(rows, ours)}")
        for name in tables:
            floor = spent[name, turn]
            print(f"  INSERT, {name} table: {rate(rows, floor)}, ratio {ratio(floor, ours)}")
    shutil.rmtree(landing)


def upserts(home: Path, rows: int, repeats: int) -> None:
    """Print what packages of 1 % cost beside the load of the table."""
    landing = home / "upserts"
    whole = land(landing, NARROW, (0, rows))
    hundredth = rows // 100
    update = partial(land, landing, NARROW, mode="incremental")
    scattered = "n % 100 = 7"
    deltas = {
        "1 % scattered": (update((0, rows), where=scattered, change=1), hundredth),
        "1 % clustered": (update((rows - hundredth, rows), change=1), hundredth),
        "1 % unchanged": (update((0, rows), where=scattered), 0),
    }
    full: list[Spent] = []
    spent: dict[str, list[Spent]] = defaultdict(list)
    for _ in range(repeats):
        build, work = home / "full.duckdb", home / "work.duckdb"
        build.unlink(missing_ok=True)
        with build_database(build) as connection:
            full.append(measured(partial(load, connection, landing, whole, rows)))
        for what, (manifest, changed) in deltas.items():
            shutil.copy(build, work)
            with build_database(work) as connection:
                spent[what].append(measured(partial(load, connection, landing, manifest, changed)))
    print(f"full load of {rows:,} rows: {rate(rows, full)}")
    for what, each in spent.items():
        print(f"  {what}: share of a full load {ratio(each, full)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--table", type=int, default=30_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, DuckDB {duckdb.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        appends(Path(folder), arguments.rows, arguments.repeats)
        upserts(Path(folder), arguments.table, arguments.repeats)


if __name__ == "__main__":
    main()
