"""PostgreSQL as a place where BI tools find the published versions."""

import contextlib
import fcntl
import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from pydantic import SecretStr

from warehouse.config import Settings
from warehouse.engines import (
    duckdb_engine,
    duckdb_snapshot,
    postgres_engine,
    postgres_readers,
    postgres_schemas,
    postgres_store,
    postgres_types,
)
from warehouse.publish.targets import FOLDER, Target
from warehouse.serve import embedded
from warehouse.serve.readers import readers_of

NAME = "postgres"
Records = Callable[[], Iterator[Mapping[str, Any]]]


def target(settings: Settings, records: Records, file_of: Callable[[str], Path]) -> Target:
    """Return the target `publication.postgres`.

    `records` gives the publications, newest first, `file_of` the DuckDB file of a version.
    """

    def record_of(version: str) -> Mapping[str, Any] | None:
        return next((record for record in records() if record["version"] == version), None)

    def shown() -> str | None:
        # `status` must not hang for a server that is away.
        with postgres_engine.connected(address(settings, patience=3)) as connection:
            found = postgres_schemas.shown(connection)
        # One that is shown in another way, or for others, than configured is shown again.
        wanted = (settings.publication.tables, postgres_readers.digest(readers_of(settings)))
        return found[0] if found and found[1:] == wanted else None

    def has(version: str) -> bool:
        record = record_of(version)
        with postgres_engine.connected(address(settings)) as connection:
            return record is not None and _is_pinned(connection, record)

    def prepare(record: Mapping[str, Any]) -> bool:
        file = file_of(record["version"])
        if not file.is_file():
            return False
        with _alone(settings):
            _prepare(address(settings), file, record, settings)
            if not isinstance(settings.publication.postgres, SecretStr):
                embedded.secure(settings)
        return True

    def show(version: str) -> None:
        _show(settings, version)

    def collect() -> None:
        newest = itertools.islice(records(), settings.publication.keep)
        kept = {record["version"] for record in newest}
        with _alone(settings), postgres_engine.connected(address(settings)) as found:
            if postgres_schemas.shown(found):
                postgres_schemas.collect(found, kept)

    return Target(NAME, shown=shown, has=has, show=show, prepare=prepare, collect=collect)


def check(settings: Settings) -> None:
    """Raise a WarehouseError where versions could not be published."""
    with postgres_engine.connected(address(settings)) as connection:
        postgres_schemas.require_usable(connection, readers_of(settings))


def address(settings: Settings, *, patience: int = 10) -> str:
    """Return the checked connection string of the publisher."""
    configured = settings.publication.postgres
    if isinstance(configured, SecretStr):
        dsn = configured.get_secret_value()
    else:
        dsn = embedded.publisher_dsn(settings)
    return postgres_engine.address(dsn, patience=patience)


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Keep what one command loads from being collected by another."""
    folder = settings.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{NAME}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _show(settings: Settings, version: str) -> None:
    with postgres_engine.connected(address(settings)) as connection:
        postgres_schemas.show(
            connection, version, settings.publication.tables, readers_of(settings)
        )
        postgres_schemas.drop_swapped(connection)
    if not isinstance(settings.publication.postgres, SecretStr):
        embedded.forget_others(settings)


def _is_pinned(connection: Any, record: Mapping[str, Any]) -> bool:
    """Return whether it is there: of the same name may be one from before a restore."""
    found = postgres_schemas.published_at(connection, record["version"])
    return found == datetime.fromisoformat(record["published_at"])


def _prepare(conninfo: str, file: Path, record: Mapping[str, Any], settings: Settings) -> None:
    with (
        postgres_engine.connected(conninfo) as connection,
        contextlib.closing(duckdb_engine.published_database(file)) as version,
    ):
        postgres_schemas.create_layout(connection)
        tables = _tables(version, record, settings.publication.detail_rows)
        there = postgres_store.stored(connection)
        missing = [table for table in tables if table.stored_as not in there]
        postgres_store.load(conninfo, version, missing)
        postgres_schemas.pin(connection, record, tables, _comments(version))
        postgres_readers.settle(connection, readers_of(settings))


def _tables(
    version: duckdb.DuckDBPyConnection, record: Mapping[str, Any], detail_rows: int
) -> list[postgres_store.Table]:
    """Return the tables of a version that go to PostgreSQL."""
    listed = {(t["schema"], t["table"]): t for t in record["tables"]}
    columns = version.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = current_database() AND NOT internal"
        " ORDER BY schema_name, table_name, column_index"
    ).fetchall()
    keys = _keys(version)
    tables: list[postgres_store.Table] = []
    for name, group in itertools.groupby(columns, key=lambda row: (str(row[0]), str(row[1]))):
        fields = tuple(postgres_types.column(str(row[2]), str(row[3])) for row in group)
        if name in listed:
            rows, digest = int(listed[name]["rows"]), str(listed[name]["content_hash"])
        else:  # one of `meta`
            rows, digest = duckdb_snapshot.text_hash(version, *name)
        if rows <= detail_rows or name not in listed:
            key = keys.get(name, ())
            tables.append(postgres_store.Table(*name, digest, rows, fields, key))
    return tables


def _keys(version: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the key of each table that has one; versions of earlier releases say none."""
    if "keys" not in duckdb_snapshot.tables(version, ["meta"]).get("meta", []):
        return {}
    rows = version.execute(
        "SELECT table_schema, table_name, column_name FROM meta.keys"
        " ORDER BY table_schema, table_name, ordinal"
    ).fetchall()
    return {
        name: tuple(str(row[2]) for row in group)
        for name, group in itertools.groupby(rows, key=lambda row: (str(row[0]), str(row[1])))
    }


def _comments(
    version: duckdb.DuckDBPyConnection,
) -> dict[tuple[str, str], tuple[str | None, dict[str, str]]]:
    """Return each table's description and those of its columns, as dbt wrote them."""
    of_tables = version.execute(
        "SELECT schema_name, table_name, comment FROM duckdb_tables()"
        " WHERE database_name = current_database()"
    ).fetchall()
    found: dict[tuple[str, str], tuple[str | None, dict[str, str]]] = {
        (schema, table): (comment, {}) for schema, table, comment in of_tables
    }
    for schema, table, column, comment in version.execute(
        "SELECT schema_name, table_name, column_name, comment FROM duckdb_columns()"
        " WHERE database_name = current_database() AND NOT internal AND comment IS NOT NULL"
    ).fetchall():
        found[schema, table][1][column] = comment
    return found
