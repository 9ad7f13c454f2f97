"""What each table of the build database was built from: only what changed is built again."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from extractors.naming import quoted
from warehouse.engines import duckdb_engine, duckdb_snapshot

Table = tuple[str, str]  # schema, name
UNFINISHED = "(unfinished)"  # no inputs are called so


@dataclass(frozen=True, slots=True)
class Built:
    """One node of the graph of models as it was last built and audited.

    `models` tells the text of the models and their variables, `inputs` the raw tables that the
    node itself reads, `as_of` (UTC) the tick that it was built for.
    """

    node: str
    table: Table | None
    models: str
    inputs: str
    as_of: datetime


def recorded(connection: duckdb.DuckDBPyConnection) -> dict[str, Built]:
    """Return what is built and audited, by node."""
    rows = connection.execute(
        "SELECT node, table_schema, table_name, models, inputs, as_of FROM meta.builds"
        " ORDER BY node"
    ).fetchall()
    return {
        node: Built(node, (schema, name) if schema else None, models, inputs, as_of.astimezone(UTC))
        for node, schema, name, models, inputs, as_of in rows
    }


def forget(
    connection: duckdb.DuckDBPyConnection, nodes: Iterable[str], updated: Iterable[str] = ()
) -> None:
    """Count nodes as not built; before a build touches their tables.

    Of the `updated` ones, whose tables are brought up to date in place, it stays known which models
    made the table: whatever a build that was killed or failed left of it, the next one goes on.
    """
    connection.execute(
        "DELETE FROM meta.builds WHERE node IN (SELECT unnest(?::VARCHAR[]))",
        [sorted(set(nodes) - set(updated))],
    )
    connection.execute(
        "UPDATE meta.builds SET inputs = ?, row_count = NULL, content_hash = NULL"
        " WHERE node IN (SELECT unnest(?::VARCHAR[]))",
        [UNFINISHED, sorted(set(nodes) & set(updated))],
    )


def drop_of_others(
    connection: duckdb.DuckDBPyConnection, updated: Mapping[str, Table], models: str
) -> list[Table]:
    """Drop the tables that are updated in place where other models made them, and return them.

    Without its table a model is built whole.
    """
    made = {node for node, built in recorded(connection).items() if built.models == models}
    dropped: list[Table] = []
    for node, table in sorted(updated.items()):
        if node not in made:
            forget(connection, [node])
            connection.execute(f"DROP TABLE IF EXISTS {quoted(*table)}")
            dropped.append(table)
    return dropped


def record(connection: duckdb.DuckDBPyConnection, built: Sequence[Built]) -> None:
    """Write down nodes whose build passed its audit, in one transaction."""
    with duckdb_engine.transaction(connection):
        forget(connection, [entry.node for entry in built])
        if built:
            connection.executemany(
                "INSERT INTO meta.builds VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
                [
                    [
                        *(entry.node, *(entry.table or (None, None))),
                        *(entry.models, entry.inputs, entry.as_of),
                    ]
                    for entry in built
                ],
            )


def drop_gone(connection: duckdb.DuckDBPyConnection, known: Iterable[str]) -> list[Table]:
    """Drop the tables of nodes that the models no longer have, and return them."""
    gone = {node: built for node, built in recorded(connection).items() if node not in set(known)}
    kept = {built.table for node, built in recorded(connection).items() if node not in gone}
    dropped = sorted({b.table for b in gone.values() if b.table and b.table not in kept})
    with duckdb_engine.transaction(connection):
        for table in dropped:
            kind = connection.execute(
                "SELECT table_type FROM information_schema.tables"
                " WHERE table_catalog = current_database() AND (table_schema, table_name) = (?, ?)",
                list(table),
            ).fetchone()
            if kind:
                what = "VIEW" if kind[0] == "VIEW" else "TABLE"
                connection.execute(f"DROP {what} {quoted(*table)}")
        forget(connection, gone)
    return dropped


def drop_unmade(
    connection: duckdb.DuckDBPyConnection, schemas: Sequence[str], made: Iterable[Table]
) -> list[Table]:
    """Drop the tables of schemas that no node makes, and return them.

    A build that failed or was killed left them without a record, and its model is gone since.
    """
    found = duckdb_snapshot.tables(connection, schemas)
    wanted = {(schema.lower(), name.lower()) for schema, name in made}
    unmade = [(s, t) for s, names in found.items() for t in names if (s, t.lower()) not in wanted]
    for table in unmade:
        connection.execute(f"DROP TABLE {quoted(*table)}")
    return unmade


def hashes(connection: duckdb.DuckDBPyConnection) -> dict[Table, tuple[int, str]]:
    """Return rows and content hash of the tables that did not change since they were hashed."""
    rows = connection.execute(
        "SELECT table_schema, table_name, row_count, content_hash FROM meta.builds"
        " WHERE content_hash IS NOT NULL AND table_schema IS NOT NULL"
    ).fetchall()
    return {(schema, name): (count, digest) for schema, name, count, digest in rows}


def record_hashes(
    connection: duckdb.DuckDBPyConnection, found: Mapping[Table, tuple[int, str]]
) -> None:
    """Keep the hashes of built tables until they are built again."""
    new = {table: value for table, value in found.items() if table not in hashes(connection)}
    if new:
        with duckdb_engine.transaction(connection):
            connection.executemany(
                "UPDATE meta.builds SET row_count = ?, content_hash = ?"
                " WHERE table_schema = ? AND table_name = ?",
                [[*value, *table] for table, value in new.items()],
            )


def changes(connection: duckdb.DuckDBPyConnection) -> dict[Table, str]:
    """Return for each raw table (source, entity) a text that differs whenever its rows do."""
    rows = connection.execute(
        "SELECT source, entity, list([cell, table_name, changed_by] ORDER BY cell, table_name)"
        " FROM meta.positions GROUP BY source, entity"
    ).fetchall()
    return {(source, entity): json.dumps(by) for source, entity, by in rows}
