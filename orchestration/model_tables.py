"""Read the tables in which the models say which rows wait and which references are unknown.

A project without them (`int_meta__waiting`, `int_meta__unknown_references`) has neither.
"""

from datetime import UTC, datetime

import duckdb

from warehouse.engines.duckdb_raw import columns_of


def due(connection: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """Return for each model that keeps rows waiting for a later as_of when the first is due."""
    if not columns_of(connection, "intermediate", "int_meta__waiting"):
        return {}
    rows = connection.execute(
        "SELECT model, next_due_at FROM intermediate.int_meta__waiting"
        " WHERE next_due_at IS NOT NULL ORDER BY model"
    ).fetchall()
    return {model: instant.astimezone(UTC) for model, instant in rows}


def unmatched(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str], int]:
    """Return how many rows of a raw table and cell name what another source does not hold."""
    if not columns_of(connection, "intermediate", "int_meta__unknown_references"):
        return {}
    rows = connection.execute(
        "SELECT raw_source, raw_entity, cell, count(DISTINCT row_key)"
        " FROM intermediate.int_meta__unknown_references GROUP BY ALL"
    ).fetchall()
    return {(source, entity, cell): count for source, entity, cell, count in rows}
