"""One embedded server with two small versions, made as literal files."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import duckdb
import psycopg
import pytest

from tests.cli.test_versions import CONFIGURATION, publication
from tests.shops import Shop
from warehouse import config
from warehouse.config import Settings
from warehouse.publish import versions
from warehouse.serve import embedded
from warehouse.state import segments

MARTS = """
CREATE SCHEMA core;
CREATE SCHEMA meta;
CREATE TABLE core.orders AS
SELECT
    'o' || n AS order_id, DATE '2011-01-01' + n::INTEGER AS order_date,
    (n * 1.25)::DECIMAL(18,2) AS net_amount, TIMESTAMPTZ '2011-01-01 10:00:00+00' AS ordered_at,
    n % 2 = 0 AS is_counted, [n, NULL] AS parts, {number} AS version_number,
    CASE WHEN n > 1 THEN 'é' END AS note
FROM range(1, 4) AS numbers (n);
CREATE TABLE core.order_lines AS
SELECT 'l' || n AS order_line_id, CASE WHEN n < 4 THEN 'o' || n ELSE '(none)' END AS order_id
FROM range(1, 5) AS numbers (n);
CREATE SCHEMA affiliate;
CREATE TABLE affiliate.payable AS
SELECT
    'a' || n AS affiliate_id, CASE WHEN n < 3 THEN 'main' ELSE 'us' END AS cell,
    n * 10 AS amount, 'iban ' || n AS account, {number} AS version_number
FROM range(1, 5) AS numbers (n);
CREATE TABLE affiliate.totals AS SELECT 100 AS amount;
CREATE TABLE meta.keys (
    table_schema VARCHAR, table_name VARCHAR, column_name VARCHAR, ordinal INTEGER
);
INSERT INTO meta.keys VALUES
    ('core', 'orders', 'order_id', 1), ('core', 'order_lines', 'order_line_id', 1);
CREATE TABLE meta.relationships AS
SELECT
    'core' AS table_schema, 'order_lines' AS table_name, 'order_id' AS column_name,
    'core' AS to_schema, 'orders' AS to_table, 'order_id' AS to_column;
COMMENT ON TABLE core.orders IS 'One row per order.';
COMMENT ON COLUMN core.orders.net_amount IS 'What the order is worth without VAT.';
"""
# Of the cells, only `main` is a source's.
READERS = (
    ", readers: { finance: { schemas: [affiliate] },"
    " home: { schemas: [affiliate, meta], cells: [main] } }"
)


@dataclass(frozen=True, slots=True)
class Server:
    """The endpoint of a warehouse that shows v000002."""

    settings: Settings
    dsn: str

    def ask(self, query: str) -> list[Any]:
        """Return what a reader is told."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture(scope="session")
def bi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield the running server; its data go with it."""
    yield from _serving(tmp_path_factory.mktemp("bi"), READERS)


@pytest.fixture(scope="session")
def physical(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a running server of tables with keys."""
    yield from _serving(tmp_path_factory.mktemp("physical"), f", tables: physical{READERS}")


@pytest.fixture(scope="module")
def demo_dsn(demo_shop: Shop) -> Iterator[str]:
    """Yield where a reader finds the demo's version, in a server that goes with it."""
    path = demo_shop.directory / "bi-clients.yml"
    text = (demo_shop.directory / "warehouse.yml").read_text(encoding="utf-8")
    path.write_text(f"{text}\npublication: {{ postgres: embedded }}\n", encoding="utf-8")
    serve = ("--config", path.name, "serve")
    try:
        yield demo_shop.json(*serve, "--detach")["dsn"]
    finally:
        demo_shop.command(*serve, "--stop", "--delete")
        path.unlink()


def _serving(folder: Path, more: str) -> Iterator[Server]:
    path = folder / "warehouse.yml"
    section = f"publication: {{ postgres: embedded{more} }}\n"
    path.write_text(section + CONFIGURATION, encoding="utf-8")
    settings = config.load(path)
    settings.published_directory.mkdir(parents=True)
    endpoint = embedded.start(settings)
    for number in (1, 2):
        add_version(settings, number)
        versions.catch_up(settings)
    yield Server(settings, endpoint.dsn)
    embedded.server(settings).delete()


def missing(what: str) -> NoReturn:
    """Skip a test for what is not on this machine; in CI it fails."""
    if os.environ.get("CI"):
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def add_version(settings: Settings, number: int) -> None:
    """Record a version and write its file; no target shows it yet."""
    record = publication(number)
    record["tables"] = [
        {"schema": "core", "table": "orders", "rows": 3, "content_hash": f"{number:064x}"},
        {"schema": "core", "table": "order_lines", "rows": 4, "content_hash": "0" * 64},
        {"schema": "affiliate", "table": "payable", "rows": 4, "content_hash": f"a{number:063x}"},
        {"schema": "affiliate", "table": "totals", "rows": 1, "content_hash": "b" * 64},
    ]
    path = versions.version_path(settings.published_directory, record["version"])
    with duckdb.connect(str(path)) as file:
        file.execute("SET TimeZone = 'UTC'")
        file.execute(MARTS.replace("{number}", str(number)))
    segments.append(settings.state_directory, [record])
