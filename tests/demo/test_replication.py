"""`warehouse demo lag`, `cut`, `join`, `promote`: what the warehouse sees of a shop meanwhile."""

from datetime import timedelta
from pathlib import Path

import pytest

from cli.demo import _standby_line
from demo import shop
from demo.place import Place
from demo.replication import cut, join, lag, promote
from extractors.errors import ConfigError, SourceError
from extractors.package import Manifest
from extractors.relational.postgres import Snapshot, TableSpec
from tests.cli.command import Command
from tests.demo.whole_shop import answers, content, cut_files, query
from warehouse import config
from warehouse.config.sources import PostgresSource


def test_a_day_that_the_cut_standby_does_not_show_is_not_complete(folder: Path) -> None:
    since: list[Manifest] = []

    def read() -> tuple[str, bool, str]:
        """Read the orders as a run does; return how, whether there were any, and up to when."""
        settings = config.load(folder / "warehouse.yml")
        source = settings.sources["shop"]
        assert isinstance(source, PostgresSource)
        with Snapshot(
            source.dsns["main"].get_secret_value(),
            source="shop",
            now=settings.now,
            heartbeat=source.heartbeat,
        ) as snapshot:
            spec = TableSpec("orders", ("order_id",))
            found = snapshot.extract(spec, folder, since[-1].to if since else None)
        since.append(found)
        return found.mode, found.rows > 0, f"{found.complete_up_to:%m-%d}"

    def port(variable: str = "SHOP_DSN") -> str:
        line = (folder / ".env").read_text().partition(f"\n{variable}=")[2]
        return line.partition("@127.0.0.1:")[2].partition("/")[0]

    def standby() -> str:
        return _standby_line(shop.status(folder)["standby"])

    said: list[str] = []
    shop.up(folder, scale=0.05)
    two = Place(folder).servers
    address = port()
    assert (address, standby()) == (
        str(two.standby.port),
        f"the standby runs at postgresql://shop@127.0.0.1:{address}/shop",
    )
    assert read() == ("full", True, "04-01")

    cut(folder)
    shop.advance(folder, timedelta(days=1), said.append)
    assert "the standby is cut: it does not show what is new until `demo join`" in said
    assert Place(folder).clock.read_text() == "2026-04-02T00:00:00Z\n"
    assert ", cut off from the primary, " in standby()
    for seconds, delay in ((10, "a lag of 10 s"), (0, "no lag")):
        lag(folder, seconds, said.append)
        assert said[-1] == f"{delay} will apply after `demo join`"
    assert read() == ("incremental", False, "04-01")
    join(folder)
    assert read() == ("incremental", True, "04-02")

    # The address in .env goes on leading to a server, now the primary, until a standby is there.
    promote(folder)
    missing = "there is no standby since the failover; `warehouse demo join` makes one"
    assert standby() == missing
    for command in (lambda: cut(folder), lambda: lag(folder, 1), lambda: promote(folder)):
        with pytest.raises(SourceError, match=f"^{missing}$"):
            command()
    assert (port(), port("SHOP_PRIMARY_DSN")) == (address, address)
    assert read() == ("full", True, "04-02")
    join(folder, said.append)
    assert said[-2:] == ["making the standby", "the standby follows the primary"]
    assert port() == str(two.standby.port) != address
    assert read() == ("incremental", False, "04-02")

    lag(folder, 60)
    assert standby().endswith(", shows each commit 60 s later")
    shop.down(folder)
    assert "the standby is stopped" in standby()
    for command in (lambda: cut(folder), lambda: lag(folder, 1), lambda: promote(folder)):
        with pytest.raises(SourceError, match="is not running; run `warehouse demo up` first"):
            command()


def test_after_a_failover_clock_and_items_are_what_the_standby_had(folder: Path) -> None:
    said: list[str] = []
    shop.up(folder, scale=0.05)
    before = content(folder) | answers(folder)
    cut(folder)
    shop.advance(folder, timedelta(days=1))
    after = content(folder) | answers(folder)
    lost = (
        "what the standby had not received is lost: the shop's clock goes back from"
        " 2026-04-02T00:00:00Z to 2026-04-01T00:00:00Z, and its items follow"
    )

    promote(folder, said.append)
    assert lost in said
    assert shop.status(folder)["standby"] is None
    assert content(folder) | answers(folder) == before
    assert before["clock"] == ["2026-04-01T00:00:00Z\n"]

    join(folder)
    shop.advance(folder, timedelta(days=1))
    assert content(folder) | answers(folder) == after

    # As where `promote` was killed as soon as there was a new primary.
    cut(folder)
    shop.advance(folder, timedelta(days=1))
    Place(folder).servers.promote()
    said.clear()
    join(folder, said.append)
    assert [line for line in said if line.startswith("what the standby had not received is lost")]
    assert content(folder) | answers(folder) == after


def test_orders_that_a_failover_lost_can_be_applied_again(folder: Path, tmp_path: Path) -> None:
    _, early, rest = cut_files(tmp_path)
    shop.up(folder, orders=early, scale=0.1)
    before = content(folder)
    cut(folder)
    shop.apply_orders(folder, rest)
    after = query(folder, "select order_id from orders order by order_id")
    promote(folder)

    shop.up(folder, orders=early, scale=0.1)
    assert content(folder) == before
    shop.apply_orders(folder, rest)
    assert query(folder, "select order_id from orders order by order_id") == after


def test_a_lag_that_postgresql_cannot_count_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"name seconds from 0 to 2,073,600 \(24 days\)$"):
        lag(tmp_path, 2_073_601)


@pytest.mark.parametrize("command", [("cut",), ("join",), ("promote",), ("lag", "5")])
def test_without_a_shop_there_is_nothing_to_do_it_with(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    assert "run `warehouse demo up` first" in Command(tmp_path).fails(2, "demo", *command)
    assert not (tmp_path / "var").exists()
