"""Mark rejected rows as discarded for good, and remember it whatever package they come in."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from extractors.errors import ConfigError
from extractors.package import new_load_id, utc_text
from warehouse.engines import duckdb_engine
from warehouse.load import outbox
from warehouse.load.rejected import Entry, Selection, entries
from warehouse.state import segments

# The kind of the records that keep decisions in state.
DECISION = "quarantine_decision"


def restore(connection: duckdb.DuckDBPyConnection, state: Path) -> None:
    """Fill an empty `meta.quarantine_discards` from state.

    Replays need no restoring: their packages are loaded again.
    """
    if connection.execute("SELECT count(*) FROM meta.quarantine_discards").fetchone() != (0,):
        return
    with duckdb_engine.transaction(connection):  # all or none: what is not empty is not filled
        for decision in segments.records(state, DECISION):
            if decision["decision"] == "discarded":
                _remember(connection, decision)


def discard(
    connection: duckdb.DuckDBPyConnection, identities: Sequence[str], *, by: str, why: str
) -> list[Entry]:
    """Mark open entries as discarded for good, and return them; none is deleted.

    ConfigError where an identity names none, or one that is replayed or superseded.
    """
    found = entries(connection, Selection(identities=tuple(identities)))
    for entry in found:
        if entry.decision in {"replayed", "superseded"}:
            raise ConfigError(f"{entry.quarantine_id}: is {entry.decision}: {entry.why}")
    chosen = sorted(entry.quarantine_id for entry in found if entry.decision == "open")
    if not chosen:
        return []
    decision = {
        "decision": "discarded",
        "quarantine_ids": chosen,
        "decided_at": utc_text(datetime.now(UTC)),
        "decided_by": by,
        "why": why,
    }
    with duckdb_engine.transaction(connection):
        _remember(connection, decision)
        apply(connection)
        outbox.add(connection, DECISION, f"{DECISION}:{new_load_id()}", **decision)
    return entries(connection, Selection(identities=tuple(chosen)))


def _remember(connection: duckdb.DuckDBPyConnection, decision: Mapping[str, Any]) -> None:
    """Keep that rows were discarded, whenever and in whatever package they come again."""
    connection.execute(
        "INSERT INTO meta.quarantine_discards SELECT unnest($ids), $at, $by, $why",
        {
            "ids": decision["quarantine_ids"],
            "at": decision["decided_at"],
            "by": decision["decided_by"],
            "why": decision["why"],
        },
    )


def apply(connection: duckdb.DuckDBPyConnection) -> None:
    """Mark open entries that were discarded, in whatever package they come."""
    connection.execute(
        "UPDATE meta.quarantine AS q SET decision = 'discarded', decided_at = d.decided_at,"
        " decided_by = d.decided_by, why = d.why FROM meta.quarantine_discards AS d"
        " WHERE q.quarantine_id = d.quarantine_id AND q.decision = 'open'"
    )
