"""What state keeps of the ledger, and its tables in the build database, which dbt reads."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from extractors.package import utc_text
from warehouse.engines import duckdb_ledger
from warehouse.export import outbox
from warehouse.ledger import columns, decisions, entries, payments, statements
from warehouse.state import segments

SCHEMA = duckdb_ledger.SCHEMA
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is posted, the statements that are closed, what people decided, and the payments.

    `triggers` are the e-mails that were handed out.
    """

    postings: Sequence[entries.Posting] = ()
    statements: Sequence[Mapping[str, Any]] = ()
    decisions: Sequence[Mapping[str, Any]] = ()
    closed_through: date | None = None
    payments: Sequence[Mapping[str, Any]] = ()
    triggers: Sequence[outbox.Batch] = ()

    def texts(self) -> dict[str, str]:
        """Return for each table a text that differs whenever its rows do; empty for no rows."""
        return {
            "entries": entries.digest(self.postings),
            "statements": _digest([*self.statements, *filter(None, [self.closed_through])]),
            "decisions": _digest(self.decisions),
            "payments": _digest(self.payments),
            "trigger_outbox": outbox.digest(self.triggers),
        }

    def at(self, state: Path, as_of: datetime) -> "Kept":
        """Return what a version for this tick is built with: an earlier one has its own ledger.

        That is what state kept before the first posting for a later tick: a statement without the
        entries that made it, or a payment without its own, would agree with nothing.
        """
        postings = entries.posted_by(self.postings, as_of)
        if len(postings) == len(self.postings):
            return self
        later = self.postings[len(postings)]
        return replace(kept_in(state, later.published_at - _MOMENT), postings=postings)


def kept_in(state: Path, known_at: datetime | None = None) -> Kept:
    """Return what state keeps, of that what was recorded by `known_at` (system time)."""
    return Kept(
        entries.postings(state, known_at),
        statements.closed(state, known_at),
        decisions.decided(state, known_at),
        _closed_through(state, known_at),
        [one.texts() for one in payments.payments(state, known_at).values()],
        # models leave out what left after as_of
        outbox.batches(state),
    )


def _closed_through(state: Path, known_at: datetime | None) -> date | None:
    """Return the newest month that was closed, with statements or without any."""
    by = utc_text(known_at) if known_at else None
    months = [
        date.fromisoformat(record["period"])
        for record in segments.records(state, statements.KIND)
        if by is None or record["recorded_at"] <= by
    ]
    return max(months, default=None)


def write(connection: duckdb.DuckDBPyConnection, kept: Kept) -> None:
    """Write the schema `ledger` of a build database."""
    duckdb_ledger.write(
        connection,
        columns.ENTRIES,
        [one.path for one in kept.postings],
        {
            "statements": columns.table(kept.statements, columns.STATEMENTS),
            "decisions": columns.table(kept.decisions, columns.DECISIONS),
            "payments": columns.table(kept.payments, columns.PAYMENTS),
            "trigger_outbox": outbox.table(kept.triggers),
        },
    )


def _digest(rows: Sequence[Any]) -> str:
    return hashlib.sha256(repr(rows).encode()).hexdigest() if rows else ""
