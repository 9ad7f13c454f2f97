"""Measure the models that pair products, against implicit's item-item fit on the same interactions.

    python3.11 -m venv /tmp/implicit && /tmp/implicit/bin/pip install implicit==0.7.2 pyarrow
    IMPLICIT_PYTHON=/tmp/implicit/bin/python python benchmarks/product_pairs.py [INTERACTIONS ...]

Each size runs in a process of its own. The models run as dbt compiled them, on DuckDB with 2
threads, and between them the solver that counts, from interactions (one table) to
`recommendation.product_pairs`: all pairs of a visit's products that are together in 10 visits, with
all measures, both ways. implicit reads the same
interactions from Parquet, numbers them, fits CosineRecommender (K = 20, 2 threads) and saves it:
once on visits by products, which is what the models count, once on people by products, as it is
mostly used. Per 100 interactions there are 18 visits, 5 people and one product; half of the views
follow a popularity that falls by a power law, half stay in a cluster of 100 products of the person.
Without IMPLICIT_PYTHON only the models are measured. Then three days more follow, each as long as
the others of the year, with rows of earlier days that are late, or deleted: the same steps again,
and at last a count of everything, which has to come to the same.
"""

import os
import resource
import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.compiled_models import THREADS, Figures, Nodes, each_size
from orchestration import pair_counts

SIZES = (1_000_000, 3_000_000, 10_000_000)
BEFORE = ("int_recommendation__basket_rows", "int_recommendation__pair_terms")
AFTER = ("int_recommendation__pair_counts", "recommendation__product_pairs")
GIVEN = """
create table intermediate.int_recommendation__interactions as
with visits as (
    select i as visit, hash(i, 1) % (getvariable('interactions') // 20) as person,
        1 + hash(i, 2) % 10 as views
    from range(getvariable('interactions') * 2 // 11) as r(i)
),
views as (select visit, person, unnest(range(views::bigint)) as view from visits),
drawn as (
    select
        *, (hash(visit, view, 4) % 1000000) / 1000000.0 as draw,
        getvariable('interactions') // 100 as products
    from views
)
select
    'view' as kind, 'customer c' || person as actor_key, md5(visit::varchar) as session_id,
    null::varchar as cart_id, null::varchar as order_id,
    'product-' || case
        when hash(visit, view, 3) % 2 = 0 then (draw ** 3 * products)::bigint
        else hash(person) % (products // 100) * 100 + (draw ** 2 * 100)::bigint
    end as product_id,
    timestamptz '2026-01-01 00:00:00+00'
    -- as they come in, over a year
    + to_seconds(visit * 31536000 // (getvariable('interactions') * 2 // 11)) as occurred_at
from drawn
"""
# A day of a year: other visits as those of a former day, and some of ten days that come late or go.
DAY = """
create or replace temp table arriving as
select * replace (
    md5(session_id || getvariable('day')) as session_id,
    occurred_at + to_days(200 + getvariable('day')) as occurred_at
)
from intermediate.int_recommendation__interactions
where occurred_at::date = date '2026-06-15';
insert into arriving
select * replace (md5(session_id || 'late' || getvariable('day')) as session_id)
from intermediate.int_recommendation__interactions
where occurred_at >= timestamptz '2026-12-20 00:00:00+00'
    and hash(session_id, getvariable('day')) % 500 = 0;
delete from intermediate.int_recommendation__interactions
where occurred_at >= timestamptz '2026-12-20 00:00:00+00'
    and hash(session_id, getvariable('day')) % 1000 = 1;
insert into intermediate.int_recommendation__interactions from arriving
"""
COUNTED = "select count(*), bit_xor(hash(counted)) from recommendation.product_pairs as counted"
DAYS = 3
# implicit lives in a Python of its own. Prints seconds by the clock, and of the processors.
FIT = """
import sys, time
import numpy as np, pyarrow.parquet as pq
from scipy.sparse import coo_matrix
from implicit.nearest_neighbours import CosineRecommender

clock, processors = time.perf_counter(), time.process_time()
rows = pq.read_table(sys.argv[1], columns=[sys.argv[2], "product_id"])
encoded = [column.combine_chunks().dictionary_encode() for column in rows.columns]
codes = [column.indices.to_numpy() for column in encoded]
matrix = coo_matrix((np.ones(len(rows), np.float32), codes)).tocsr()
matrix.data[:] = 1
model = CosineRecommender(K=20, num_threads=2)
model.fit(matrix, show_progress=False)
model.save(sys.argv[3])
print(time.perf_counter() - clock, time.process_time() - processors)
"""


