"""Keep the rows of a package that raw cannot hold, with the reason."""

from datetime import datetime
from pathlib import Path

import duckdb

from extractors.package import Manifest


def record(
    connection: duckdb.DuckDBPyConnection, directory: Path, manifest: Manifest, seen_at: datetime
) -> None:
    """Write the rejected rows of a package."""
    for part in manifest.quarantine:
        connection.execute(
            "INSERT INTO meta.quarantine SELECT $load_id || ':' || $part || ':' || n, $load_id,"
            " $source, $cell, $table, $entity, reason, field, row_key, payload, $seen, $seen"
            " FROM (SELECT *, file_row_number AS n"
            " FROM read_parquet($path, file_row_number = true))",
            {
                "load_id": manifest.load_id,
                "part": part.name,
                "source": manifest.source,
                "cell": manifest.cell,
                "table": manifest.table,
                "entity": manifest.entity,
                "seen": seen_at,
                "path": str(directory / part.name),
            },
        )
