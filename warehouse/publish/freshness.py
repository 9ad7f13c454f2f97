"""Say how complete each mart is: up to when, and which of its rows name what no source holds."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb

from extractors.package import utc_text


def write(
    connection: duckdb.DuckDBPyConnection,
    sources_of: Mapping[tuple[str, str], Sequence[tuple[str, str]]],
    unmatched: Mapping[tuple[str, str, str], int],
    as_of: datetime,
) -> None:
    """Write `meta.freshness`: one row per mart and cell, from the tables that the mart reads.

    `sources_of` maps a mart (schema, table) to raw tables (source, entity); `unmatched` counts, per
    raw table and cell (source, entity, cell), the rows that name what another source does not hold.
    """
    connection.execute(
        "CREATE OR REPLACE TABLE meta.freshness (mart VARCHAR, cell VARCHAR,"
        " complete_up_to TIMESTAMPTZ, is_complete BOOLEAN, unmatched_rows BIGINT)"
    )
    reads = [
        (f"{schema}.{name}", source, entity)
        for (schema, name), sources in sorted(sources_of.items())
        for source, entity in sources
    ]
    counts = [(*table, rows) for table, rows in unmatched.items()]
    with_rows = {
        "reads (mart VARCHAR, source VARCHAR, entity VARCHAR)": reads,
        "unmatched (source VARCHAR, entity VARCHAR, cell VARCHAR, n BIGINT)": counts,
    }
    for columns, rows in with_rows.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {columns}")
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            name = columns.partition(" ")[0]
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
    connection.execute(
        "INSERT INTO meta.freshness SELECT mart, cell,"
        " least(min(complete_up_to), $as_of::TIMESTAMPTZ),"
        " min(complete_up_to) >= $as_of::TIMESTAMPTZ, coalesce(sum(n), 0)::BIGINT"
        " FROM reads JOIN meta.positions USING (source, entity)"
        " LEFT JOIN unmatched USING (source, entity, cell)"
        " GROUP BY mart, cell ORDER BY mart, cell",
        {"as_of": as_of},
    )
    connection.execute("DROP TABLE reads")
    connection.execute("DROP TABLE unmatched")


def marts(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the rows of `meta.freshness` as a version's record keeps them."""
    rows = connection.execute(
        "SELECT mart, cell, complete_up_to, is_complete, unmatched_rows FROM meta.freshness"
        " ORDER BY mart, cell"
    ).fetchall()
    return [
        {
            "mart": mart,
            "cell": cell,
            "complete_up_to": utc_text(at),
            "is_complete": is_complete,
            "unmatched_rows": unmatched_rows,
        }
        for mart, cell, at, is_complete, unmatched_rows in rows
    ]
