"""Open PostgreSQL connections that all render values alike and never wait for a user's limits."""

import math
from dataclasses import dataclass
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from extractors.errors import ConfigError, SourceError
from extractors.naming import literal
from extractors.relational.failures import source_error

APPLICATION = "commerce-warehouse"
# A host that drops packets is given up after 10 s, a connection that went dead after two minutes.
_WAITING = {
    "connect_timeout": 10,
    "keepalives_idle": 60,
    "keepalives_interval": 10,
    "keepalives_count": 6,
    "tcp_user_timeout": 120_000,
}
OLDEST = 14  # 13 is out of support since 2025 and scans a whole table for each range of pages

# Text forms must not depend on the role's or database's settings; limits meant for people must not
# end a long read; row_security = off raises an error where a policy would hide rows silently.
_SESSION = (
    "SET client_encoding = 'UTF8'",
    "SET timezone = 'UTC'",
    "SET datestyle = 'ISO, YMD'",
    "SET intervalstyle = 'iso_8601'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'",
    "SET xmlbinary = 'base64'",
    "SET standard_conforming_strings = on",
    "SET statement_timeout = 0",
    "SET lock_timeout = '30s'",
    "SET idle_in_transaction_session_timeout = 0",
    "SET row_security = off",
)
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a source is: everything about its DSN that may be shown."""

    source: str
    host: str
    port: str
    database: str
    user: str

    def __str__(self) -> str:
        return f"{self.source} (PostgreSQL {self.host}:{self.port}/{self.database}, {self.user})"

    def table(self, name: str) -> str:
        """Return the place of one table, for an error's first words."""
        where = f"PostgreSQL {self.host}:{self.port}/{self.database}"
        return f"{self.source}.{name} ({where}, {self.user})"


def server_of(source: str, dsn: str) -> Server:
    """Return where a DSN leads; ConfigError when it is none (its text may hold a password)."""
    try:
        parts: dict[str, Any] = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        form = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        raise ConfigError(f"{source}: the DSN cannot be read; write it as {form}") from None
    if set(str(parts.get("dbname") or "")) & set("@#?"):
        raise ConfigError(
            f"{source}: the DSN's password holds characters that end it early; write them"
            " percent-encoded (@ as %40, / as %2F, # as %23)"
        )
    host, port = str(parts.get("host") or "local socket"), str(parts.get("port") or 5432)
    user = str(parts.get("user") or "default user")
    return Server(source, host, port, str(parts.get("dbname") or user), user)


def _conninfo(dsn: str) -> str:
    return make_conninfo(dsn, **{**_WAITING, **conninfo_to_dict(dsn)}, application_name=APPLICATION)


def pinned(dsn: str, connection: "psycopg.Connection[Any]") -> str:
    """Return a DSN for the very server of a connection.

    A name with several addresses (a list of hosts, a reader endpoint) leads elsewhere the next
    time, where the snapshot is unknown.
    """
    info = connection.info
    address = {"hostaddr": info.hostaddr} if info.hostaddr else {}
    return make_conninfo(dsn, host=info.host, port=info.port, **address)


def connect(server: Server, dsn: str) -> "psycopg.Connection[Any]":
    """Return a psycopg connection without a transaction; SourceError says why there is none."""
    try:
        connection = psycopg.connect(_conninfo(dsn), autocommit=True)
    except psycopg.Error as error:
        raise source_error(f"{server}: cannot connect", error) from None
    if connection.info.server_version < OLDEST * 10_000:
        found = math.floor(connection.info.server_version / 10_000)
        connection.close()
        raise SourceError(f"{server}: PostgreSQL {found} is too old; {OLDEST} or later is read")
    for statement in (*_SESSION, *_later(connection.info.server_version)):
        connection.execute(statement.encode())
    encoding = connection.info.parameter_status("server_encoding")
    if encoding == "SQL_ASCII":
        connection.close()
        raise SourceError(
            f"{server}: the database's encoding is SQL_ASCII, its text may be of any encoding;"
            " read a copy in a database with ENCODING 'UTF8'"
        )
    return connection


def begin(connection: "psycopg.Connection[Any]") -> None:
    """Start the read-only transaction whose first query takes the snapshot."""
    connection.execute(_BEGIN.encode())


def open_reader(dsn: str, snapshot: str, version: int) -> "adbc.Connection":
    """Return an ADBC connection inside the exported snapshot."""
    reader = adbc.connect(_conninfo(dsn), autocommit=True)
    try:
        adopt = f"SET TRANSACTION SNAPSHOT {literal(snapshot)}"
        with reader.cursor() as cursor:
            for statement in (*_SESSION, *_later(version), _BEGIN, adopt):
                cursor.execute(statement)
    except adbc_driver_manager.Error:
        reader.close()
        raise
    return reader


def _later(version: int) -> tuple[str, ...]:
    """Return the settings that only newer servers know."""
    return ("SET transaction_timeout = 0",) if version >= 170_000 else ()
