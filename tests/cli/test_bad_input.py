"""Every mistake gives one clear line and its exit code, never a traceback."""

import json
import re
import shutil
from pathlib import Path

import psycopg
import pytest

from tests.cli.command import Command

SECRET = "hunter2-and-a-longer-tail"
CONFIGURATION = """
sources:
  shop:
    kind: postgres
    dsn: ${SHOP_DSN}
    tables: { orders: { key: [order_id] } }
"""
UNREACHABLE = f"postgresql://reader:{SECRET}@127.0.0.1:1/shop"
# Every command that needs the configuration, with arguments that are right in themselves.
CONFIGURED = [
    ["check"],
    ["run"],
    ["status"],
    ["versions"],
    ["rollback"],
    ["publish", "--resume"],
    ["sql", "select 1"],
    ["extract", "shop.orders"],
    ["load", "."],
]


def _configured(command: Command, text: str = CONFIGURATION) -> Command:
    (command.directory / "warehouse.yml").write_text(text)
    return command


@pytest.mark.parametrize("arguments", CONFIGURED, ids=" ".join)
def test_a_missing_configuration_is_named(warehouse: Command, arguments: list[str]) -> None:
    line = warehouse.fails(2, *arguments)
    assert "warehouse.yml: no such configuration file" in line
    assert "warehouse init" in line


@pytest.mark.parametrize("arguments", CONFIGURED, ids=" ".join)
def test_an_unset_variable_is_named_with_its_line(warehouse: Command, arguments: list[str]) -> None:
    line = _configured(warehouse).fails(2, *arguments)
    assert "warehouse.yml:5: sources.shop.dsn: variable SHOP_DSN is not set" in line


def test_a_wrong_key_is_named_with_its_line_and_a_suggestion(warehouse: Command) -> None:
    _configured(warehouse, CONFIGURATION.replace("tables:", "tabels:"))
    result = warehouse("status", SHOP_DSN=UNREACHABLE)
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        f"error: {warehouse.directory / 'warehouse.yml'}: 2 problems",
        "  warehouse.yml:3: sources.shop.tables: is required",
        "  warehouse.yml:6: sources.shop.tabels: unknown key; did you mean tables?",
    ]


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_named_configuration_that_is_missing_is_named(warehouse: Command, how: str) -> None:
    if how == "option":
        line = warehouse.fails(2, "--config", "none.yml", "status")
    else:
        line = warehouse.fails(2, "status", WAREHOUSE_CONFIG="none.yml")
    assert "none.yml: no such configuration file" in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--select", "shp"], "no source shp in warehouse.yml; did you mean shop?"),
        (
            ["run", "--select", "shop.ordres"],
            "no table ordres under sources.shop in warehouse.yml; did you mean",
        ),
        (
            ["run", "--full-refresh", "shop.x"],
            "no table x under sources.shop in warehouse.yml; there are",
        ),
        (["run", "--as-of", "yesterday"], "'yesterday' is not an instant"),
        (["run", "--as-of", "2011-09-01"], "is not an instant such as 2011-09-01T00:00:00Z"),
        (["run", "--wait", "-1"], "--wait"),
        (["extract", "shop"], "write SOURCE.TABLE"),
        (["extract", "shop.nothing"], "no table nothing under sources.shop"),
        (["extract"], "Missing argument 'SOURCE.TABLE'; see warehouse extract --help"),
        (["load", "nowhere"], "nowhere"),
        (["demo", "advance", "--days", "two"], "'two' is not a whole number"),
        (["metrics", "query", "x", "--from", "2026-02-30"], "is not a day such as 2026-03-01"),
        (["rnu"], "No such command 'rnu'"),
        (["run", "--selct", "shop"], "No such option"),
        (["status", "extra"], "unexpected extra argument (extra); see warehouse status --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_on_the_command_line_is_a_usage_error(
    warehouse: Command, arguments: list[str], words: str
) -> None:
    assert words in _configured(warehouse).fails(2, *arguments, SHOP_DSN=UNREACHABLE)


