"""Bring the planted cases for e-mail triggers among the items and answers, cut at the clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from demo.draws import key_of
from demo.history import History
from demo.scenario_rows import EVENT_TRUTH, PREFIX, Scenarios

pc: Any = pyarrow.compute

HALF_HOUR = timedelta(minutes=30)


def with_planted_items(
    items: dict[str, pa.Table], scenarios: Scenarios, now: int
) -> dict[str, pa.Table]:
    """Return the items and those of the cases that were stored before `now` (milliseconds)."""
    found = dict(items)
    for entity, table in scenarios.activity.items():
        there = table.filter(pc.less(table.column("written_at"), now)).drop_columns("written_at")
        known = [items[entity]] if entity in items else []
        found[entity] = pa.concat_tables([*known, there], promote_options="default")
    return found


def with_planted_answers(
    truth: dict[str, pa.Table], scenarios: Scenarios, history: History
) -> dict[str, pa.Table]:
    """Return the answers and those about the cases: events, visits, browsers and triggers."""
    events = _events(scenarios, history)
    session = [f"{key_of(f'{v}/{at}'):016x}" for v, at in _visits(events)]
    events = events.append_column("session_id", pa.array(session, pa.string()))
    added = {
        "events": events.select(["event_id", "entity", "session_id", "person"]),
        "sessions": _sessions(events),
        "visitors": events.filter(pc.is_valid(events.column("person")))
        .group_by(["visitor_id", "person"])
        .aggregate([])
        .rename_columns(["visitor_id", "customer_id"]),
    }
    found = {
        name: pa.concat_tables([table, added[name]]) if name in added else table
        for name, table in truth.items()
    }
    cases = scenarios.truth
    # A case is told once its evidence is there: before, there is nothing to be right about.
    known = pc.is_in(cases.column("evidence_id"), events.column("event_id").combine_chunks())
    happened = pc.less(cases.column("evidence_at"), _instant(history.now))
    return found | {"triggers": cases.filter(pc.and_(known, happened))}


def _events(scenarios: Scenarios, history: History) -> pa.Table:
    """Return the cases' events that are stored, their orders among them, by browser and time."""
    events = scenarios.events
    orders = history.orders
    is_theirs = pc.starts_with(pc.fill_null(orders.column("user_id"), ""), PREFIX)
    placed = orders.filter(pc.and_(is_theirs, pc.is_valid(orders.column("visitor_id"))))
    at = placed.column("ordered_at").cast(pa.timestamp("ms", "UTC"))
    bought = pa.table(
        [
            placed.column("order_id"),
            pa.repeat("orders", placed.num_rows),
            placed.column("visitor_id"),
            placed.column("user_id"),
            at,
            at,
        ],
        schema=EVENT_TRUTH,
    )
    every = pa.concat_tables([events, bought])
    there = every.filter(pc.less(every.column("written_at"), _instant(history.now)))
    return there.sort_by([("visitor_id", "ascending"), ("at", "ascending")])


def _visits(events: pa.Table) -> list[tuple[str, datetime]]:
    """Return browser and begin of each event's visit; half an hour of silence ends one."""
    found: list[tuple[str, datetime]] = []
    browser, last = "", datetime.min.replace(tzinfo=UTC)
    pairs = zip(
        events.column("visitor_id").to_pylist(), events.column("at").to_pylist(), strict=True
    )
    for visitor, at in pairs:
        prolongs = visitor == browser and at - last <= HALF_HOUR
        found.append(found[-1] if prolongs else (visitor, at))
        browser, last = visitor, at
    return found


def _sessions(events: pa.Table) -> pa.Table:
    is_click = pc.equal(events.column("entity"), "product_events")
    counted = (
        events.append_column("click", is_click.cast(pa.int64()))
        .group_by(["session_id", "visitor_id", "person"])
        .aggregate([("at", "min"), ("at", "max"), ("at", "count"), ("click", "sum")])
    )
    count = counted.num_rows
    return pa.table(
        {
            "session_id": counted.column("session_id"),
            "visitor_id": counted.column("visitor_id"),
            "person": counted.column("person"),
            "started_at": counted.column("at_min"),
            "ended_at": counted.column("at_max"),
            "events": counted.column("at_count"),
            "clicks": counted.column("click_sum"),
            "channel": pa.repeat("direct", count),
            "campaign_id": pa.repeat("(none)", count),
            "is_bot": pa.array(np.zeros(count, bool)),
        }
    )


def _instant(at: datetime) -> pa.Scalar:
    return pa.scalar(at, pa.timestamp("ms", "UTC"))
