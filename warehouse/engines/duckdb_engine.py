"""Open the DuckDB build database and the published files, and create the `meta` tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb

from extractors.errors import SourceError, storage_error
from extractors.naming import literal

META = """
CREATE SCHEMA IF NOT EXISTS meta;
CREATE TABLE IF NOT EXISTS meta.runs (
  run_id VARCHAR NOT NULL, as_of TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ, status VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS meta.loads (
  load_id VARCHAR NOT NULL, source VARCHAR NOT NULL, cell VARCHAR NOT NULL,
  table_name VARCHAR NOT NULL, entity VARCHAR NOT NULL, mode VARCHAR NOT NULL,
  read_rows BIGINT NOT NULL, loaded_rows BIGINT NOT NULL, quarantined_rows BIGINT NOT NULL,
  inserted_rows BIGINT NOT NULL, updated_rows BIGINT NOT NULL, deleted_rows BIGINT NOT NULL,
  source_position BIGINT NOT NULL, position_from VARCHAR, position_to VARCHAR NOT NULL,
  complete_up_to TIMESTAMPTZ NOT NULL, loaded_at TIMESTAMPTZ NOT NULL, run_id VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS meta.positions (
  source VARCHAR NOT NULL, cell VARCHAR NOT NULL, table_name VARCHAR NOT NULL,
  entity VARCHAR NOT NULL, position VARCHAR NOT NULL, source_position BIGINT NOT NULL,
  complete_up_to TIMESTAMPTZ NOT NULL, load_id VARCHAR NOT NULL, changed_by VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS meta.certificates (
  certificate_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL, source VARCHAR NOT NULL,
  cell VARCHAR NOT NULL, table_name VARCHAR NOT NULL, kind VARCHAR NOT NULL,
  status VARCHAR NOT NULL, source_rows BIGINT NOT NULL, warehouse_rows BIGINT NOT NULL,
  source_checksum VARCHAR, warehouse_checksum VARCHAR, ranges VARCHAR,
  re_read_rows BIGINT NOT NULL, deleted_rows BIGINT NOT NULL, position VARCHAR,
  checked_at TIMESTAMPTZ NOT NULL, detail VARCHAR);
CREATE TABLE IF NOT EXISTS meta.quarantine (
  quarantine_id VARCHAR NOT NULL, load_id VARCHAR NOT NULL, source VARCHAR NOT NULL,
  cell VARCHAR NOT NULL, table_name VARCHAR NOT NULL, entity VARCHAR NOT NULL,
  reason VARCHAR NOT NULL, field VARCHAR, row_key VARCHAR, payload VARCHAR NOT NULL,
  complete BOOLEAN NOT NULL, rows BIGINT NOT NULL,
  first_seen_at TIMESTAMPTZ NOT NULL, last_seen_at TIMESTAMPTZ NOT NULL,
  decision VARCHAR NOT NULL, decided_at TIMESTAMPTZ, decided_by VARCHAR, why VARCHAR);
CREATE TABLE IF NOT EXISTS meta.quarantine_discards (
  quarantine_id VARCHAR NOT NULL, decided_at TIMESTAMPTZ NOT NULL, decided_by VARCHAR NOT NULL,
  why VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS meta.schema_changes (
  source VARCHAR NOT NULL, table_name VARCHAR NOT NULL, entity VARCHAR NOT NULL,
  column_name VARCHAR NOT NULL, change VARCHAR NOT NULL, old_type VARCHAR, new_type VARCHAR,
  load_id VARCHAR NOT NULL, changed_at TIMESTAMPTZ NOT NULL, models VARCHAR);
CREATE TABLE IF NOT EXISTS meta.columns (
  source VARCHAR NOT NULL, entity VARCHAR NOT NULL, column_name VARCHAR NOT NULL,
  type VARCHAR NOT NULL, source_name VARCHAR NOT NULL, source_type VARCHAR NOT NULL,
  cells VARCHAR[] NOT NULL);
CREATE TABLE IF NOT EXISTS meta.builds (
  node VARCHAR NOT NULL, table_schema VARCHAR, table_name VARCHAR, models VARCHAR NOT NULL,
  inputs VARCHAR NOT NULL, as_of TIMESTAMPTZ NOT NULL, row_count BIGINT, content_hash VARCHAR);
CREATE TABLE IF NOT EXISTS meta.compactions (
  load_id VARCHAR NOT NULL, source VARCHAR NOT NULL, cell VARCHAR NOT NULL,
  table_name VARCHAR NOT NULL, entity VARCHAR NOT NULL, through VARCHAR NOT NULL,
  compacted_at TIMESTAMPTZ NOT NULL);
CREATE TABLE IF NOT EXISTS meta.outbox (
  record_id VARCHAR NOT NULL, record VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS meta.flushed (segment BIGINT NOT NULL);
"""


@cache
def _layout() -> frozenset[tuple[str, str, str]]:
    """Return (table, column, type) of the `meta` tables of this version."""
    with duckdb.connect() as connection:
        connection.execute(META)
        return frozenset(_meta_columns(connection))


def _meta_columns(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    return connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = current_database() AND schema_name = 'meta'"
    ).fetchall()


def _refuse_other_layout(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raise SourceError where the tables of `meta` are those of an earlier version."""
    tables = {table for table, _, _ in _layout()}
    if frozenset(c for c in _meta_columns(connection) if c[0] in tables) != _layout():
        raise SourceError(
            f"{path}: was made by another version of the warehouse; delete it: the next run makes"
            " it again from landing/ and state/"
        )


@contextmanager
def build_database(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the build database for writing; only under the writer lease."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(str(path))
    except (duckdb.IOException, duckdb.SerializationException) as error:
        raise storage_error(error, path) or SourceError(
            f"{path}: cannot be opened ({str(error).splitlines()[0]});"
            " if it is damaged, delete it: the next run makes it again from landing/ and state/"
        ) from None
    try:
        connection.execute("SET TimeZone = 'UTC'")
        # Bounds the spill of a run beside dbt and the sources on one small machine.
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(META)
        _refuse_other_layout(connection, path)
        yield connection
    finally:
        connection.close()


@contextmanager
def build_database_as_it_is(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the build database and leave its file as it is; only under the writer lease."""
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except (duckdb.IOException, duckdb.SerializationException) as error:
        raise SourceError(f"{path}: cannot be opened ({str(error).splitlines()[0]})") from None
    try:
        yield connection
    finally:
        connection.close()


def published_database(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a published file read-only, unable to reach other files or change its settings."""
    connection = duckdb.connect(str(path), read_only=True, config={"enable_external_access": False})
    try:
        # Global: all connections of a process to one file share the database and its lock.
        connection.execute("SET GLOBAL TimeZone = 'UTC'; SET lock_configuration = true")
    except duckdb.InvalidInputException:
        locked = connection.execute("SELECT current_setting('lock_configuration')").fetchall()
        if locked != [(True,)]:
            raise
    return connection


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit at the end, roll back on any error."""
    connection.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def attach_new(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach a new file that the oldest supported DuckDB (1.5) can read."""
    connection.execute(f"ATTACH {literal(str(path))} AS {name} (STORAGE_VERSION 'v1.5.0')")
