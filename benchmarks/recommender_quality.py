"""Recommend on real orders and sessions beside `implicit`, on the same split: run by `make bench`.

Prints recall, MRR, NDCG and coverage at 20 of ours and of implicit's ItemItem cosine, ALS and BPR,
and whether our item-item recommends the same as its cosine. The peer runs in its own environment:

    python3.11 -m venv /tmp/implicit && /tmp/implicit/bin/pip install implicit
    IMPLICIT_PYTHON=/tmp/implicit/bin/python PYTHONPATH=. python benchmarks/recommender_quality.py

Without IMPLICIT_PYTHON only ours are measured.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

# Left at implicit's defaults but for what must be the same, or is seeded.
PEER = """
import sys, time
import numpy as np
from scipy.sparse import csr_matrix
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import CosineRecommender

given = np.load(sys.argv[1])
def matrix(name):
    start, column = given[name + "_start"], given[name + "_column"]
    ones = np.ones(len(column), dtype=np.float64)
    return csr_matrix((ones, column, start), shape=(len(start) - 1, int(given["items"])))
known, asked, who = matrix("known"), matrix("asked"), given["who"]
models = {
    "cosine K=20": CosineRecommender(K=20),
    "cosine K=101": CosineRecommender(K=101),
    "cosine all": CosineRecommender(K=known.shape[1]),
    "ALS 64": AlternatingLeastSquares(factors=64, random_state=0, num_threads=1),
}
if len(who):
    models["BPR 64"] = BayesianPersonalizedRanking(factors=64, random_state=0, num_threads=1)
found = {}
for name, model in models.items():
    began = time.perf_counter()
    model.fit(known, show_progress=False)
    more = {"recalculate_user": True} if name.startswith("ALS") and not len(who) else {}
    rows = who if len(who) else np.arange(asked.shape[0])
    ids, scores = [], []
    for first in range(0, len(rows), 1000):
        some = slice(first, first + 1000)
        part = model.recommend(rows[some], asked[some], N=20, **more)
        ids.append(part[0])
        scores.append(part[1])
    found[name + "|ids"], found[name + "|scores"] = np.concatenate(ids), np.concatenate(scores)
    print(f"    implicit {name}: {time.perf_counter() - began:.1f} s", file=sys.stderr)
np.savez(sys.argv[2], **found)
"""


def main() -> None:
    """Print both tables."""
    from tests.analytics import recommender_quality as quality

    folder = Path(os.environ.get("WAREHOUSE_SHARED_DATA", "../shared/data"))
    if not folder.exists():
        print(f"no real data at {folder}; name its folder in WAREHOUSE_SHARED_DATA")
        return
    for name, by, trial, models in (
        ("orders", "actor", quality.orders(folder), quality.of_orders),
        ("sessions", "session", quality.clicks(folder), quality.of_clicks),
    ):
        print(f"{name}: {len(trial.cases)} cases; recall, MRR, NDCG and coverage at 20")
        for label, result in quality.outcomes(trial, models(trial)).items():
            print("  " + quality.row(label, result))
        if python := os.environ.get("IMPLICIT_PYTHON"):
            beside(python, by, trial)
    if "IMPLICIT_PYTHON" not in os.environ:
        print("set IMPLICIT_PYTHON for the peer; see the head of benchmarks/recommender_quality.py")


def beside(python: str, by: Any, trial: Any) -> None:
    """Print what implicit does with the same matrix, and how its cosine compares with ours."""
    from analytics.recommenders import evaluation, item_item
    from analytics.recommenders.history import incidence
    from tests.analytics import recommender_quality as quality

    known = incidence(trial.known, by)
    asked = trial.cases.told.strengths(known.width)
    with tempfile.TemporaryDirectory() as scratch:
        given, taken = Path(scratch, "given.npz"), Path(scratch, "taken.npz")
        np.savez(
            given,
            items=known.width,
            known_start=known.start,
            known_column=known.column,
            asked_start=asked.start,
            asked_column=asked.column,
            who=trial.cases.told.actor if by == "actor" else np.zeros(0, dtype=np.int32),
        )
        subprocess.run([python, "-c", PEER, given, taken], check=True, timeout=900)
        found: dict[str, Any] = dict(np.load(taken))
    for label in (name.removesuffix("|ids") for name in found if name.endswith("|ids")):
        lists = theirs(found[f"{label}|ids"], found[f"{label}|scores"], label)
        result = evaluation.outcome(lists, trial.cases)
        print("  " + quality.row(f"implicit {label}", result))
    for label, summed in (("cosine all", known.width), ("cosine K=20", item_item.SUMMED)):
        model = item_item.fit(trial.known, by, neighbours=known.width, summed=summed)
        peers = theirs(found[f"{label}|ids"], found[f"{label}|scores"], label)
        print(f"  implicit {label}: {same(model.recommend(trial.cases.told, 20), peers, asked)}")


def theirs(ids: Any, scores: Any, label: str) -> Any:
    """Return implicit's lists as ours; a cosine of 0 recommends nothing, nor does padding."""
    from analytics.recommenders.lists import unexplained

    listed = ids >= 0
    if label.startswith("cosine"):
        listed &= scores > 0
    row = np.nonzero(listed)[0]
    ones = np.ones(len(row), dtype=np.int64)
    return unexplained(row, ids[listed].astype(np.int32), scores[listed].astype(np.float64), ones)


def same(ours: Any, peers: Any, asked: Any) -> str:
    """Return in how many lists scores and items agree, but for ties of the last score."""
    scores = items = 0
    for row in range(len(asked)):
        mine, other = (
            (lists.item[where], lists.score[where])
            for lists in (ours, peers)
            for where in [slice(*np.searchsorted(lists.row, [row, row + 1]))]
        )
        agree = len(mine[1]) == len(other[1]) and np.allclose(mine[1], other[1], rtol=1e-9)
        scores += agree
        last = mine[1].min(initial=np.inf) * (1 + 1e-9)
        before_ties = [set(each[0][each[1] > last].tolist()) for each in (mine, other)]
        items += agree and before_ties[0] == before_ties[1]
    return f"{scores} of {len(asked)} lists have our scores, {items} our items before the last tie"


if __name__ == "__main__":
    sys.exit(main())
