"""Give a run the ledger of commissions: what is posted before it, and what it is to post."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from orchestration import lineage, staleness
from warehouse.config import Settings
from warehouse.engines.duckdb_raw import columns_of
from warehouse.ledger import due as due_commissions
from warehouse.ledger import entries, kept, posting, proposal
from warehouse.ledger.kept import Kept

COMMISSIONS = "intermediate.int_affiliate__commissions"
# A dbt project of one's own may have no affiliates.
NO_COMMISSIONS = (
    "(SELECT '' AS affiliate_id, '' AS order_line_id, '' AS order_id, '' AS currency,"
    " 0 AS commission_amount, 0 AS base_amount, 0 AS rate, 0 AS fx_rate,"
    " 0 AS reporting_line_amount, now() AS ordered_at, now() AS matures_at, now() AS held_since"
    " WHERE false)"
)
DUE = "solved.commission_due"
PROPOSAL = f"solved.{staleness.PROPOSAL}"
SOLVED = staleness.WHEN_LINES_MATURE


@dataclass(frozen=True, slots=True)
class Terms:
    """What entries are proposed by: the tick, now, the reporting time zone, the closed months."""

    as_of: datetime
    now: datetime
    zone: str
    closed_through: date | None
    run_id: str


def texts(ledger: Kept) -> dict[str, str]:
    """Return for each table of the ledger a text that differs whenever what state keeps does."""
    return {f"{kept.SCHEMA}.{name}": text for name, text in ledger.texts().items()}


def texts_after(ledger: Kept, posted: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the texts of the ledger as they are once these records are in state."""
    found = ledger.texts()
    return found | {"entries": posted[-1]["sha256"]} if posted else found


def fingerprint(build: str, texts: Mapping[str, str]) -> str:
    """Return a build's fingerprint together with what state keeps of the ledger."""
    found = sorted((name, text) for name, text in texts.items() if text)
    return hashlib.sha256(repr([build, found]).encode()).hexdigest() if found else build


def write(
    connection: duckdb.DuckDBPyConnection,
    manifest: Mapping[str, Any],
    nodes: Collection[str],
    ledger: Kept,
) -> None:
    """Write the tables of the ledger where the models that read them are built again."""
    sources = lineage.kept_sources(manifest)
    if any(sources.get(node, "").startswith(f"{kept.SCHEMA}.") for node in nodes):
        kept.write(connection, ledger)


def solve(connection: duckdb.DuckDBPyConnection, name: str, terms: Terms) -> int:
    """Write what is due, or the entries that are to be posted; return the table's row count."""
    if name == staleness.PROPOSAL:
        return proposal.propose(
            connection,
            into=PROPOSAL,
            due=DUE,
            posted="ledger.entries",
            closed_through=terms.closed_through,
            as_of=terms.as_of,
            posted_at=terms.now,
            zone=terms.zone,
            run_id=terms.run_id,
        )
    has_commissions = columns_of(connection, *COMMISSIONS.split("."))
    return due_commissions.write(
        connection,
        into=DUE,
        commissions=COMMISSIONS if has_commissions else NO_COMMISSIONS,
        allocations="solved.refund_allocations",
        refunds="intermediate.int_core__refunds",
        payments="staging.stg_billing__payments",
        decisions="ledger.decisions",
        as_of=terms.as_of,
    )


def due(connection: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """Return when the first commission matures, or decision counts, after the build that is there.

    A project without commissions has none.
    """
    if not columns_of(connection, "solved", "commission_due"):
        return {}
    found = connection.execute(
        f"SELECT min(instant) FROM (SELECT matures_at AS instant FROM {DUE} UNION ALL"
        " SELECT effective_at FROM ledger.decisions), (SELECT max(as_of) AS as_of FROM meta.builds"
        f" WHERE node LIKE '%.{PROPOSAL}') WHERE instant > as_of"
    ).fetchone()
    return {staleness.PROPOSAL: found[0].astimezone(UTC)} if found and found[0] else {}


def post(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    ledger: Kept,
    *,
    run_id: str,
    as_of: datetime,
) -> list[dict[str, Any]]:
    """Write the proposed entries durably, and return the records that post them.

    None for a tick before the last one that was posted: it had its ledger. And none for one that is
    yet to come, asked for by hand and perhaps mistyped: nothing matures before its time.
    """
    if as_of > settings.now() or not columns_of(connection, *PROPOSAL.split(".")):
        return []
    if ledger.postings != entries.postings(settings.state_directory):
        return []
    rows = connection.sql(f"SELECT * FROM {PROPOSAL} ORDER BY entry_id").to_arrow_table()
    return posting.write(settings.state_directory, rows, run_id, as_of)
