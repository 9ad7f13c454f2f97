"""The whole demo shop: up, further orders, kills, down."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from demo import shop
from demo.place import Place
from demo.tables import SHOP_TABLES
from extractors.errors import ConfigError
from tests.demo.whole_shop import StoppedError, content, cut_files, query, stop_at
from warehouse import config

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the folder of a small running shop that tests leave as it is."""
    folder = tmp_path_factory.mktemp("running")
    shop.up(folder, scale=0.05)
    yield folder
    shop.down(folder, delete=True)


@pytest.fixture(scope="module")
def in_parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Return what a shop of the early orders holds to which the rest was applied."""
    folder = tmp_path_factory.mktemp("in_parts")
    _, early, rest = cut_files(folder)
    try:
        shop.up(folder, orders=early, scale=4)
        shop.apply_orders(folder, rest)
        return content(folder)
    finally:
        shop.down(folder, delete=True)


def test_up_again_changes_nothing_and_after_down_everything_is_back(folder: Path) -> None:
    shop.up(folder, scale=0.05)
    first = content(folder)
    stamps = query(folder, "select order_id, updated_at from orders")
    files = {path: path.stat().st_mtime_ns for path in folder.glob("[.w]*") if path.is_file()}

    said: list[str] = []
    shop.up(folder, scale=0.05, progress=said.append)
    assert said == ([said[0]] if Place(folder).postgres.cluster != folder else [])
    assert (content(folder), query(folder, "select order_id, updated_at from orders")) == (
        *(first, stamps),
    )
    assert {path: path.stat().st_mtime_ns for path in files} == files

    shop.down(folder)
    assert shop.status(folder)["postgres"]["running"] is False
    shop.up(folder, scale=0.05)
    assert content(folder) == first


def test_other_arguments_ask_for_a_delete_first(running: Path) -> None:
    with pytest.raises(ConfigError, match="another seed; run `warehouse demo down --delete` first"):
        shop.up(running, scale=0.05, seed=2)


def test_the_configuration_is_valid_and_secrets_are_private(running: Path) -> None:
    settings = config.load(running / "warehouse.yml")
    assert list(settings.sources["shop"].tables) == [table.name for table in SHOP_TABLES]
    assert settings.sources["activity"].entities("shop_activity") == (
        *("product_events", "searches", "cart_events", "trigger_sends"),
    )
    assert settings.now() == datetime.fromisoformat("2026-04-01T00:00:00Z")
    assert stat.S_IMODE((running / ".env").stat().st_mode) == 0o600
    assert ".env" in (running / ".gitignore").read_text().split()
    password = Place(running).postgres.password
    assert password not in (running / "warehouse.yml").read_text()
    assert password not in json.dumps(shop.status(running))


@pytest.mark.parametrize("name", ["warehouse.yml", ".env"])
def test_a_file_of_somebody_else_is_never_overwritten(folder: Path, name: str) -> None:
    (folder / name).write_text("mine\n")

    with pytest.raises(ConfigError, match="was not written by the demo and stays as it is"):
        shop.up(folder, scale=0.05)

    assert (folder / name).read_text() == "mine\n"
    assert not (folder / "var").exists()


def test_an_edited_configuration_stays_when_the_shop_comes_up_again(folder: Path) -> None:
    shop.up(folder, scale=0.05)
    edited = (folder / "warehouse.yml").read_text() + "# mine\n"
    (folder / "warehouse.yml").write_text(edited)
    (folder / ".env").write_text("SHOP_DSN=mine\n")

    shop.up(folder, scale=0.05)
    assert (folder / "warehouse.yml").read_text() == edited
    assert (folder / ".env").read_text() == "SHOP_DSN=mine\n"
    shop.down(folder, delete=True)
    assert sorted(path.name for path in folder.iterdir()) == [".env", "var", "warehouse.yml"]


def test_triggers_stamp_the_clock_unless_the_writer_gives_a_time(running: Path) -> None:
    query(running, "update orders set updated_at = '2020-01-01Z' where order_id = '600001'")
    query(running, "update orders set status = 'cancelled' where order_id = '600002'")
    query(running, "insert into campaigns (campaign_id) values ('new')")
    now, old = (datetime.fromisoformat(f"{day}T00:00:00Z") for day in ("2026-04-01", "2020-01-01"))

    found = query(running, "select updated_at from orders where order_id in ('600001', '600002')")
    assert sorted(found) == [(old,), (now,)]
    assert query(running, "select updated_at from campaigns where campaign_id = 'new'") == [(now,)]
    query(running, "update orders set status = 'paid' where order_id = '600001'")
    stamped = query(running, "select updated_at from orders where order_id = '600001'")
    assert stamped == [(now,)]


# What is made up around real orders (affiliates, stock, visits) starts from the first file.
REAL = ("users", "addresses", "products", "product_prices", "orders", "order_lines", "refunds")


def test_further_orders_give_the_same_orders_as_all_at_once(
    folder: Path, tmp_path: Path, in_parts: dict[str, list[Any]]
) -> None:
    shop.up(folder, orders=cut_files(tmp_path)[0], scale=4)

    at_once = content(folder)
    for table in (*REAL, "payments", "campaigns", "fx_rates", "clock"):
        assert at_once[table] == in_parts[table], table


def test_further_orders_change_only_what_they_must(
    folder: Path, tmp_path: Path, in_parts: dict[str, list[Any]]
) -> None:
    _, early, rest = cut_files(tmp_path)
    shop.up(folder, orders=early, scale=4)
    before = query(folder, "select count(*) from orders")
    quiet = query(folder, "select order_id, updated_at from orders")

    said: list[str] = []
    shop.apply_orders(folder, rest, progress=said.append)

    assert query(folder, "select count(*) from orders") > before
    # What the new part does not change is not written.
    assert set(quiet) <= set(query(folder, "select order_id, updated_at from orders"))
    moved = datetime.fromisoformat("2026-04-01T00:00:00Z")
    assert query(
        folder, "select distinct updated_at from orders where ordered_at > '2026-03-02'"
    ) == [(moved,)]
    shop.apply_orders(folder, rest, progress=said.append)
    assert "applied before" in said[-1]
    assert content(folder) == in_parts
    # The same when the emulator starts again from its files.
    Place(folder).dynamodb.stop()
    shop.up(folder, orders=early, scale=4)
    assert content(folder) == in_parts


def test_a_stop_of_further_orders_is_made_good_by_the_next_command(
    folder: Path, tmp_path: Path, in_parts: dict[str, list[Any]]
) -> None:
    _, early, rest = cut_files(tmp_path)
    shop.up(folder, orders=early, scale=4)
    for moment in ("applying", "changing the shop's tables", "making up visits"):
        with pytest.raises(StoppedError):
            shop.apply_orders(folder, rest, progress=stop_at(moment))

    shop.apply_orders(folder, rest)

    assert content(folder) == in_parts


@pytest.mark.parametrize("moment", ["loading the shop's tables", "making up visits"])
def test_up_goes_on_after_kill_9(folder: Path, moment: str) -> None:
    command = [sys.executable, "-m", "cli.main", "demo", "up", "--scale", "0.5"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "--directory", str(folder)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith(moment):
                break
        process.send_signal(signal.SIGKILL)
    interrupted = Place(folder).dynamodb.version

    shop.up(folder, scale=0.5)

    assert interrupted == ""
    counts = {row["table"]: row["rows"] for row in shop.status(folder)["tables"]}
    assert 950 < counts["orders"] < 1_050
    assert counts["campaign_events"] > 1_000
