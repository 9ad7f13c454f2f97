"""Show a load package to SQL: the rows of its parts, and what every raw row says of its load."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from extractors.naming import literal, quoted
from extractors.package import Column

METADATA = (
    ("_cell", "VARCHAR"),
    ("_load_id", "VARCHAR"),
    ("_loaded_at", "TIMESTAMPTZ"),
    ("_source_position", "BIGINT"),
    ("_deleted_at", "TIMESTAMPTZ"),
)
DELETED = "_deleted"
SEQUENCE = "_sequence"


@dataclass(frozen=True, slots=True)
class Applied:
    """What a package changed in raw: rows by kind of change."""

    inserted: int
    updated: int
    deleted: int

    @property
    def changed(self) -> int:
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True, slots=True)
class Stamp:
    """The metadata of the rows that one load writes."""

    cell: str
    load_id: str
    loaded_at: datetime
    source_position: int

    @property
    def values(self) -> list[object]:
        return [self.cell, self.load_id, self.loaded_at, self.source_position]


@dataclass(frozen=True, slots=True)
class Incoming:
    """The rows of a package on their way into one raw table.

    With `has_deletes` a row may be a deletion, of which only the key counts; with `has_sequence` a
    key may have several changes, in the order of `_sequence`.
    """

    source: str
    entity: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    parts: tuple[Path, ...]
    rows: int
    has_deletes: bool = False
    has_sequence: bool = False

    @property
    def table(self) -> str:
        return quoted(f"raw_{self.source}", self.entity)

    @property
    def names(self) -> list[str]:
        return [quoted(column.name) for column in self.columns]

    @property
    def keys(self) -> list[str]:
        return [quoted(name) for name in self.key]

    def same_key(self, left: str, right: str) -> str:
        """Return the condition that two rows have one key."""
        return " AND ".join(f"{left}.{key} = {right}.{key}" for key in self.keys)

    @property
    def selection(self) -> str:
        """Return a query of the rows: the columns, `_deleted`, `_sequence` and an identity `_row`.

        What a query around it does not use is not read.
        """
        if not self.parts:
            empty = [f"NULL::{column.type} AS {quoted(column.name)}" for column in self.columns]
            return (
                f"SELECT {', '.join(empty)}, false AS {DELETED}, NULL::BIGINT AS {SEQUENCE},"
                " 0::BIGINT AS _row WHERE false"
            )
        files = "[" + ", ".join(literal(str(part)) for part in self.parts) + "]"
        deleted = f"coalesce({DELETED}, false)" if self.has_deletes else "false"
        return (
            f"SELECT {', '.join(self.names)}, {deleted} AS {DELETED},"
            f" {SEQUENCE if self.has_sequence else 'NULL::BIGINT'} AS {SEQUENCE},"
            " (file_index::BIGINT << 40) | file_row_number AS _row"
            f" FROM read_parquet({files}, union_by_name = true)"
        )


def count(
    connection: duckdb.DuckDBPyConnection, rows: str, values: Sequence[object] | None = None
) -> int:
    """Return how many rows there are."""
    row = connection.execute(f"SELECT count(*) FROM {rows}", values).fetchone()
    assert row is not None
    return int(row[0])


def execute_counting(
    connection: duckdb.DuckDBPyConnection, statement: str, values: object = None
) -> int:
    """Return how many rows a statement changed."""
    row = connection.execute(statement, values).fetchone()
    assert row is not None
    return int(row[0])
