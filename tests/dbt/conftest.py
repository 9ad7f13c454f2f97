"""Scratch builds of the dbt project, shared by all tests here."""

import pytest

from tests.dbt.build import Build
from tests.dbt.money import with_money
from tests.dbt.raw_tables import create_raw, insert
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
