"""Read the heartbeat: a time that the primary keeps current in a table, as pt-heartbeat does.

A replica shows it as of the moment that its data are of, however long ago that is; its own clock
and replay statistics tell that only while it is connected.
"""

from datetime import UTC, datetime
from typing import Any

import psycopg

from extractors.errors import ConfigError, SourceError
from extractors.naming import quoted
from extractors.relational.catalogue import relation
from extractors.relational.connection import Server

_CORRECT = "correct `heartbeat` in warehouse.yml"


def parts_of(name: str) -> tuple[str, str]:
    """Return table and column of `[schema.]table.column`; ConfigError where it is none."""
    table, _, column = name.rpartition(".")
    if table.count(".") > 1 or not all((*table.split("."), column)):
        raise ConfigError(f"heartbeat: {name} is no column; write it as schema.table.column")
    return table, column


def heartbeat(connection: "psycopg.Connection[Any]", server: Server, name: str) -> datetime:
    """Return the newest time (UTC) in the column `name`, in the connection's snapshot.

    ConfigError: no such table or column, or no timestamptz. SourceError: not readable, or no time
    in it. A table with a row per server gives the time of the one that writes now.
    """
    table, column = parts_of(name)
    where = f"{server}: heartbeat {name}"
    found = relation(connection, table)
    if found is None:
        raise ConfigError(f"{where}: no such table; {_CORRECT}")
    source = next((each for each in found.columns if each.name == column), None)
    if source is None:
        have = ", ".join(each.name for each in found.columns)
        raise ConfigError(f"{where}: no such column; the table has {have}; {_CORRECT}")
    if source.type.name != "timestamptz":
        raise ConfigError(f"{where}: is {source.type.text}; it needs timestamp with time zone")
    if not (found.usable and source.readable):
        target = quoted(found.schema, found.name)
        grants = f"GRANT SELECT ({quoted(column)}) ON {target} TO {quoted(server.user)}"
        if not found.usable:
            grants = f"GRANT USAGE ON SCHEMA {quoted(found.schema)} TO {quoted(server.user)}"
        raise SourceError(f"{where}: no privilege to read it; run at the source: {grants}")
    row = connection.execute(
        f"select max({quoted(column)}) filter (where isfinite({quoted(column)}))"
        f" from {quoted(found.schema, found.name)}".encode()
    ).fetchone()
    if row is None or row[0] is None:
        raise SourceError(f"{where}: holds no time; let the primary write one regularly")
    return row[0].astimezone(UTC)
