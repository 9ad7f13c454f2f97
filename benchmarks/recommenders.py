"""Learn from 10 million interactions and recommend for everybody: run it by `make bench`.

100,000 items and 500,000 people, popularity after Zipf, sessions of about five events, each within
one of 2,000 themes for the most part. Prints what each step costs, the seconds on the clock and of
all processors, and the peak of memory so far. SCALE=0.1 makes a tenth of everything. With
IMPLICIT_PYTHON (see recommender_quality.py) implicit's item-item learns from the same matrix.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from analytics.recommenders import (
    Interactions,
    histories,
    interactions,
    item_item,
    popularity,
    session_knn,
    trending,
    user_user,
)
from analytics.recommenders.history import incidence
from analytics.recommenders.popularity import DAY

SCALE = float(os.environ.get("SCALE", "1"))
EVENTS, ITEMS, PEOPLE = (int(count * SCALE) for count in (10_000_000, 100_000, 500_000))
THEMES = 2_000
R = TypeVar("R")
START = 1_767_225_600_000_000  # 2026-01-01 in microseconds
PEER = """
import sys, time
import numpy as np
from scipy.sparse import csr_matrix
from implicit.nearest_neighbours import CosineRecommender

given = np.load(sys.argv[1])
start, column = given["start"], given["column"]
ones = np.ones(len(column), dtype=np.float64)
known = csr_matrix((ones, column, start), shape=(len(start) - 1, int(given["items"])))
clock, processors = time.perf_counter(), time.process_time()
model = CosineRecommender(K=100)
model.fit(known, show_progress=False)
clock, processors = time.perf_counter() - clock, time.process_time() - processors
print(f"{'implicit: item-item, fit':44}{clock:9.1f} s{processors:9.1f} s")
"""


def made() -> Interactions:
    """Return interactions with a few best-sellers and themes that sessions stay in."""
    random = np.random.Generator(np.random.PCG64(8))
    sizes = np.maximum(random.lognormal(0, 1, PEOPLE), 0.05)
    actor = np.sort(random.choice(PEOPLE, EVENTS, p=sizes / sizes.sum()))
    session = np.cumsum((random.random(EVENTS) < 0.2) | (np.diff(actor, prepend=-1) > 0))
    popular = (1 / np.arange(1, ITEMS + 1) ** 0.9).cumsum()
    item = np.searchsorted(popular, random.random(EVENTS) * popular[-1])
    # Three in four events are about the theme of their session: the same rank, moved into it.
    theme = random.integers(THEMES, size=int(session[-1]) + 1)[session]
    within = ITEMS // THEMES
    themed = random.random(EVENTS) < 0.75
    item = np.where(themed, (item % max(within, 1)) * THEMES + theme, item) % ITEMS
    at = START + random.integers(180 * DAY, size=int(session[-1]) + 1)[session]
    at += np.arange(EVENTS) % 1000
    names = pa.array([f"product-{place:06}" for place in range(ITEMS)])
    people = pa.array([f"customer-{place:06}" for place in range(PEOPLE)])
    return interactions(
        people.take(pa.array(actor)),
        names.take(pa.array(item)),
        pa.array(at).cast(pa.timestamp("us", "UTC")),
        pa.array(session).cast(pa.string()),
    )


def timed(name: str, work: Callable[[], R]) -> R:
    """Return what the work returns, and print what it cost."""
    clock, processors = time.perf_counter(), time.process_time()
    result = work()
    clock, processors = time.perf_counter() - clock, time.process_time() - processors
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{name:44}{clock:9.1f} s{processors:9.1f} s{peak:7.1f} GiB", flush=True)
    return result


def main() -> None:
    """Print what each step costs."""
    print(f"{EVENTS:,} interactions, {ITEMS:,} items, {PEOPLE:,} people; clock, processors, peak")
    told = timed("columns to codes (with making them)", made)
    as_of = int(told.at.max())
    everybody = timed("histories of all people", lambda: histories(told, "actor"))
    items = np.arange(len(told.item_ids), dtype=np.int32)
    people = np.arange(len(told.actor_ids), dtype=np.int32)
    popular = timed("popularity: fit", lambda: popularity.fit(told, as_of, 30))
    timed("popularity: 20 for all people", lambda: popular.recommend(everybody, 20))
    timed("trending: fit", lambda: trending.fit(told, as_of))
    similar = timed("item-item: fit", lambda: item_item.fit(told))
    timed("item-item: 20 beside all items", lambda: similar.related(items, 20))
    timed("item-item: 20 for all people", lambda: similar.recommend(everybody, 20))
    alike = timed("user-user: fit", lambda: user_user.fit(told))
    timed("user-user: 20 neighbours of all people", lambda: alike.alike(people, 20))
    timed("user-user: 20 for all people", lambda: alike.recommend(everybody, 20))
    knn = timed("V-SKNN: fit", lambda: session_knn.fit(told))
    some = everybody.part(0, PEOPLE // 10)
    timed("V-SKNN: 20 for a tenth of all people", lambda: knn.recommend(some, 20))
    if python := os.environ.get("IMPLICIT_PYTHON"):
        beside(python, told)


def beside(python: str, told: Interactions) -> None:
    """Print what implicit's item-item costs on the same matrix."""
    known: Any = incidence(told, "actor")
    with tempfile.TemporaryDirectory() as scratch:
        given = Path(scratch, "given.npz")
        np.savez(given, items=known.width, start=known.start, column=known.column)
        subprocess.run([python, "-c", PEER, given], check=True, timeout=3600)


if __name__ == "__main__":
    sys.exit(main())
