"""Ask for rejected rows: in the build database, or in the file of `state/` that a run leaves."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from extractors.errors import ConfigError
from extractors.naming import literal
from extractors.package import fsync_directory

FILE = "quarantine.parquet"


@dataclass(frozen=True, slots=True)
class Entry:
    """One rejected row, which `rows` of package `load_id` were like.

    `complete`: the payload holds all of it. `decision` is open, replayed, discarded or superseded.
    """

    quarantine_id: str
    source: str
    cell: str
    table_name: str
    entity: str
    reason: str
    field: str | None
    row_key: str | None
    payload: str
    complete: bool
    rows: int
    load_id: str
    first_seen_at: datetime
    last_seen_at: datetime
    decision: str
    decided_at: datetime | None
    decided_by: str | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """The rejected rows of a raw table that have a reason and field in common, and one of them."""

    source: str
    cell: str
    entity: str
    reason: str
    field: str | None
    decision: str
    rows: int
    first_seen_at: datetime
    last_seen_at: datetime
    example_id: str
    example_key: str | None
    example_payload: str


_ENTRY = ", ".join(Entry.__dataclass_fields__)
_EXAMPLES = ", ".join(f"min_by({name}, quarantine_id)" for name in ("row_key", "payload"))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries a command is about.

    `names` are SOURCE, SOURCE.TABLE or SOURCE.ENTITY, `identities` the first digits of entries:
    those of either.
    """

    names: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    reason: str | None = None
    decisions: tuple[str, ...] = ()

    def sql(self) -> tuple[str, dict[str, object]]:
        """Return a condition on entries, and its values."""
        either: list[str] = []
        both: list[str] = []
        values: dict[str, object] = {}
        if self.names:
            either.append(
                "source IN $names OR source || '.' || entity IN $names"
                " OR source || '.' || table_name IN $names"
            )
            values["names"] = list(self.names)
        if self.identities:
            either.append("len(list_filter($identities, lambda i: quarantine_id ^@ i)) > 0")
            values["identities"] = list(self.identities)
        if self.reason:
            both.append("reason = $reason")
            values["reason"] = self.reason
        if self.decisions:
            both.append("decision IN $decisions")
            values["decisions"] = list(self.decisions)
        conditions = [f"({' OR '.join(either)})"] if either else []
        return " AND ".join([*conditions, *both]) or "true", values


def write(connection: duckdb.DuckDBPyConnection, state: Path) -> None:
    """Write all entries for reading commands; where nothing was ever rejected there is no file."""
    path = state / FILE
    if connection.execute("SELECT 1 FROM meta.quarantine LIMIT 1").fetchone() is None:
        path.unlink(missing_ok=True)
        return
    temporary = path.with_name(f".{FILE}.{os.getpid()}.tmp")
    connection.execute(
        f"COPY (SELECT {_ENTRY} FROM meta.quarantine) TO {literal(str(temporary))}"
        " (FORMAT parquet, COMPRESSION zstd)"
    )
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    fsync_directory(path.parent)


@contextmanager
def reading(state: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection that sees the entries as the last run left them."""
    path = state / FILE
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA meta")
        if path.is_file():
            rows = f"read_parquet({literal(str(path))})"
            connection.execute(f"CREATE VIEW meta.quarantine AS SELECT * FROM {rows}")
        else:
            columns = ", ".join(f"NULL AS {name}" for name in Entry.__dataclass_fields__)
            connection.execute(f"CREATE VIEW meta.quarantine AS SELECT {columns} WHERE false")
        yield connection


def groups(connection: duckdb.DuckDBPyConnection, selection: Selection) -> list[Group]:
    """Return the selected entries by raw table, cell, reason, field and decision."""
    condition, values = selection.sql()
    rows = connection.execute(
        "SELECT source, cell, entity, reason, field, decision, sum(rows)::BIGINT,"
        f" min(first_seen_at), max(last_seen_at), min(quarantine_id), {_EXAMPLES}"
        f" FROM meta.quarantine WHERE {condition} GROUP BY ALL ORDER BY ALL",
        values,
    ).fetchall()
    return [Group(*(_utc(value) for value in row)) for row in rows]


def entries(connection: duckdb.DuckDBPyConnection, selection: Selection) -> list[Entry]:
    """Return the selected entries; ConfigError where an identity names none, or several."""
    _refuse_unclear(connection, selection.identities)
    condition, values = selection.sql()
    rows = connection.execute(
        f"SELECT {_ENTRY} FROM meta.quarantine WHERE {condition}"
        " ORDER BY source, cell, entity, reason, row_key, quarantine_id",
        values,
    ).fetchall()
    return [Entry(*(_utc(value) for value in row)) for row in rows]


def _refuse_unclear(connection: duckdb.DuckDBPyConnection, identities: Sequence[str]) -> None:
    rows = connection.execute(
        "SELECT i, count(quarantine_id) FROM (SELECT unnest($identities::VARCHAR[]) AS i)"
        " LEFT JOIN meta.quarantine ON quarantine_id ^@ i GROUP BY i HAVING count(quarantine_id)"
        " <> 1 ORDER BY i",
        {"identities": list(identities)},
    ).fetchall()
    for identity, count in rows:
        what = f"{count} rejected rows have an ID" if count else "no rejected row has an ID"
        raise ConfigError(
            f"{identity}: {what} that begins so; `warehouse quarantine list --all` shows them"
        )


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
