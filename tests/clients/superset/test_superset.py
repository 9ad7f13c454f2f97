"""Apache Superset on the demo's version: it finds the tables, and its charts show DuckDB's figures.

Installing and starting it takes minutes: `make superset` runs this, and
tests/clients/test_superset_statements.py holds what it asks of PostgreSQL's catalog.
"""

import html
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.conftest import missing
from tests.clients.superset.server import USER, Chart, Superset, installed, running
from tests.shops import Shop

pytestmark = pytest.mark.superset
CHARTS = (
    Chart(
        "Net revenue by channel, last touch",
        *("campaign", "performance_daily_last_touch", "channel", "attributed_net_revenue"),
    ),
    Chart("What became of commission", "affiliate", "conversions", "status", "commission_amount"),
    Chart(
        "What people do with products, by weight",
        *("recommendation", "interactions", "kind", "weight"),
    ),
)
# The environment stays for the next time; SUPERSET_PICTURE is a file to keep the picture in.
ENVIRONMENT = Path(os.environ.get("SUPERSET_ENVIRONMENT", ".venv-superset")).resolve()
PICTURE = os.environ.get("SUPERSET_PICTURE")


@pytest.fixture(scope="module")
def superset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    with running(installed(ENVIRONMENT), tmp_path_factory.mktemp("superset")) as found:
        yield found


@pytest.fixture(scope="module")
def database(superset: Superset, demo_dsn: str) -> int:
    return superset.connect(demo_dsn)


@pytest.fixture(scope="module")
def datasets(superset: Superset, database: int) -> list[int]:
    return [superset.dataset(database, c.schema, c.table)["id"] for c in CHARTS]


def test_it_lists_the_tables_of_each_schema(
    superset: Superset, database: int, demo_shop: Shop
) -> None:
    for schema in ("affiliate", "campaign", "core", "recommendation"):
        found = superset.call(
            "GET", f"database/{database}/tables/?q=(force:!f,schema_name:{schema})"
        )["result"]
        published = demo_shop.query(
            f"select table_name from duckdb_tables() where schema_name = '{schema}' order by 1"
        )
        assert [(row["value"], row["type"]) for row in found] == [
            (name, "view") for (name,) in published
        ]


def test_a_data_set_has_every_column_with_its_description(
    superset: Superset, datasets: list[int], demo_shop: Shop
) -> None:
    for dataset, chart in zip(datasets, CHARTS, strict=True):
        columns = superset.call("GET", f"dataset/{dataset}")["result"]["columns"]
        described = demo_shop.query(
            "select column_name, comment from duckdb_columns()"
            f" where schema_name = '{chart.schema}' and table_name = '{chart.table}'"
        )
        assert {(c["column_name"], c["description"]) for c in columns} == set(described)


def test_a_chart_shows_the_figures_of_the_file(
    superset: Superset, datasets: list[int], demo_shop: Shop
) -> None:
    for dataset, chart in zip(datasets, CHARTS, strict=True):
        rows = demo_shop.query(
            f"select {chart.column}, sum({chart.measure}) from {chart.schema}.{chart.table}"
            " group by 1 order by 2 desc, 1"
        )
        assert len(rows) > 1
        assert superset.rows(dataset, chart) == rows


def test_a_dashboard_is_drawn_in_a_browser(
    superset: Superset, datasets: list[int], tmp_path: Path
) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        missing("no chromium on this machine")
    charts = list(zip(datasets, CHARTS, strict=True))
    number = superset.dashboard("Commerce Warehouse", charts)
    picture = tmp_path / "dashboard.png"
    words = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1280,880"]
    words += [f"--user-data-dir={tmp_path / 'browser'}", "--virtual-time-budget=60000"]
    page = tmp_path / "sign-in.html"
    page.write_text(sign_in(superset, f"/superset/dashboard/{number}/?standalone=2"))
    command = [browser, *words, f"--screenshot={picture}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    # A page that says it could not draw, or still turns its wheel, is smaller.
    assert picture.stat().st_size > 30_000
    if PICTURE:
        shutil.copy(picture, PICTURE)


def sign_in(superset: Superset, target: str) -> str:
    """Return a page that signs in by Superset's own form and goes on to `target`."""
    where = html.escape(f"{superset.url}/login/?next={superset.url}{target}")
    fields = "".join(
        f'<input name="{name}" value="{html.escape(value)}">'
        for name, value in (("username", USER), ("password", superset.password))
    )
    form = f'<form method="post" action="{where}">{fields}</form>'
    return f"<!doctype html>{form}<script>document.forms[0].submit()</script>"
