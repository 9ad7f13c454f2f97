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


def test_json_holds_every_type_of_value(shop: Command) -> None:
    query = (
        "select date '2011-03-01' as day, timestamptz '2011-03-01 12:00:00.25+01' as instant,"
        " timestamp '2011-03-01 12:00:00' as local, time '10:30:00' as hour, interval 90 minutes as"
        " span, 'NaN'::double as ratio, 1e-7::decimal(18,12) as credit, '\\x01ab'::blob as bytes,"
        " [date '2011-03-02'] as days, {'a': 1.5::decimal(9,2), 'b': null} as pair,"
        " uuid '00000000-0000-0000-0000-000000000001' as id, 2::hugeint as n"
    )
    assert json.loads(shop("sql", query, "--json").stdout) == [
        {
            "day": "2011-03-01",
            "instant": "2011-03-01T11:00:00.250000Z",
            "local": "2011-03-01T12:00:00",
            "hour": "10:30:00",
            "span": "1:30:00",
            "ratio": None,
            "credit": "0.000000100000",
            "bytes": "016162",
            "days": ["2011-03-02"],
            "pair": {"a": "1.50", "b": None},
            "id": "00000000-0000-0000-0000-000000000001",
            "n": 2,
        }
    ]


def test_what_is_not_a_terminal_gets_all_rows_and_columns(shop: Command) -> None:
    columns = ", ".join(f"i + {n} as a_rather_long_name_{n}" for n in range(30))
    printed = shop("sql", f"select {columns} from range(100) r(i)").stdout
    assert "a_rather_long_name_15" in printed
    assert len(printed.splitlines()) > 100
    assert "shown" not in printed


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


@pytest.mark.parametrize(
    ("table", "hint"),
    [
        ("nope", "`warehouse sql 'show all tables'` lists those that do"),
        ("core.ordes", 'Did you mean "orders"?'),
    ],
)
def test_a_table_that_is_not_there_is_told_with_what_is(
    shop: Command, table: str, hint: str
) -> None:
    result = shop("sql", f"select * from {table}")
    assert result.returncode == 2
    assert hint in result.stderr
    assert "pg_" not in result.stderr
