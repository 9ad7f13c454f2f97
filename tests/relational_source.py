"""A real PostgreSQL for tests: one server a session, one fresh database a test."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from extractors.package import Manifest, package_directory
from extractors.relational.postgres import Snapshot
from localserver.postgres_server import PostgresServer

NOW = datetime(2011, 9, 1, tzinfo=UTC)
_NUMBERS = itertools.count(1)


class Source:
    """One database of the test server."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self.server, self.name = server, name
        self.dsn = server.dsn(name)

    def run(self, *statements: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def session(self) -> "psycopg.Connection[Any]":
        """Return a connection whose transaction stays open until it is told."""
        return psycopg.connect(self.dsn)

    def snapshot(self, dsn: str | None = None) -> Snapshot:
        return Snapshot(dsn or self.dsn, source="shop", now=lambda: NOW)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Yield a running server; its data go with it."""
    settings = {"fsync": "off", "max_prepared_transactions": "5", "autovacuum": "off"}
    server = PostgresServer(tmp_path_factory.mktemp("postgres"), settings=settings)
    server.start()
    yield server
    server.delete()


@pytest.fixture
def source(postgres_server: PostgresServer) -> Iterator[Source]:
    """Yield an empty database."""
    name = f"shop_{next(_NUMBERS)}"
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    yield Source(postgres_server, name)
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


def landed(
    landing: Path, manifest: Manifest, columns: str = "*", kind: str = "part"
) -> list[tuple[Any, ...]]:
    """Return the rows of a package's parts, ordered."""
    folder = package_directory(landing, manifest)
    parts = manifest.parts if kind == "part" else manifest.quarantine
    if not parts:
        return []
    files = [str(folder / part.name) for part in parts]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(
            f"SELECT {columns} FROM read_parquet(?, union_by_name = true) ORDER BY ALL", [files]
        ).fetchall()
