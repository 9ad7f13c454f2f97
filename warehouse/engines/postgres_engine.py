"""Connect to the PostgreSQL where BI tools read, and tell its errors as users should see them."""

import ipaddress
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import adbc_driver_manager
import duckdb
import psycopg
from psycopg import conninfo

from extractors.errors import ConfigError, SourceError

OLDEST = 130000
_PROTECTED = frozenset({"require", "verify-ca", "verify-full"})
_KEY = "publication.postgres"


def address(dsn: str, *, patience: int = 10) -> str:
    """Return a connection string for both drivers; ConfigError where a password could be read.

    Another machine is asked for TLS. `patience` is in seconds, for the server to answer.
    """
    try:
        parts: dict[str, Any] = conninfo.conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        raise ConfigError(f"{_KEY}: not an address ({_first_line(error)})") from None
    if not _is_local(parts):
        mode = parts.get("sslmode") or os.environ.get("PGSSLMODE")
        if mode not in _PROTECTED:
            raise ConfigError(
                f"{_KEY}: {parts.get('host') or parts.get('hostaddr')} is another machine; add"
                " sslmode=verify-full, or require, to its address"
            )
    given = {"connect_timeout": str(patience), "application_name": "commerce-warehouse"} | parts
    return conninfo.make_conninfo("", **given)


def _is_local(parts: dict[str, Any]) -> bool:
    hosts = str(parts.get("hostaddr") or parts.get("host") or os.environ.get("PGHOST") or "")
    return all(map(_is_here, hosts.split(",")))


def _is_here(host: str) -> bool:
    if host in {"", "localhost"} or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def connected(conninfo_text: str) -> Iterator[psycopg.Connection[Any]]:
    """Lend a connection whose statements commit by themselves; SourceError for what it refuses."""
    with told():
        connection = psycopg.connect(conninfo_text, autocommit=True)
        with connection:
            if connection.info.server_version < OLDEST:
                raise SourceError(
                    f"{_KEY}: the server is PostgreSQL"
                    f" {connection.info.server_version // 10000}, 13 is the oldest that is used"
                )
            # A role's own settings, a time-out say, are meant for its queries.
            connection.execute(
                "SET search_path = pg_catalog; SET statement_timeout = 0;"
                " SET client_min_messages = warning; SET TimeZone = 'UTC'"
            )
            yield connection


@contextmanager
def told() -> Iterator[None]:
    """Turn an error of either driver, or of the file that is read, into one line."""
    try:
        yield
    except (psycopg.Error, adbc_driver_manager.Error, duckdb.Error) as error:
        raise SourceError(f"{_KEY}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
