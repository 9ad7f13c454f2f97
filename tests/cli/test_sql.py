"""`warehouse sql`: one query, or a prompt, on the published version."""

import json

import duckdb
import pytest

from tests.cli.command import Command
from tests.cli.test_versions import CONFIGURATION, publication
from warehouse.publish import versions as published
from warehouse.state import segments


@pytest.fixture
def shop(warehouse: Command) -> Command:
    """Return the command where one version holds a core.orders of one row."""
    (warehouse.directory / "warehouse.yml").write_text(CONFIGURATION)
    home = warehouse.directory / "var"
    (home / "published").mkdir(parents=True)
    segments.append(home / "state", [publication(1)])
    with duckdb.connect(str(published.version_path(home / "published", "v000001"))) as file:
        file.execute("CREATE SCHEMA core; CREATE TABLE core.orders AS SELECT 'o1' AS order_id")
    published.switch(home / "published", "v000001")
    return warehouse


def test_a_query_prints_its_rows_and_as_json_its_values(shop: Command) -> None:
    query = "select order_id, 1.50::decimal(9,2) as amount from core.orders"
    assert "o1" in shop("sql", query).stdout
    assert json.loads(shop("sql", query, "--json").stdout) == [{"order_id": "o1", "amount": "1.50"}]


def test_the_prompt_answers_goes_on_after_an_error_and_ends_at_quit(shop: Command) -> None:
    typed = (
        ".help\n.tables\nselect nothing;\nselect order_id\nfrom core.orders;\n.quit\nselect 7;\n"
    )
    result = shop("sql", stdin=typed)
    assert result.returncode == 0
    assert "version v000001, complete up to 2011-09-01T00:30:00Z" in result.stdout
    assert result.stdout.count("`.tables` lists the tables") == 2
    assert "core.orders" in result.stdout
    assert "o1" in result.stdout
    assert result.stderr.startswith("error: Binder Error")
    assert "7" not in result.stdout.splitlines()[-1]


def test_a_query_cannot_change_the_version(shop: Command) -> None:
    assert "read-only" in shop("sql", "delete from core.orders").stderr
    assert shop("sql", "delete from core.orders").returncode == 2
