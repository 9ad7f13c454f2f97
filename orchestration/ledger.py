"""Give a run what state keeps of the ledger of commissions."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import duckdb

from orchestration import lineage
from warehouse.ledger import kept
from warehouse.ledger.kept import Kept


def texts(ledger: Kept) -> dict[str, str]:
    """Return for each table of the ledger a text that differs whenever what state keeps does."""
    return {f"{kept.SCHEMA}.{name}": text for name, text in ledger.texts().items()}


def fingerprint(build: str, ledger: Kept) -> str:
    """Return a build's fingerprint together with what state keeps of the ledger."""
    found = [text for text in ledger.texts().values() if text]
    return hashlib.sha256(repr([build, found]).encode()).hexdigest() if found else build


def write(
    connection: duckdb.DuckDBPyConnection,
    manifest: Mapping[str, Any],
    nodes: Collection[str],
    ledger: Kept,
    as_of: datetime,
) -> None:
    """Write the tables of the ledger where the models that read them are built again."""
    sources = lineage.kept_sources(manifest)
    if any(sources.get(node, "").startswith(f"{kept.SCHEMA}.") for node in nodes):
        kept.write(connection, ledger, as_of)
