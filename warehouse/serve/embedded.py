"""Start, adopt and stop the PostgreSQL in the warehouse's home, and tell its addresses."""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from extractors.errors import ConfigError, SourceError
from localserver import processes
from localserver.postgres_server import PostgresServer
from warehouse.config import Settings
from warehouse.engines import (
    postgres_catalog,
    postgres_engine,
    postgres_reader_roles,
    postgres_roles,
)
from warehouse.serve.readers import readers_of

FOLDER = "postgres"
DATABASE = "warehouse"
# `minimal` writes what is made and filled in one transaction once instead of twice. What the last
# moments before a machine's crash lose is published again: its versions are in the DuckDB files.
_SETTINGS = {
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "synchronous_commit": "off",
    "max_connections": "100",
    # Readers of several roles leave these to publication and to whoever looks after the server.
    "superuser_reserved_connections": "10",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where readers connect. `dsn` holds their password."""

    host: str
    port: int
    database: str
    user: str
    dsn: str


def server(settings: Settings) -> PostgresServer:
    """Return the server of this warehouse, running or not."""
    return PostgresServer(settings.home / FOLDER, user="warehouse", settings=_SETTINGS)


def publisher_dsn(settings: Settings) -> str:
    """Return the address that versions are published by; SourceError where it does not run."""
    found = server(settings)
    if not found.is_running():
        raise SourceError(
            "publication.postgres: the embedded PostgreSQL does not run;"
            " `warehouse serve --detach` starts it"
        )
    return found.dsn(DATABASE)


def start(
    settings: Settings, port: int | None = None, tell: Callable[[str], None] = lambda _line: None
) -> Endpoint:
    """Start the server, or adopt the one that runs, and let readers in; its port stays the same.

    `tell` hears which readers are no longer configured. ConfigError where it runs on another port
    than `port`.
    """
    found = server(settings)
    note = found.directory / "port"
    if port is not None and processes.kept_port(note) != port:
        if found.is_running():
            raise ConfigError(
                f"it runs on port {found.port}; `warehouse serve --stop` stops it, to start it on"
                f" {port}"
            )
        processes.write_private(note, f"{port}\n")
    found.start()
    with _administrator(found, "postgres") as connection:
        if not postgres_catalog.has(connection, "pg_database", "datname", DATABASE):
            postgres_catalog.run(connection, f"CREATE DATABASE {DATABASE}")
        postgres_catalog.run(connection, "REVOKE ALL ON DATABASE template1 FROM PUBLIC")
        postgres_roles.close(connection)
    for role in secure(settings):
        reader = role.removeprefix("bi_")
        tell(f"reader removed: {reader}, which {settings.path.name} does not name")
    return endpoint(settings)


def stop(settings: Settings, *, deletes: bool = False) -> bool:
    """Stop the server and return whether it ran; `deletes` removes everything it wrote."""
    found = server(settings)
    ran = found.is_running()
    if deletes:
        found.delete()
    elif ran:
        found.stop()
    return ran


def secure(settings: Settings) -> list[str]:
    """Take from everybody what readers must not do, and make their roles what they are.

    Returns the roles that were dropped: their readers are no longer configured.

    Done at each start and publication: a role may change its own settings and password. One
    command at a time, since PostgreSQL fails one of two that alter a role at once.
    """
    found = server(settings)
    roles = [reader.role for reader in readers_of(settings)]
    forget_others(settings)
    with (
        processes.locked(found.directory / "roles-lock"),
        _administrator(found, DATABASE) as connection,
    ):
        postgres_roles.close(connection)
        postgres_reader_roles.make(connection, roles)
        dropped = postgres_reader_roles.drop_others(connection, roles)
        for role in (postgres_catalog.READER, *roles):
            postgres_roles.set_reader(connection, role, _password(found, role))
        postgres_roles.end_overlong(connection, [postgres_catalog.READER, *roles])
    return dropped


def forget_others(settings: Settings) -> None:
    """Remove the passwords of readers that went: one that comes again gets another."""
    found = server(settings)
    kept = {
        _password_file(found, role)
        for role in (postgres_catalog.READER, *(reader.role for reader in readers_of(settings)))
    }
    for path in found.directory.glob("bi_*-password"):
        if path not in kept:
            path.unlink(missing_ok=True)


def end_overlong(settings: Settings) -> None:
    """Cancel what readers run for longer than they may, having lifted their own time-out."""
    roles = [postgres_catalog.READER, *(reader.role for reader in readers_of(settings))]
    with _administrator(server(settings), DATABASE) as connection:
        postgres_roles.end_overlong(connection, roles)


def rotate(settings: Settings, role: str = postgres_catalog.READER) -> None:
    """Give a role a new password; those who are connected stay. The server need not run."""
    found = server(settings)
    processes.write_private(_password_file(found, role), f"{secrets.token_urlsafe(24)}\n")
    if found.is_running():
        secure(settings)


def endpoint(settings: Settings, user: str = postgres_catalog.READER) -> Endpoint:
    """Return where the readers of a role connect, and with which password."""
    found = server(settings)
    login = f"{user}:{quote(_password(found, user))}"
    dsn = f"postgresql://{login}@127.0.0.1:{found.port}/{DATABASE}"
    return Endpoint("127.0.0.1", found.port, DATABASE, user, dsn)


def _password_file(found: PostgresServer, role: str) -> Path:
    if role == postgres_catalog.READER:
        return found.directory / "reader-password"
    return found.directory / f"{role}-password"


def _password(found: PostgresServer, role: str) -> str:
    path = _password_file(found, role)
    if not path.exists():
        processes.write_private(path, f"{secrets.token_urlsafe(24)}\n")
    return path.read_text().strip()


@contextlib.contextmanager
def _administrator(found: PostgresServer, database: str) -> Iterator[psycopg.Connection[object]]:
    with postgres_engine.connected(postgres_engine.address(found.dsn(database))) as connection:
        yield connection
