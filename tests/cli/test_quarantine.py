"""`warehouse quarantine`: what the last run left is listed and shown, and can be discarded."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from extractors.package import Column, PackageWriter
from tests.cli.command import Command

CONFIGURATION = """
load: { max_quarantined_share: 1 }
sources:
  shop:
    kind: postgres
    dsn: postgresql://a:b@127.0.0.1:1/shop
    tables: { orders: { key: [id] }, users: { key: [id] } }
"""
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def land(landing: Path, table: str, *keys: str) -> Path:
    """Land a package that holds rejected rows only."""
    with PackageWriter(landing, "shop", "main", table) as writer:
        writer.quarantine(
            [
                {
                    "reason": "key is null",
                    "field": "id",
                    "row_key": f'["{key}"]',
                    "payload": f'{{"id": "{key}"}}',
                }
                for key in keys
            ]
        )
        writer.commit(
            mode="full",
            key=["id"],
            columns=[Column("id", "VARCHAR", "id", "text")],
            from_=None,
            to={"at": 1},
            source_position=1,
            complete_up_to=NOON,
        )
    return writer.directory


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Return the command where two orders and a user were rejected."""
    warehouse = Command(tmp_path_factory.mktemp("rejected"))
    (warehouse.directory / "warehouse.yml").write_text(CONFIGURATION)
    landing = warehouse.directory / "var" / "landing"
    land(landing, "users", "u1")
    loaded = warehouse("load", str(land(landing, "orders", "o1", "o2")))
    assert loaded.returncode == 0, loaded.stderr
    return warehouse


def listed(shop: Command, *arguments: str) -> list[dict[str, Any]]:
    return json.loads(shop("quarantine", "list", *arguments, "--json").stdout)


def test_rejected_rows_are_counted_shown_and_discarded_for_a_reason(shop: Command) -> None:
    counted = [(group["entity"], group["rows"], group["decision"]) for group in listed(shop)]
    assert counted == [("orders", 2, "open"), ("users", 1, "open")]
    shown: list[dict[str, Any]] = json.loads(
        shop("quarantine", "show", "shop.orders", "--json").stdout
    )
    assert [row["payload"] for row in shown] == ['{"id": "o1"}', '{"id": "o2"}']
    text = shop("quarantine", "show", "shop", "--limit", "1").stdout
    assert 'payload  {"id": "o1"}' in text
    assert text.endswith("and 2 more; --limit 3 shows them\n")
    identity = str(shown[0]["quarantine_id"])
    discarded = shop("quarantine", "discard", identity[:7], "--why", "a test order")
    assert discarded.stdout == f"{identity}: discarded\n"
    assert [group["rows"] for group in listed(shop)] == [1, 1]
    assert [group["decision"] for group in listed(shop, "shop.orders", "--all")] == [
        "discarded",
        "open",
    ]
    assert "a test order" in shop("quarantine", "show", identity).stdout


def test_what_cannot_be_meant_is_said_in_one_line(shop: Command) -> None:
    line = shop.fails(2, "quarantine", "show", "ffff")
    assert line.startswith("error: ffff: no rejected row has an ID that begins so; `warehouse")
    assert "no source shpo in warehouse.yml; did you mean shop?" in shop.fails(
        2, "quarantine", "replay", "shpo.orders"
    )
    assert shop.fails(2, "quarantine", "discard", "ffff").startswith("error: Missing option")


def test_nothing_rejected_is_said_too(warehouse: Command) -> None:
    (warehouse.directory / "warehouse.yml").write_text(CONFIGURATION)
    assert warehouse("quarantine", "list").stdout == "no open rejected rows\n"
    assert json.loads(warehouse("quarantine", "show", "--json").stdout) == []