def build(nodes: Nodes, folder: Path, interactions: int) -> None:
    """Pair the products of one size, let implicit do so, and print what each took."""
    named = {node["name"]: node for node in nodes.values()}
    parquet, figures = folder / "interactions.parquet", Figures()
    with duckdb.connect(str(folder / "build.duckdb")) as connection:
        connection.execute(f"set threads = {THREADS}; set timezone = 'UTC'")
        connection.execute("set preserve_insertion_order = false; set memory_limit = '6GB'")
        connection.execute("create schema intermediate; create schema recommendation")
        connection.execute(f"set variable interactions = {interactions}")
        connection.execute(GIVEN)
        connection.execute(
            "copy (select actor_key, session_id, product_id"
            f" from intermediate.int_recommendation__interactions) to '{parquet}'"
        )
        steps: dict[str, Callable[[], object]] = {
            **{name: partial(make, connection, named[name]) for name in BEFORE},
            "solved.pair_counts": partial(pair_counts.solve, connection, pair_counts.PAIRS),
            **{name: partial(make, connection, named[name]) for name in AFTER},
        }
        for name, work in steps.items():
            figures.measure(name, work)
            figures.steps.append(name)
        [(pairs, most)] = connection.execute(
            "select count(*), max(n) from recommendation.product_pairs"
        ).fetchall()
        days = [a_day(connection, steps, day) for day in range(DAYS)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    clock, processors = figures.total(*figures.steps)
    print(
        f"{interactions:,} interactions, {most or 0:,} visits: {pairs:,} rows;"
        f" models {clock:.1f} s, processors {processors:.1f} s; peak memory {memory:.1f} GiB"
    )
    figures.tell_steps(len(steps))
    for day in days:
        taken = day.total(*day.steps)
        print(
            f"  a day: {taken[0]:.2f} s, processors {taken[1]:.2f} s;"
            f" {taken[0] / clock:.1%} of all, {taken[1] / processors:.1%} of processor time"
        )
        day.tell_steps(len(steps))
    if python := os.environ.get("IMPLICIT_PYTHON"):
        for matrix, column in (("visits", "session_id"), ("people", "actor_key")):
            taken = fitted(python, parquet, column, folder / "model.npz")
            print(
                f"  implicit on {matrix}: {taken[0]:.1f} s, processors {taken[1]:.1f} s; ratio"
                f" {clock / taken[0]:.2f}, of processor time {processors / taken[1]:.2f}"
            )


def a_day(
    connection: duckdb.DuckDBPyConnection, steps: Mapping[str, Callable[[], object]], day: int
) -> Figures:
    """Let a day come in, and return what the steps took; the last is held to a full count."""
    figures = Figures()
    connection.execute(f"set variable day = {day}")
    connection.execute(DAY)
    connection.execute("checkpoint")
    for name, work in steps.items():
        figures.measure(name, work)
        figures.steps.append(name)
    if day == DAYS - 1:
        found = connection.execute(COUNTED).fetchall()
        connection.execute("drop table solved.kept_terms")
        for work in steps.values():
            work()
        if found != connection.execute(COUNTED).fetchall():
            raise SystemExit("what the days added is not what a full count finds")
    return figures


def make(connection: duckdb.DuckDBPyConnection, node: Mapping[str, Any]) -> None:
    """Make a model."""
    kind = node["config"]["materialized"]
    name = f"{node['schema']}.{node['alias']}"
    connection.execute(f"create or replace {kind} {name} as {node['compiled_code']}")


def fitted(python: str, parquet: Path, column: str, saved: Path) -> tuple[float, float]:
    """Return what implicit takes to load, fit and save, by the clock and of the processors."""
    command = [python, "-c", FIT, str(parquet), column, str(saved)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    ended = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    clock, processors = map(float, ended.stdout.split())
    return clock, processors


if __name__ == "__main__":
    each_size(__file__, SIZES, build)
