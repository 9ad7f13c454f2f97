"""What state keeps of the ledger, and its tables in the build database, which dbt reads."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from warehouse.engines import duckdb_ledger
from warehouse.ledger import columns, decisions, entries, statements

SCHEMA = duckdb_ledger.SCHEMA


@dataclass(frozen=True, slots=True)
class Kept:
    """What is posted, the statements that are closed, and what people decided."""

    postings: Sequence[entries.Posting] = ()
    statements: Sequence[Mapping[str, Any]] = ()
    decisions: Sequence[Mapping[str, Any]] = ()

    def texts(self) -> dict[str, str]:
        """Return for each table a text that differs whenever its rows do; empty for no rows."""
        return {
            "entries": entries.digest(self.postings),
            "statements": _digest(self.statements),
            "decisions": _digest(self.decisions),
        }


def kept_in(state: Path, known_at: datetime | None = None) -> Kept:
    """Return what state keeps, of that what was recorded by `known_at` (system time)."""
    return Kept(
        entries.postings(state, known_at),
        statements.closed(state, known_at),
        decisions.decided(state, known_at),
    )


def write(connection: duckdb.DuckDBPyConnection, kept: Kept, as_of: datetime | None = None) -> None:
    """Write the schema `ledger` of a build database, with the entries that were posted by `as_of`.

    An earlier version is built with the ledger of its time.
    """
    duckdb_ledger.write(
        connection,
        columns.ENTRIES,
        [one.path for one in kept.postings],
        {
            "statements": columns.table(kept.statements, columns.STATEMENTS),
            "decisions": columns.table(kept.decisions, columns.DECISIONS),
        },
        as_of,
    )


def _digest(rows: Sequence[Mapping[str, Any]]) -> str:
    return hashlib.sha256(repr(rows).encode()).hexdigest() if rows else ""
