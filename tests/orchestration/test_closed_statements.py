"""A closed month of affiliates stays as it was closed, whatever the demo shop lives through."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from extractors.errors import ConfigError
from tests.orchestration.random_shop import affiliate_models
from tests.shops import Shop
from warehouse import config
from warehouse.config import Settings
from warehouse.ledger import payouts, statement_lines, statements
from warehouse.ledger.payout_calendar import first_of_next

DAYS = 90
# In so many runs: fewer take less time, and each then sees more days at once.
RUNS = int(os.environ.get("SOAK_RUNS", "9"))
# What the shop does about months that are closed by then, beside what comes late by itself.
CORRECTIONS = (
    # a plan that was wrong from the beginning on
    "update commission_plans set rate = rate * 2 where affiliate_id is null",
    # orders of long ago, cancelled and deleted
    "update orders set status = 'cancelled' where order_id in (select order_id from orders where"
    " status <> 'cancelled' and ordered_at < '2026-02-15' order by order_id limit 40)",
    "insert into refunds (refund_id, refund_document_id, order_id, order_line_id, product_id,"
    " quantity, unit_price, amount, currency, refunded_at, updated_at)"
    " select 'late ' || order_line_id, 'late', order_id, order_line_id, product_id, 1, unit_price,"
    " unit_price, currency, ordered_at + interval '1 day', now() from order_lines"
    " inner join orders using (order_id) where ordered_at < '2026-02-15' and quantity > 0"
    " and unit_price > 0 and order_line_id not in"
    " (select order_line_id from refunds where order_line_id is not null)"
    " order by order_line_id limit 60",
)
Row = dict[str, Any]


def settings_of(shop: Shop) -> Settings:
    return config.load(shop.directory / "warehouse.yml")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Yield a demo shop whose warehouse has the marts of affiliates only."""
    shop = Shop(tmp_path)
    shop.command("demo", "up", "--scale", "0.1")
    affiliate_models(tmp_path / "project")
    path = tmp_path / "warehouse.yml"
    _, _, text = path.read_text().partition("\n")  # the line that says the file is the demo's
    path.write_text(text.replace("  home: ./var\n", "  home: ./var\n  dbt_project: ./project\n"))
    yield shop
    shop.command("demo", "down", "--delete")


def corrected(shop: Shop, statement: str) -> None:
    found = re.search(
        r"^SHOP_PRIMARY_DSN=['\"]?([^'\"\n]+)", (shop.directory / ".env").read_text(), re.MULTILINE
    )
    assert found
    with psycopg.connect(found.group(1), autocommit=True) as connection:
        assert connection.execute(statement.encode()).rowcount > 0, statement


def close(shop: Shop) -> None:
    """Close every month that can be closed."""
    state = settings_of(shop).state_directory
    last = statements.closed_through(state)
    period = first_of_next(last) if last else date(2026, 1, 1)
    with suppress(ConfigError):  # the month's holds are not over, or it has no entries
        while period < date(2027, 1, 1):
            if last is None:
                with suppress(ConfigError):
                    statements.close(settings_of(shop), period)
                    last = period
            else:
                statements.close(settings_of(shop), period)
            period = first_of_next(period)


def closed(shop: Shop) -> dict[str, Row]:
    """Return all closed statements, each proved by its posted lines."""
    settings = settings_of(shop)
    found = {row["statement_number"]: row for row in statements.closed(settings.state_directory)}
    for number in found:
        statement_lines.read(settings, number)  # AuditError where the hash is another
    return found


@pytest.mark.soak
def test_closed_statements_stay_for_ninety_days_through_corrections_refresh_and_restore(
    shop: Shop, tmp_path: Path
) -> None:
    shop.command("run")
    close(shop)
    first = closed(shop)
    assert first, "no month could be closed: nothing would be shown"
    known = dict(first)
    moved = 0
    for number in range(RUNS):
        shop.command("demo", "advance", "--days", str(DAYS // RUNS))
        for statement in CORRECTIONS if number == 0 else ():
            corrected(shop, statement)
        if number == RUNS // 2:  # a full refresh: everything is read and built anew
            (tmp_path / "var" / "build.duckdb").unlink()
        before = len(shop.query("select entry_id from affiliate.commission_ledger"))
        shop.command("run")
        moved += len(shop.query("select entry_id from affiliate.commission_ledger")) - before
        now = closed(shop)
        assert {name: now[name] for name in known} == known
        close(shop)
        known = closed(shop)
    assert moved > 100
    assert len(known) > len(first)
    payable = payouts.payable_now(settings_of(shop))
    assert payable
    shop.command("backup", str(tmp_path / "backups"))
    lost = tmp_path / "lost"
    lost.mkdir()
    for name in ("build.duckdb", "landing", "published", "state"):
        (tmp_path / "var" / name).rename(lost / name)
    shop.command("restore", str(tmp_path / "backups"))
    assert closed(shop) == known
    shop.command("run")
    assert closed(shop) == known
    assert payouts.payable_now(settings_of(shop)) == payable
    told = shop.query("select statement_number, content_hash from affiliate.statements")
    assert {name: row["content_hash"] for name, row in known.items()}.items() <= set(told)
