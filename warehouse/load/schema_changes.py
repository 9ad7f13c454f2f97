"""Record how the columns of raw changed: a row per change, and the types for state."""

from collections.abc import Sequence
from datetime import datetime

import duckdb

from extractors.package import Manifest
from warehouse.engines import duckdb_raw
from warehouse.load import outbox


def record(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    changes: Sequence[duckdb_raw.SchemaChange],
    changed_at: datetime,
) -> None:
    """Write the changes that a package made to its raw table."""
    for change in changes:
        connection.execute(
            "INSERT INTO meta.schema_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                manifest.source,
                manifest.entity,
                change.column,
                change.change,
                change.old_type,
                change.new_type,
                manifest.load_id,
                changed_at,
            ],
        )
    if not changes:
        return
    by_name = {column.name: column for column in manifest.columns}
    for change in changes:
        column = by_name[change.column]
        connection.execute(
            "DELETE FROM meta.columns WHERE source = ? AND entity = ? AND column_name = ?",
            [manifest.source, manifest.entity, column.name],
        )
        connection.execute(
            "INSERT INTO meta.columns VALUES (?, ?, ?, ?, ?, ?)",
            [
                manifest.source,
                manifest.entity,
                column.name,
                column.type,
                column.source_name,
                column.source_type,
            ],
        )
    outbox.add(
        connection,
        "column_types",
        f"column_types:{manifest.load_id}",
        source=manifest.source,
        entity=manifest.entity,
        columns=[
            {
                "name": by_name[change.column].name,
                "type": by_name[change.column].type,
                "source_name": by_name[change.column].source_name,
                "source_type": by_name[change.column].source_type,
            }
            for change in changes
        ],
    )