@pytest.mark.parametrize("command", ["run", "check", "extract"])
def test_an_engine_that_is_not_built_yet_is_refused(warehouse: Command, command: str) -> None:
    _configured(warehouse, CONFIGURATION + "warehouse: { engine: redshift }\n")
    arguments = [command, "shop.orders"] if command == "extract" else [command]
    line = warehouse.fails(2, *arguments, SHOP_DSN=UNREACHABLE)
    assert "warehouse.engine: redshift is not available in this version" in line


@pytest.mark.parametrize("command", ["status", "versions", "rollback"])
def test_no_version_yet_is_a_usage_error(warehouse: Command, command: str) -> None:
    _configured(warehouse).fails(2, command, SHOP_DSN=UNREACHABLE)


def test_what_nobody_expected_is_one_line_and_a_log_without_secrets(
    warehouse: Command, tmp_path: Path
) -> None:
    _configured(warehouse)
    (tmp_path / "var" / "state").mkdir(parents=True)
    # A folder where the status file belongs: nothing the product ever makes.
    (tmp_path / "var" / "state" / "status.json").mkdir()
    line = warehouse.fails(1, "status", SHOP_DSN=UNREACHABLE)
    assert line.startswith("error: IsADirectoryError: ")
    (log,) = (tmp_path / "var" / "logs").glob("error-*.log")
    assert line.endswith(f"(traceback in {log})")
    assert "Traceback (most recent call last)" in log.read_text()
    assert SECRET not in line + log.read_text()


WRONG_SOURCES = {
    "wrong password": "password authentication failed",
    "unreachable host": "Connection refused",
    "table gone": "shop.orders (PostgreSQL 127.0.0.1",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        *((["extract", "shop.orders"], mistake) for mistake in WRONG_SOURCES),
        (["run", "--select", "shop"], "wrong password"),
    ],
    ids=str,
)
def test_a_source_that_refuses_is_named(
    running_shop: Command, arguments: list[str], mistake: str
) -> None:
    dsn = running_shop.variable("SHOP_DSN")
    given = {
        "wrong password": re.sub(r":[^:@/]+@", f":{SECRET}@", dsn),
        "unreachable host": UNREACHABLE,
        "table gone": dsn,
    }[mistake]
    primary = running_shop.variable("SHOP_PRIMARY_DSN")
    with psycopg.connect(primary, autocommit=True) as connection:
        if mistake == "table gone":
            connection.execute("ALTER TABLE orders RENAME TO gone")
        try:
            line, _ = running_shop.stops(3, *arguments, SHOP_DSN=given)
        finally:
            if mistake == "table gone":
                connection.execute("ALTER TABLE gone RENAME TO orders")
    assert WRONG_SOURCES[mistake] in line
    assert SECRET not in line


@pytest.mark.slow
def test_an_unreachable_dynamodb_is_named(running_shop: Command) -> None:
    line, _ = running_shop.stops(
        3, "extract", "activity.searches", DYNAMODB_ENDPOINT="http://127.0.0.1:1"
    )
    assert "DynamoDB table shop_activity" in line
    assert "cannot be reached" in line


@pytest.mark.slow
def test_only_a_package_of_this_warehouse_is_loaded(running_shop: Command, tmp_path: Path) -> None:
    extracted = running_shop("extract", "shop.orders", "--json")
    assert extracted.returncode == 0, extracted.stderr
    (package,) = json.loads(extracted.stdout)
    copy = tmp_path / "copy"
    shutil.copytree(package["package"], copy)
    assert "not a package folder of" in running_shop.fails(2, "load", str(copy))
    assert "not a load package" in running_shop.fails(3, "load", str(tmp_path))
    assert running_shop("load", package["package"]).returncode == 0
    again = running_shop("load", package["package"], "--json")
    assert json.loads(again.stdout)["loaded_rows"] == package["rows"]
