"""Load tables into PostgreSQL as a publication does, against COPY BINARY from files.

The floor makes each table and copies a file of its rows into it in one transaction, psycopg handing
over the bytes: one table after the other, and two at a time. A publication, two tables at a time,
reads the rows from DuckDB, refuses values that would change, writes them in PostgreSQL's binary
form, indexes them by key and date, analyses them, and compares counts and sums of both sides. They
take turns, and the ratios are the medians of the turns.
SCALE changes the number of rows. With the file of a published version (`var/published/current`) its
tables are loaded instead of made ones.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import psycopg

from extractors.naming import quoted
from localserver.postgres_server import PostgresServer
from warehouse.engines import postgres_engine, postgres_schemas, postgres_store, postgres_types
from warehouse.engines.postgres_store import Table

ROWS = int(1_000_000 * float(os.environ.get("SCALE", "1")))
TABLES = 8
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
    f" FROM range({ROWS // TABLES}) AS numbers (n)"
)


def given(source: duckdb.DuckDBPyConnection) -> list[Table]:
    """Return the tables of the file that is attached, or of SQL, none of them empty."""
    if not source.execute("SELECT count(*) FROM duckdb_tables()").fetchall()[0][0]:
        for number in range(TABLES):
            source.execute(f"CREATE TABLE orders_{number} AS {SQL}")
    keys: dict[tuple[str, str], list[str]] = {}
    if source.execute("FROM duckdb_tables() WHERE table_name = 'keys'").fetchall():
        for schema, name, column in source.execute(
            "SELECT table_schema, table_name, column_name FROM meta.keys ORDER BY ALL"
        ).fetchall():
            keys.setdefault((schema, name), []).append(column)
    tables: list[Table] = []
    for schema, name in source.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal"
    ).fetchall():
        place = quoted(schema, name)
        [[rows]] = source.execute(f"SELECT count(*) FROM {place}").fetchall()
        described = source.execute(f"DESCRIBE {place}").fetchall()
        columns = tuple(postgres_types.column(row[0], row[1]) for row in described)
        key = tuple(keys.get((schema, name), () if keys else ("order_id",)))
        if rows:
            tables.append(Table(schema, name, f"{schema}.{name}", rows, columns, key))
    return tables


def measured(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def copy(server: PostgresServer, table: Table, file: Path) -> None:
    """Make a table and copy a file of its rows into it, in one transaction."""
    name = quoted(table.stored_as)
    types = ", ".join(f"{quoted(column.name)} {column.type}" for column in table.columns)
    with psycopg.connect(server.dsn()) as connection:
        connection.execute(f"CREATE TABLE {name} ({types})".encode())
        into = f"COPY {name} FROM STDIN (FORMAT binary)".encode()
        with connection.cursor().copy(into) as given, file.open("rb") as rows:
            while data := rows.read(1 << 20):
                given.write(data)


def measure(server: PostgresServer, source: duckdb.DuckDBPyConnection, folder: Path) -> None:
    address = postgres_engine.address(server.dsn())
    tables = given(source)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        postgres_schemas.create_layout(connection)
        postgres_store.load(address, source, tables)
        for table in tables:
            out = f"COPY {quoted('store', table.stored_as)} TO STDOUT (FORMAT binary)".encode()
            with (folder / table.stored_as).open("wb") as to, connection.cursor().copy(out) as rows:
                for data in rows:
                    to.write(data)

        def empty() -> None:
            for table in tables:
                for name in (quoted("store", table.stored_as), quoted(table.stored_as)):
                    connection.execute(f"DROP TABLE IF EXISTS {name}".encode())
            connection.execute("CHECKPOINT")

        def copy_file(table: Table) -> None:
            copy(server, table, folder / table.stored_as)

        in_order = sorted(tables, key=lambda table: -table.rows)

        def floor(at_once: int) -> None:
            with ThreadPoolExecutor(at_once) as threads:
                list(threads.map(copy_file, in_order))

        seconds: dict[str, list[float]] = {"one at a time": [], "two at a time": [], "load": []}
        for _ in range(TURNS):
            empty()
            seconds["one at a time"].append(measured(lambda: floor(1)))
            empty()
            seconds["two at a time"].append(measured(lambda: floor(2)))
            empty()
            seconds["load"].append(measured(lambda: postgres_store.load(address, source, tables)))
    report(tables, sum((folder / table.stored_as).stat().st_size for table in tables), seconds)


def report(tables: list[Table], size: int, seconds: dict[str, list[float]]) -> None:
    """Print what was loaded, and the ratios."""
    loads = seconds.pop("load")
    rows = sum(table.rows for table in tables)
    print(f"{len(tables)} tables, {rows:,} rows, {size / 1e6:.0f} MB binary")
    print(f"loaded, indexed, analysed and compared in {statistics.median(loads):.2f} s")
    for what, floors in seconds.items():
        ratio = statistics.median(f / s for f, s in zip(floors, loads, strict=True))
        print(f"{ratio:.2f} of COPY BINARY's speed, {what} ({statistics.median(floors):.2f} s)")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        server = PostgresServer(Path(name) / "postgres", settings=SERVER)
        server.start()
        try:
            with duckdb.connect(*sys.argv[1:2], read_only=len(sys.argv) > 1) as source:
                source.execute("SET TimeZone = 'UTC'")
                measure(server, source, Path(name))
        finally:
            server.delete()


if __name__ == "__main__":
    main()
