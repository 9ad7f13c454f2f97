"""Where each table stands: positions, recorded types, and the fingerprint of all of raw."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb


@dataclass(frozen=True, slots=True)
class Position:
    """The last loaded package of one raw table and cell; times are UTC."""

    source: str
    cell: str
    table: str
    entity: str
    position: dict[str, Any]
    source_position: int
    complete_up_to: datetime
    load_id: str


def positions(connection: duckdb.DuckDBPyConnection) -> list[Position]:
    """Return every table's position, ordered by name."""
    rows = connection.execute(
        "SELECT source, cell, table_name, entity, position, source_position, complete_up_to,"
        " load_id FROM meta.positions ORDER BY ALL"
    ).fetchall()
    return [
        Position(
            source, cell, table, entity, json.loads(position), number, moment.astimezone(UTC), load
        )
        for source, cell, table, entity, position, number, moment, load in rows
    ]


def position(
    connection: duckdb.DuckDBPyConnection, source: str, cell: str, table: str
) -> dict[str, Any] | None:
    """Return the extractor's position of a table, None before its first load."""
    row = connection.execute(
        "SELECT position FROM meta.positions WHERE source = ? AND cell = ? AND table_name = ?"
        " ORDER BY entity LIMIT 1",
        [source, cell, table],
    ).fetchone()
    return json.loads(row[0]) if row else None


def recorded_columns(
    connection: duckdb.DuckDBPyConnection, source: str, entity: str
) -> list[dict[str, str]]:
    """Return the recorded columns of a raw table: name, type, source_name, source_type."""
    rows = connection.execute(
        "SELECT column_name, type, source_name, source_type FROM meta.columns"
        " WHERE source = ? AND entity = ? ORDER BY column_name",
        [source, entity],
    ).fetchall()
    names = ("name", "type", "source_name", "source_type")
    return [dict(zip(names, row, strict=True)) for row in rows]


def fingerprint(connection: duckdb.DuckDBPyConnection, models: str) -> str:
    """Return a hash of all that a build reads: the last change of each raw table, and `models`."""
    rows = connection.execute(
        "SELECT source, cell, table_name, entity, changed_by FROM meta.positions ORDER BY ALL"
    ).fetchall()
    return hashlib.sha256(json.dumps([models, rows]).encode()).hexdigest()
