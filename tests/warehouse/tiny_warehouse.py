"""The steps of a run on the tiny shop, by the functions themselves, and what a kill leaves of them.

A kill inside this process is told from a real one by nothing that is on disk: the files are copied
at the very moment, and put back once Python has unwound (rollback, close, clean-up), which a killed
process never does. A real one is a child of a clean helper process that kills itself.
"""

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from extractors import package as packages
from extractors.errors import WarehouseError
from extractors.package import Manifest, read_manifest
from tests.warehouse.tiny_shop import CELL, EVENTS, ORDERS, SOURCE, TABLES, Read, land
from warehouse import config, lease
from warehouse.config import Settings
from warehouse.engines import duckdb_compaction, duckdb_engine, duckdb_raw, duckdb_snapshot
from warehouse.load import (
    certificates,
    chains,
    compaction,
    outbox,
    package,
    positions,
    quarantine,
    replay,
)
from warehouse.load import schema_changes as changes
from warehouse.publish import publication, versions
from warehouse.state import chain, segments

KEEP = 3
MOST_REJECTED = 3
HISTORY = (ORDERS, EVENTS)
RULES = package.LoadRules(1.0, MOST_REJECTED, frozenset((SOURCE, table) for table in HISTORY))
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
YML = (
    f"warehouse: {{home: ./var}}\npublication: {{keep: {KEEP}}}\nsources:\n"
    f"  {SOURCE}: {{kind: postgres, dsn: 'postgresql://nobody@127.0.0.1:1/none', tables: {{t: {{key: [id]}}}}}}\n"  # noqa: E501
)
Connection = duckdb.DuckDBPyConnection
Inspect = Callable[[Connection], None]


def create(folder: Path) -> Settings:
    (folder / "warehouse.yml").write_text(YML, encoding="utf-8")
    return config.load(folder / "warehouse.yml")


@contextmanager
def writing(settings: Settings) -> Iterator[Connection]:
    """Open the build database as a run does: what an earlier one left unfinished comes first."""
    state = settings.state_directory
    with lease.hold(settings.home):
        segments.verify(state)
        with segments.exclusive(state):
            versions.complete_switch(settings)
        versions.sweep(settings.published_directory)
        with duckdb_engine.build_database(settings.build_database) as connection:
            with segments.exclusive(state):
                outbox.flush(connection, state)
            replay.restore_certificates(connection, state)
            yield connection


def extract(settings: Settings, read: Read) -> None:
    land(settings.landing, read)


def load(connection: Connection, settings: Settings, table: str, load_id: str) -> None:
    """Load one package, in its turn or not, and certify it."""
    directory = settings.landing / SOURCE / CELL / table / load_id
    manifest = read_manifest(directory)
    record = replay.load_or_reject(
        connection, settings.landing, manifest, directory, run_id="run", rules=RULES
    )
    certify(connection, manifest, record)


def catch_up(connection: Connection, settings: Settings, refresh: Collection[str]) -> None:
    """Load whatever landed and is not loaded, and certify it."""

    def certified(record: package.LoadRecord) -> None:
        directory = settings.landing / SOURCE / CELL / record.table / record.load_id
        certify(connection, read_manifest(directory), record)

    replay.catch_up(
        connection,
        settings.landing,
        [(SOURCE, CELL, table) for table in TABLES],
        run_id="run",
        rules=RULES,
        refresh=[f"{SOURCE}.{table}" for table in refresh],
        loaded=certified,
    )


def compact(connection: Connection, settings: Settings, table: str) -> None:
    """Write what raw holds of a table as one package."""
    (chain,) = chains.chains(settings.landing, [(SOURCE, CELL, table)]).values()
    compaction.compact(connection, settings.landing, chain)


def certify(connection: Connection, manifest: Manifest, record: package.LoadRecord) -> None:
    certificate = certificates.read_certificate([manifest], [record])
    certificates.record_certificate(connection, certificate, "run")


def publish(connection: Connection, settings: Settings) -> bool:
    """Build marts by plain SQL and publish them; return whether there was anything new."""
    fingerprint = positions.fingerprint(connection, "marts")
    if publication.is_built(connection, settings, fingerprint, AS_OF):
        return False
    connection.execute("DROP SCHEMA IF EXISTS core CASCADE; CREATE SCHEMA core")
    for table in tables_of(connection, f"raw_{SOURCE}"):
        connection.execute(
            f"CREATE TABLE core.{table} AS SELECT COLUMNS('^[^_]')"
            f" FROM raw_{SOURCE}.{table} WHERE _deleted_at IS NULL"
        )
    publication.publish(
        connection,
        settings,
        run_id="run",
        as_of=AS_OF,
        fingerprint=fingerprint,
        next_due_at=None,
        sources_of={("core", table): [(SOURCE, table)] for table in TABLES},
        unmatched={},
    )
    return True


def rollback(settings: Settings, version: str | None) -> None:
    versions.rollback(settings, version)


def resume(settings: Settings) -> None:
    versions.resume(settings)


def tables_of(connection: Connection, schema: str) -> list[str]:
    """Return the tables of the shop in a schema."""
    found = connection.execute(
        "SELECT table_name FROM duckdb_tables()"
        " WHERE database_name = current_database() AND schema_name = ?",
        [schema],
    ).fetchall()
    return [table for table in TABLES if (table,) in found]


