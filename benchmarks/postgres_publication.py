"""Load tables into PostgreSQL as a publication does, against COPY BINARY from a file.

The floor makes the table and copies a file of its rows into it in one transaction, psycopg handing
over the bytes. A publication reads the rows from DuckDB, refuses values that would change, writes
them in PostgreSQL's binary form, indexes them by key and date, analyses them, and compares counts
and sums of both sides; the copy alone is measured apart. They take turns, and the ratios are the
medians of the turns.
SCALE changes the number of rows.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from extractors.naming import quoted
from localserver.postgres_server import PostgresServer
from warehouse.engines import postgres_engine, postgres_schemas, postgres_store, postgres_types
from warehouse.engines.postgres_store import Table

ROWS = int(1_000_000 * float(os.environ.get("SCALE", "1")))
TURNS = 4
# as the embedded server's
SERVER = {"wal_level": "minimal", "max_wal_senders": "0", "synchronous_commit": "off"}
SQL = (
    "SELECT 'o' || n AS order_id, (n * 7919 % 100000)::INTEGER AS customer_number,"
    " (n % 1000 * 1.25)::DECIMAL(18,2) AS net_amount,"
    " DATE '2011-01-01' + (n % 365)::INTEGER AS order_date,"
    " TIMESTAMPTZ '2011-01-01 00:00:00+00' + to_seconds(n % 86400) AS ordered_at,"
    " n % 2 = 0 AS is_counted, 'sku-' || (n % 5000) AS sku,"
    " CASE WHEN n % 3 > 0 THEN 'é ' || (n % 77) END AS note, (n % 17 * 0.5)::DOUBLE AS weight"
    f" FROM range({ROWS}) AS numbers (n)"
)


@contextmanager
def timed_copies(seconds: list[float]) -> Iterator[None]:
    """Also note how long each copy itself takes."""
    from adbc_driver_manager.dbapi import Cursor

    original = Cursor.adbc_ingest

    def timed(self: Any, *args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        result = original(self, *args, **kwargs)
        seconds.append(time.perf_counter() - started)
        return result

    Cursor.adbc_ingest = timed
    try:
        yield
    finally:
        Cursor.adbc_ingest = original


def measured(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(server: PostgresServer, folder: Path) -> None:
    address = postgres_engine.address(server.dsn())
    file = folder / "rows.bin"
    with (
        duckdb.connect() as source,
        psycopg.connect(server.dsn(), autocommit=True) as connection,
    ):
        source.execute(f"SET TimeZone = 'UTC'; CREATE TABLE orders AS {SQL}")
        described = source.execute("DESCRIBE orders").fetchall()
        columns = tuple(postgres_types.column(row[0], row[1]) for row in described)

        def table(name: str) -> Table:
            return Table("main", "orders", name, ROWS, columns, ("order_id",))

        postgres_schemas.create_layout(connection)
        postgres_store.load(address, source, [table("first")])
        stored = quoted("store", table("first").stored_as)
        out = f"COPY {stored} TO STDOUT (FORMAT binary)".encode()
        with file.open("wb") as to, connection.cursor().copy(out) as rows:
            for data in rows:
                to.write(data)

        def floor(turn: int) -> None:
            types = ", ".join(f"{quoted(column.name)} {column.type}" for column in columns)
            with psycopg.connect(server.dsn()) as one:
                one.execute(f"CREATE TABLE floor_{turn} ({types})".encode())
                into = f"COPY floor_{turn} FROM STDIN (FORMAT binary)".encode()
                with one.cursor().copy(into) as copy, file.open("rb") as rows:
                    while data := rows.read(1 << 20):
                        copy.write(data)

        floors: list[float] = []
        loads: list[float] = []
        copies: list[float] = []
        with timed_copies(copies):
            for turn in range(TURNS):
                floors.append(measured(lambda turn=turn: floor(turn)))
                loads.append(
                    measured(
                        lambda turn=turn: postgres_store.load(address, source, [table(f"{turn}")])
                    )
                )
    print(f"{ROWS:,} rows of {len(columns)} columns, {file.stat().st_size / 1e6:.0f} MB binary")
    for what, seconds in (("copy alone", copies), ("whole load", loads)):
        ratio = statistics.median(f / s for f, s in zip(floors, seconds, strict=True))
        print(f"{what}: {statistics.median(seconds):.2f} s, {ratio:.2f} of COPY BINARY's speed")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        server = PostgresServer(Path(name) / "postgres", settings=SERVER)
        server.start()
        try:
            measure(server, Path(name))
        finally:
            server.delete()


if __name__ == "__main__":
    main()
