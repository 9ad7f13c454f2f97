"""The shop's clock moves on: what happens meanwhile, in whatever steps, whatever is killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from demo import shop
from demo.place import Place
from tests.demo.whole_shop import StoppedError, answers, content, cut_files, query, stop_at

REPOSITORY = Path(__file__).resolve().parents[2]
DAY = timedelta(days=1)
OPENING = "2026-04-01T00:00:00Z\n"


def whole(folder: Path) -> dict[str, list[Any]]:
    """Return everything of the shop: rows, items, answers, clock."""
    return content(folder) | {f"truth.{name}": rows for name, rows in answers(folder).items()}


def made_up(folder: Path) -> None:
    shop.up(folder, scale=0.05)


def of_orders(folder: Path) -> None:
    _, early, rest = cut_files(folder)
    shop.up(folder, orders=early, scale=4)
    shop.apply_orders(folder, rest)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder for a shop that is compared with another one."""
    folder = tmp_path / "other"
    folder.mkdir()
    yield folder
    shop.down(folder, delete=True)


@pytest.fixture(scope="module")
def daily(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, list[Any]]]:
    """Return what a made-up shop holds when it opens and after each of six days."""
    folder = tmp_path_factory.mktemp("daily")
    try:
        made_up(folder)
        found = [whole(folder)]
        for _ in range(6):
            shop.advance(folder, DAY)
            found.append(whole(folder))
        return found
    finally:
        shop.down(folder, delete=True)


def test_six_days_one_by_one_are_the_same_as_six_days_at_once(
    other: Path, daily: list[dict[str, list[Any]]]
) -> None:
    made_up(other)
    assert whole(other) == daily[0]
    assert daily[0]["clock"] == [OPENING]

    shop.advance(other, 6 * DAY)

    assert whole(other) == daily[6]
    assert daily[6]["clock"] == ["2026-04-07T00:00:00Z\n"]
    assert len(daily[6]["orders"]) > len(daily[0]["orders"])


def test_among_real_orders_two_days_one_by_one_are_two_days_at_once(
    folder: Path, other: Path
) -> None:
    of_orders(folder)
    of_orders(other)
    opening = whole(folder)

    for _ in range(2):
        shop.advance(folder, DAY)
    shop.advance(other, 2 * DAY)

    later = whole(folder)
    assert later == whole(other)
    assert len(later["orders"]) > len(opening["orders"])


# What happened since the opening, asked of the tables and of their copies in schema `before`.
MEANWHILE = {
    "orders placed": "select count(*) from orders where ordered_at >= '2026-04-01Z'",
    "orders deleted": """
        select count(*) from before.orders as b
        where not exists (select from orders where orders.order_id = b.order_id)
    """,
    "orders paid or shipped": """
        select count(*) from orders join before.orders as b using (order_id)
        where orders.status <> b.status
    """,
    "lines corrected": """
        select count(*) from order_lines join before.order_lines as b using (order_line_id)
        where (order_lines.quantity, order_lines.unit_price) <> (b.quantity, b.unit_price)
    """,
    "refunds of earlier orders": """
        select count(*) from refunds join before.orders using (order_id)
        where refunded_at >= '2026-04-01Z'
    """,
    "prices changed": """
        select count(*) from products join before.products as b using (product_id)
        where products.list_price <> b.list_price
    """,
    "products out of stock": """
        select count(*) from inventory join before.inventory as b using (product_id)
        where inventory.on_hand <= 0 and b.on_hand > 0
    """,
    "payments of earlier orders": """
        select count(*) from payments join before.orders using (order_id)
        where paid_at >= '2026-04-01Z'
    """,
    "accounts merged": """
        select count(*) from users join before.users as b using (user_id)
        where users.merged_into is not null and b.merged_into is null
    """,
    "orders of merged accounts": """
        select count(*) from orders join before.orders as b using (order_id)
        where orders.user_id <> b.user_id
    """,
    "ad spend corrected": """
        select count(*) from ad_spend join before.ad_spend as b using (spend_date, campaign_id)
        where ad_spend.amount <> b.amount
    """,
}


def test_what_happens_in_a_shop_happens_as_the_clock_moves_on(folder: Path) -> None:
    shop.up(folder, scale=1)
    query(folder, "create schema before")
    for table in shop.status(folder)["tables"]:
        if table["source"] == "shop":
            query(folder, f"create table before.{table['table']} as table {table['table']}")
    events = events_of(folder)

    said: list[str] = []
    shop.advance(folder, 20 * DAY, progress=said.append)

    counts = {what: query(folder, text)[0][0] for what, text in MEANWHILE.items()}
    assert [what for what, count in counts.items() if count == 0] == [], counts
    late = [
        event
        for key, event in events_of(folder).items()
        if key not in events and event["occurred_at"]["S"] < "2026-03-31T23:50"
    ]
    assert late
    assert all(event["received_at"]["S"] >= "2026-04-01" for event in late)
    # Everything that changed carries the clock's time, and what did not keeps its own.
    stamps = query(folder, "select updated_at::date, count(*) from orders group by 1 order by 1")
    assert [str(day) for day, _ in stamps] == ["2026-04-01", "2026-04-21"]
    assert any(line.startswith("orders: ") and "deleted" in line for line in said)


def events_of(folder: Path) -> dict[str, Any]:
    """Return the deliveries of campaign events."""
    return {item: json.loads(item) for item in content(folder)["campaign_events"]}


def test_a_stop_leaves_the_old_shop_or_the_new_one(
    folder: Path, daily: list[dict[str, list[Any]]]
) -> None:
    made_up(folder)
    day = 0
    for moment, is_old in (
        ("the shop goes on", True),
        ("changing the shop's tables", True),
        ("orders: ", False),
        ("making up visits", False),
        ("campaign_events: ", False),
    ):
        before = Place(folder).clock.read_text()
        with pytest.raises(StoppedError):
            shop.advance(folder, DAY, progress=stop_at(moment))
        # Until a command went through, the clock's file says no more than the stores hold.
        assert Place(folder).clock.read_text() == before

        shop.up(folder, scale=0.05)

        day += not is_old
        assert whole(folder) == daily[day], moment

    kill_9_at("making up visits", folder)
    shop.up(folder, scale=0.05)
    assert whole(folder) == daily[day + 1]

    # As where the system emptied its temporary folder, which may hold PostgreSQL's data.
    Place(folder).servers.delete()
    shop.up(folder, scale=0.05)
    assert whole(folder) == daily[day + 1]


def kill_9_at(moment: str, folder: Path) -> None:
    """Let a day pass by the command, and kill it when it says that it has come to `moment`."""
    command = [sys.executable, "-m", "cli.main", "demo", "advance", "--directory", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith(moment):
                break
        process.send_signal(signal.SIGKILL)
