"""Scratch builds of the dbt project, shared by all tests here."""

from pathlib import Path

import pytest

from tests.dbt.build import Build
from tests.dbt.money import with_money
from tests.dbt.raw_tables import create_raw, insert, insert_real_orders
from tests.dbt.streams import Row, raw_rows


@pytest.fixture(scope="session")
def streams() -> dict[str, list[Row]]:
    """Return the raw rows of the small shop with random visits and payments."""
    return with_money(raw_rows(seed=7), seed=8)


@pytest.fixture(scope="session")
def small_shop(tmp_path_factory: pytest.TempPathFactory, streams: dict[str, list[Row]]) -> Build:
    """Build the small shop once."""
    folder = tmp_path_factory.mktemp("small_shop")
    build = Build(folder / "build.duckdb", folder / "target", "2011-12-01T00:00:00Z")
    with build.connect() as connection:
        create_raw(connection)
        for table, rows in streams.items():
            insert(connection, table, rows)
    build.build()
    return build


@pytest.fixture(scope="session")
def real_orders(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Build:
    """Build the real orders once."""
    folder = tmp_path_factory.mktemp("real_orders")
    build = Build(folder / "build.duckdb", folder / "target", "2011-09-01T00:00:00Z")
    [parquet] = shared_data.glob("online_retail_*.parquet")
    with build.connect() as connection:
        create_raw(connection)
        insert_real_orders(connection, parquet)
    build.build()
    return build
