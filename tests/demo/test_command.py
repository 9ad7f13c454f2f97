"""`warehouse demo` as users run it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import shop
from tests.cli.command import Command


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Command]:
    """Yield the command in a folder whose demo shop is removed at the end."""
    yield Command(tmp_path)
    shop.down(tmp_path, delete=True)


def test_up_status_and_down_say_what_there_is_and_what_to_do(warehouse: Command) -> None:
    up = warehouse("demo", "up", "--scale", "0.05")
    assert up.returncode == 0, up.stderr
    assert "order_lines" in up.stdout
    assert up.stdout.rstrip().endswith("Next: `warehouse run` loads it and publishes a version")

    status = json.loads(warehouse("demo", "status", "--json").stdout)
    assert status["clock"] == "2026-04-01T00:00:00Z"
    assert {row["source"] for row in status["tables"]} == {"shop", "activity"}
    assert all(row["rows"] > 0 for row in status["tables"])

    nowhere = warehouse("demo", "export", "--to", "/proc/x")
    assert (nowhere.returncode, nowhere.stdout) == (2, "")
    assert "--to /proc/x: No such file or directory; name a folder" in nowhere.stderr

    assert "stopped the demo shop" in warehouse("demo", "down").stdout
    (warehouse.directory / "notes.csv").write_text("some,notes\n1,2\n")
    assert "no column InvoiceNo" in warehouse.fails(2, "demo", "orders", "notes.csv")
    assert "postgres is stopped" in warehouse("demo", "status").stdout
    assert "deleted the demo shop" in warehouse("demo", "down", "--delete").stdout
    assert not (warehouse.directory / "var" / "demo").exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("up", "--orders", "missing.csv"), "missing.csv: No such file or directory"),
        (("up", "--orders", "notes.txt"), "notes.txt: no column InvoiceNo"),
        (("up", "--clicks", "missing.csv"), "missing.csv: No such file or directory"),
        (("up", "--clicks", "notes.txt"), "notes.txt: no column year"),
        (("up", "--scale", "0"), "--scale 0 is not above 0"),
        (("up", "--scale", "nan"), "--scale nan is not above 0"),
        (("up", "--scale", "101"), "above 100; 1 is the usual size, about 2,000 orders and 97,000"),
        (("up", "--scale", "big"), "'big' is not a valid float"),
        (("up", "--parameters", "notes.txt"), "notes.txt: not a mapping"),
        (("up", "--parameters", "odd.yml"), "odd.yml: unknown parameter popularity"),
        (("advance",), "no demo shop in"),
        (("advance", "--days", "0"), "advance by at least 1 hour"),
        (("advance", "--days", "-1"), "-1 is not in the range"),
        (("advance", "--days", "999999999"), "999999999 is not in the range 0<=x<=3650"),
        (("advance", "--days", "3650", "--hours", "1"), "advance by 3,650 days at most"),
        (("export", "--to", ""), "'--to': it is empty; name a folder"),
        (("up", "--directory", "nowhere"), "nowhere: no such directory"),
        (("orders", "missing.csv"), "no demo shop in"),
        (("status",), "run `warehouse demo up` first"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_no_server(
    warehouse: Command, arguments: tuple[str, ...], problem: str
) -> None:
    (warehouse.directory / "notes.txt").write_text("some,notes\n1,2\n")
    (warehouse.directory / "odd.yml").write_text("popularity: 1\n")

    assert problem in warehouse.fails(2, "demo", *arguments)
    assert not (warehouse.directory / "var" / "demo" / "postgres").exists()


def test_a_deleted_shop_names_what_the_warehouse_keeps_and_how_to_remove_it(
    warehouse: Command,
) -> None:
    home = warehouse.directory / "var"
    (home / "demo").mkdir(parents=True)
    assert warehouse("demo", "down", "--delete").stdout == "deleted the demo shop\n"

    for name in ("demo", "landing", "published"):
        (home / name).mkdir()
    (home / "build.duckdb").touch()
    assert warehouse("demo", "down", "--delete").stdout.splitlines() == [
        "deleted the demo shop",
        "var stays, the warehouse's own: build.duckdb, landing, published;"
        " `rm -r var` removes it, published versions too",
    ]
    assert (home / "published").exists()


def test_down_without_a_shop_is_no_mistake(warehouse: Command) -> None:
    result = warehouse("demo", "down", "--delete")

    assert (result.returncode, result.stderr) == (0, "")
    assert "no demo shop in" in result.stdout


def test_a_shop_of_another_release_asks_to_start_over(warehouse: Command) -> None:
    place = warehouse.directory / "var" / "demo"
    place.mkdir(parents=True)
    (place / "shop.json").write_text('{"orders": null, "clicks": null, "scale": 1.0, "seed": 1}')

    problem = warehouse.fails(2, "demo", "up")
    assert "was made by another release; run `warehouse demo down --delete` first" in problem
