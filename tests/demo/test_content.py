"""A shop of the earlier months is a part of the shop of all months."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyarrow import compute

from demo.changes import changes
from demo.content import Content
from demo.generate import made_lines
from demo.orders_file import read_lines
from demo.state import Arguments, State, clock_after

PART = "part"
REAL = Arguments(orders="sha", clicks=None, scale=1, seed=1)
MADE = Arguments(orders="made", clicks=None, scale=1, seed=1)


def before(lines: pa.Table, until: str) -> pa.Table:
    """Return the lines before a London wall-clock time."""
    cut = pa.scalar(datetime.fromisoformat(until), pa.timestamp("us"))
    return lines.filter(compute.less(lines.column("invoiced_at"), cut))


def content_of(lines: pa.Table, arguments: Arguments) -> Content:
    """Return the shop whose only part is `lines`, at midnight after the last of them."""
    state = State(clock_after(lines), None, (PART,))
    return Content(arguments, state, {PART: lines}.__getitem__)


def items_of(content: Content) -> list[dict[str, Any]]:
    """Return the items of both tables."""
    return [item for items in content.items().values() for item in items]


def assert_grown(early: Content, late: Content) -> None:
    """Check that nothing of the early shop is lost or decided anew in the late one."""
    for name, (key, kept) in {
        "users": ("user_id", "email, birth_date, gender, created_at, marketing_consent"),
        "products": ("product_id", "brand, created_at"),
        "orders": ("order_id", "*"),
        "order_lines": ("order_line_id", "*"),
        "refunds": ("refund_id", "*"),
        "campaigns": ("campaign_id", "*"),
        "ad_spend": ("spend_date, campaign_id", "*"),
    }.items():
        with duckdb.connect() as connection:
            connection.register("early", early.rows[name])
            connection.register("late", late.rows[name])
            lost = connection.execute(
                f"select {key}, {kept} from early except all select {key}, {kept} from late"
            ).fetchall()
        assert lost == [], name
    there = Counter(map(repr, items_of(early)))
    assert not there - Counter(map(repr, items_of(late)))


@pytest.mark.parametrize("until", ["2026-01-20 00:00", "2026-02-28 12:31", "2026-03-29 01:30"])
def test_later_documents_decide_nothing_anew(until: str) -> None:
    lines = made_lines(seed=1)

    assert_grown(content_of(before(lines, until), MADE), content_of(lines, MADE))


def test_later_real_months_decide_nothing_anew(shared_data: Path) -> None:
    lines = read_lines(shared_data / "online_retail_2010-12-01_2011-08-31.parquet")
    late = content_of(lines, REAL)

    assert_grown(content_of(before(lines, "2011-08-01"), REAL), late)

    assert 9_000 <= len(items_of(late)) <= 12_000


def test_only_rows_that_differ_are_written() -> None:
    lines = made_lines(seed=1, scale=0.1)
    early, late = content_of(before(lines, "2026-03-01"), MADE), content_of(lines, MADE)

    same = changes(late.rows, late.rows).values()
    assert all(change.written.num_rows == change.deleted.num_rows == 0 for change in same)
    changed = changes(early.rows, late.rows)
    assert (
        changed["orders"].written.num_rows
        == late.rows["orders"].num_rows - early.rows["orders"].num_rows
    )
    assert 0 < changed["products"].written.num_rows < late.rows["products"].num_rows


def test_events_come_late_and_twice_now_and_then() -> None:
    events = content_of(made_lines(seed=1), MADE).items()["campaign_events"]
    deliveries = Counter(event["event_id"]["S"] for event in events)
    late = [event for event in events if _delay(event) > 300]

    assert 0.002 < sum(count > 1 for count in deliveries.values()) / len(deliveries) < 0.02
    assert 0.003 < len(late) / len(events) < 0.03
    assert max(map(_delay, events)) < 3 * 86_400 + 700
    keys = {(event["event_id"]["S"], event["received_at"]["S"]) for event in events}
    assert len(keys) == len(events)
    assert {event["event_type"]["S"] for event in events} == {
        *("impression", "ad_click", "landing_view", "link_click")
    }
    assert any("customer_id" not in event for event in events)
    assert any("customer_id" in event for event in events)


def _delay(event: dict[str, dict[str, Any]]) -> float:
    occurred, received = (
        datetime.fromisoformat(event[name]["S"]) for name in ("occurred_at", "received_at")
    )
    return (received - occurred).total_seconds()
