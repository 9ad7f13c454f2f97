"""Stream rows of one snapshot into Parquet parts, over parallel ranges of pages."""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import adbc_driver_manager
import adbc_driver_postgresql
import adbc_driver_postgresql.dbapi as adbc
import duckdb

from extractors import pii
from extractors.naming import literal
from extractors.package import PackageWriter
from extractors.relational.catalogue import Relation
from extractors.relational.connection import open_reader
from extractors.relational.failures import ReadError
from extractors.relational.plan import Plan

# One part per range: small enough that two readers end together, large enough that a reader's
# start (1 ms) and a part's own dictionaries do not count (8 kB pages: 16 and 256 MB).
SMALLEST_RANGE, LARGEST_RANGE = 2_048, 32_768
RANGES_PER_READER = 4

# Delta encodings of v2 pages halve a part against v1 and cost less than they save in compression.
_PARQUET = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION snappy, ROW_GROUP_SIZE_BYTES '128MB'"

BATCH = adbc_driver_postgresql.StatementOptions.BATCH_SIZE_HINT_BYTES.value
# Fits the processor's cache: a tenth less time than the driver's own 16 MB, and less memory.
BATCH_BYTES = str(2**20)

Progress = Callable[[int], None]
# pyarrow ships no types: these are its Table and RecordBatchReader.
ArrowTable: TypeAlias = Any
ArrowReader: TypeAlias = Any


class OddValueError(Exception):
    """A value does not fit its column's type; the source is asked which."""


class Readers:
    """ADBC connections inside one exported snapshot, at most `limit`, opened when needed."""

    def __init__(self, dsn: str, snapshot: str, version: int, limit: int) -> None:
        self.limit = limit
        self._open: Callable[[], adbc.Connection] = lambda: open_reader(dsn, snapshot, version)
        self._idle: queue.LifoQueue[adbc.Connection | None] = queue.LifoQueue()
        self._active: set[adbc.Cursor] = set()
        for _ in range(limit):
            self._idle.put(None)

    @contextmanager
    def rows(self, sql: str) -> Iterator[ArrowReader]:
        """Yield the rows of a query at the source; waits for a free connection."""
        held = self._idle.get()
        try:
            connection = held or self._open()
        except BaseException:
            self._idle.put(None)
            raise
        try:
            with connection.cursor() as cursor:
                self._active.add(cursor)
                try:
                    cursor.adbc_statement.set_options(**{BATCH: BATCH_BYTES})
                    cursor.execute(sql)
                    with cursor.fetch_record_batch() as batches:
                        yield batches
                finally:
                    self._active.discard(cursor)
        except BaseException as error:
            # Its transaction is over, and with it its place in the snapshot.
            self._idle.put(None)
            _close(connection)
            if isinstance(error, OSError) and "[libpq]" in str(error):
                raise ReadError(str(error)) from None
            raise
        self._idle.put(connection)

    def table(self, sql: str) -> ArrowTable:
        """Return the rows of a query at the source, for few of them."""
        with self.rows(sql) as batches:
            return batches.read_all()

    def cancel(self) -> None:
        """End the queries that run now."""
        for cursor in self._active.copy():
            with suppress(adbc_driver_manager.Error):
                cursor.adbc_cancel()

    def close(self) -> None:
        """Close the connections; none may be in use."""
        while not self._idle.empty():
            connection = self._idle.get()
            if connection is not None:
                _close(connection)


def _close(connection: adbc.Connection) -> None:
    with suppress(adbc_driver_manager.Error):
        connection.close()


def page_ranges(relation: Relation, readers: int) -> list[str]:
    """Return WHERE conditions that cut a table into ranges of pages; [''] for a small one."""
    if not relation.is_heap or relation.pages < 2 * SMALLEST_RANGE:
        return [""]
    wanted = -(-relation.pages // (readers * RANGES_PER_READER))
    step = min(max(wanted, SMALLEST_RANGE), LARGEST_RANGE)
    starts = range(0, relation.pages, step)
    # The last one is open: a table grows while it is read.
    return [
        f"t.ctid >= '({first},0)'::tid"
        + (f" and t.ctid < '({first + step},0)'::tid" if first + step < relation.pages else "")
        for first in starts
    ]


def write_parts(
    plan: Plan,
    where: str,
    readers: Readers,
    writer: PackageWriter,
    *,
    rejecting: bool = False,
    progress: Progress | None = None,
) -> int:
    """Write the rows that `where` selects at the source as parts; returns how many there were.

    OddValueError: a value needs a wider type, or its row does not fit at all (and was not left out
    by `rejecting`, which costs the source 30 % more: tables without such rows are read without).
    """
    ranges = page_ranges(plan.relation, readers.limit)
    allocate, stop = threading.Lock(), threading.Event()

    def write(pages: str) -> int:
        if stop.is_set():
            return 0
        with allocate:
            path = writer.new_part()
        try:
            count = _copy(plan, plan.accepted(pages, where, rejecting=rejecting), readers, path)
        except BaseException:
            stop.set()
            raise
        if count:
            writer.add_part(path)
            if progress:
                progress(count)
        else:
            path.unlink(missing_ok=True)
        return count

    with ThreadPoolExecutor(min(len(ranges), readers.limit), "read") as pool:
        try:
            return sum(pool.map(write, ranges))
        except BaseException:
            stop.set()
            readers.cancel()
            raise


def _copy(plan: Plan, where: str, readers: Readers, path: Path) -> int:
    sql = f"select {plan.selected} from {plan.table}{where}"
    target = f"TO {literal(str(path))} ({_PARQUET})"
    with cast_engine(plan.spec.pii_keys) as engine, readers.rows(sql) as batches:
        engine.register("batches", batches)
        try:
            done = engine.execute(f"COPY (SELECT {plan.casts} FROM batches) {target}").fetchone()
        except duckdb.Error as error:
            if "odd value" in str(error):
                raise OddValueError from None
            raise
        finally:
            engine.unregister("batches")
    return int(done[0]) if done else 0


@contextmanager
def cast_engine(keys: Mapping[str, str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield an in-memory DuckDB of one thread that writes nothing beside its parts."""
    engine = duckdb.connect(
        config={
            "threads": 1,
            "memory_limit": "2GB",
            "temp_directory": "",
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        engine.execute("SET TimeZone = 'UTC'")
        pii.use_keys(engine, keys)
        yield engine
    finally:
        engine.close()