OUTSIDE = {"extract": extract, "rollback": rollback, "resume": resume}
INSIDE = {"load": load, "catch_up": catch_up, "compact": compact, "publish": publish}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended: what it returned or its error, or that it was killed."""

    result: Any = None
    error: WarehouseError | None = None
    was_killed: bool = False


def perform(
    settings: Settings, step: str, *values: Any, inspect: Inspect = lambda _connection: None
) -> Outcome:
    """Do one step as a command would; `inspect` sees the build database at its end."""
    try:
        if step in OUTSIDE:
            return Outcome(OUTSIDE[step](settings, *values))
        with writing(settings) as connection:
            try:
                outcome = Outcome(INSIDE[step](connection, settings, *values))
            except WarehouseError as error:
                outcome = Outcome(error=error)
            with segments.exclusive(settings.state_directory):
                outbox.flush(connection, settings.state_directory)
            inspect(connection)
            return outcome
    except WarehouseError as error:
        return Outcome(error=error)


# Where a step can be killed: before or after a call of a function, named for what it makes durable.
POINTS: dict[str, tuple[Any, str, str]] = {
    "part written": (packages.PackageWriter, "add_part", "after"),
    "manifest not written": (packages.PackageWriter, "commit", "before"),
    "manifest written": (packages.PackageWriter, "commit", "after"),
    "table ready": (duckdb_raw, "ensure_table", "after"),
    "rows in": (duckdb_raw, "apply_parts", "after"),
    "history in": (duckdb_raw, "_keep_history", "after"),
    "columns recorded": (changes, "record", "after"),
    "quarantined": (quarantine, "record", "after"),
    "committed": (package, "load_package", "after"),
    "refused": (replay, "reject", "before"),
    "set aside": (replay, "reject", "after"),
    "compacted rows in": (duckdb_compaction, "take", "after"),
    "compaction written": (compaction, "write", "after"),
    "compaction taken": (compaction, "take", "after"),
    "queued": (outbox, "add", "after"),
    "segment not written": (segments, "append", "before"),
    "segment written": (chain, "write_head", "before"),
    "head written": (segments, "append", "after"),
    "flushed": (outbox, "flush", "after"),
    "copied": (duckdb_snapshot, "copy_public", "after"),
    "checked": (duckdb_snapshot, "check_copy", "after"),
    "not switched": (versions, "switch", "before"),
    "switched": (versions, "switch", "after"),
    "old removed": (versions, "remove_old", "after"),
}


@contextmanager
def armed(point: str, count: int, strike: Callable[[], None]) -> Iterator[None]:
    """Strike at the `count`th call of a point's function."""
    owner, name, when = POINTS[point]
    original, calls = getattr(owner, name), [0]

    def replaced(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == count and when == "before":
            strike()
        result = original(*args, **kwargs)
        if calls[0] == count and when == "after":
            strike()
        return result

    setattr(owner, name, replaced)
    try:
        yield
    finally:
        setattr(owner, name, original)


class Killed(BaseException):
    """Stands in for SIGKILL in this process."""


def kill_here(settings: Settings, point: str, count: int, step: str, *values: Any) -> Outcome:
    """Do a step, and leave of it what a kill at the point would have left on disk."""
    home, kept = settings.home, settings.home.with_name("kept")

    def strike() -> None:
        _copy(home, kept)
        raise Killed

    try:
        with armed(point, count, strike):
            return perform(settings, step, *values)
    except Killed:
        shutil.rmtree(home)
        kept.rename(home)
        return Outcome(was_killed=True)


def _copy(home: Path, kept: Path) -> None:
    """Copy a home as it is now. All but the build database is never written in place: linked."""
    kept.mkdir()
    for path in sorted(home.rglob("*")):
        copy = kept / path.relative_to(home)
        if path.is_symlink():
            copy.symlink_to(path.readlink())
        elif path.is_dir():
            copy.mkdir()
        elif path.name.startswith("build.duckdb"):
            shutil.copyfile(path, copy)
        else:
            copy.hardlink_to(path)


def kill_there(settings: Settings, point: str, count: int, step: str, *values: Any) -> Outcome:
    """Do a step in a process of its own that kills itself at the point."""
    process = _CHILDREN.Process(target=_child, args=(settings.path, point, count, step, values))
    process.start()
    process.join()
    if process.exitcode == -signal.SIGKILL:
        return Outcome(was_killed=True)
    assert process.exitcode is not None
    assert process.exitcode >= DONE, f"the child failed with {process.exitcode}"
    if process.exitcode == DONE:
        return Outcome()
    error = WarehouseError()
    error.exit_code = process.exitcode - DONE
    return Outcome(error=error)


# Added to exit codes: an error of Python's own ends a child with 1.
DONE = 100
_CHILDREN = multiprocessing.get_context("forkserver")
_CHILDREN.set_forkserver_preload([__name__])


def _child(path: Path, point: str, count: int, step: str, values: tuple[Any, ...]) -> None:
    with armed(point, count, lambda: os.kill(os.getpid(), signal.SIGKILL)):
        outcome = perform(config.load(path), step, *values)
    os._exit(DONE + (outcome.error.exit_code if outcome.error else 0))
