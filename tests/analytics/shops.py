"""Random interactions, and lists as text."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from analytics.recommenders import Interactions, Lists, interactions

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Row = tuple[str, str, str | None, datetime, float]


def random_rows(seed: int, actors: int = 12, items: int = 9, rows: int = 90) -> list[Row]:
    draw = random.Random(seed)
    found: list[Row] = []
    for _ in range(rows):
        actor = draw.randrange(actors)
        session = f"s{actor}-{draw.randrange(3)}" if draw.random() < 0.9 else None
        at = NOON - timedelta(minutes=draw.randrange(100_000))
        weight = draw.choice([1.0, 2.0, 5.0])
        found.append((f"a{actor}", f"i{draw.randrange(items)}", session, at, weight))
    return found


def told(rows: list[Row], catalogue: list[str] | None = None) -> Interactions:
    actor, item, session, at, weight = zip(*rows, strict=True) if rows else ((),) * 5
    return interactions(
        pa.array(actor, pa.string()),
        pa.array(item, pa.string()),
        pa.array(at, pa.timestamp("us", "UTC")),
        pa.array(session, pa.string()),
        pa.array(weight, pa.float64()),
        None if catalogue is None else pa.array(catalogue, pa.string()),
    )


def named(lists: Lists, data: Interactions) -> dict[int, list[tuple[str, float, str | None, int]]]:
    """Return the lists by row: item, score, reason, n."""
    ids = data.item_ids.to_pylist()
    found: defaultdict[int, list[tuple[str, float, str | None, int]]] = defaultdict(list)
    for row, rank, item, score, reason, n in zip(
        lists.row, lists.rank, lists.item, lists.score, lists.reason, lists.n, strict=True
    ):
        assert rank == len(found[row]) + 1
        why = None if reason < 0 else ids[reason]
        found[int(row)].append((ids[item], float(score), why, int(n)))
    return dict(found)
