"""Servers and shops of the demo, each in a folder of its own and removed at the end."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from demo import shop
from demo.dynamodb_server import DynamoDbServer
from demo.place import Place
from localserver.postgres_server import PostgresServer


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[PostgresServer]:
    """Yield a PostgreSQL that is not started yet."""
    server = PostgresServer(tmp_path / "postgres")
    yield server
    server.delete()


@pytest.fixture
def dynamodb(tmp_path: Path) -> Iterator[DynamoDbServer]:
    """Yield a DynamoDB emulator that is not started yet."""
    server = DynamoDbServer(tmp_path / "dynamodb")
    yield server
    server.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder for a demo shop."""
    yield tmp_path
    shop.down(tmp_path, delete=True)


def rows_of(folder: Path, query: str) -> list[tuple[object, ...]]:
    """Ask the shop's PostgreSQL."""
    with psycopg.connect(Place(folder).postgres.dsn("shop")) as connection:
        return connection.execute(query.encode()).fetchall()
