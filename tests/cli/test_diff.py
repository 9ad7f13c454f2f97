"""`warehouse diff` as people and scripts read it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.command import Command
from tests.cli.test_versions import CONFIGURATION
from warehouse import config
from warehouse.engines import duckdb_engine
from warehouse.publish import publication


@pytest.fixture
def two_versions(warehouse: Command) -> Command:
    """Return the command where two versions are published and no build database can be opened."""
    path = warehouse.directory / "warehouse.yml"
    path.write_text(CONFIGURATION)
    settings = config.load(path)
    with duckdb_engine.build_database(settings.build_database) as build:
        build.execute(
            "CREATE SCHEMA core; CREATE TABLE core.days AS SELECT 1 AS day; CREATE TABLE"
            " core.orders (order_id VARCHAR, status VARCHAR, amount DECIMAL(18,4), n INTEGER)"
        )
        build.execute("INSERT INTO core.orders VALUES ('o1', 'new', 1200, 1), ('o2', 'new', 5, 1)")
        for fingerprint in ("1", "2"):
            publication.publish(
                build,
                settings,
                run_id=fingerprint,
                as_of=datetime(2026, 1, 1, tzinfo=UTC),
                fingerprint=fingerprint,
                next_due_at=None,
                sources_of={},
                unmatched={},
                keys={("core", "orders"): ["order_id"]},
            )
            build.execute("UPDATE core.orders SET amount = 7.5 WHERE order_id = 'o2'")
            build.execute("INSERT INTO core.orders VALUES ('o3', 'paid', 0.0001, 2)")
    settings.build_database.write_bytes(b"not a database")
    return warehouse


def test_a_difference_is_shown_mart_by_mart_with_its_amounts_and_rows(
    two_versions: Command,
) -> None:
    result = two_versions("diff", "v000001", "v000002", "--rows", "5")
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "mart         rows in v000001  rows in v000002  added  removed  changed",
        "core.days                  1                1      0        0        0  identical",
        "core.orders                2                3      1        0        1",
        "",
        "core.orders, by order_id",
        "changed rows, per column: amount 1",
        "amount  total in v000001  total in v000002  change   added  removed  changed",
        "amount        1,205.0000        1,207.5001  2.5001  0.0001   0.0000   2.5000",
        "n                      2                 4       2       2        0        0",
        "row      key          column  in v000001  in v000002",
        "changed  order_id=o2  amount  5.0000      7.5000",
        "added    order_id=o3  status  -           paid",
        "added    order_id=o3  amount  -           0.0001",
        "added    order_id=o3  n       -           2",
    ]


def test_the_same_as_json(two_versions: Command) -> None:
    found = json.loads(
        two_versions("diff", "v000001", "v000002", "core.orders", "--rows", "1", "--json").stdout
    )
    assert (found["a"], found["b"]) == ("v000001", "v000002")
    (mart,) = found["marts"]
    assert mart["mart"] == "core.orders"
    assert (mart["status"], mart["rows_a"], mart["rows_b"]) == ("different", 2, 3)
    assert mart["difference"]["amounts"][0] == {
        "column": "amount",
        "a": "1205.0000",
        "b": "1207.5001",
        "change": "2.5001",
        "by_added": "0.0001",
        "by_removed": "0.0000",
        "by_changed": "2.5000",
    }
    assert mart["difference"]["rows"] == [
        {
            "change": "changed",
            "key": {"order_id": "o2"},
            "values": {"amount": {"old": "5.0000", "new": "7.5000"}},
        }
    ]


def test_what_there_is_to_compare_is_named(two_versions: Command, tmp_path: Path) -> None:
    line = two_versions.fails(2, "diff", "v000001", "v000009")
    assert "version v000009 does not exist; there are v000001, v000002" in line
    line = two_versions.fails(2, "diff", "v000001", "v000002", "core.nothing")
    assert "neither version has a mart core.nothing; there are core.days, core.orders" in line
    assert (tmp_path / "var" / "build.duckdb").read_bytes() == b"not a database"
