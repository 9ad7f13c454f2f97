"""What recommenders are worth on real orders and clicks: the page that says so.

`make docs-recommenders` writes it; a test compares it with what the recommenders do.
"""

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from analytics.recommenders import (
    Interactions,
    Recommender,
    blend,
    cases,
    evaluation,
    interactions,
    item_item,
    popularity,
    session_knn,
    trending,
    user_user,
)
from analytics.recommenders.cases import Cases
from analytics.recommenders.evaluation import Figure, Outcome

pc: Any = pyarrow.compute
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "recommendation-evaluation.md"
SEED = "evaluation"
SECOND = 1_000_000
HEAD = (
    "| recommender | recall (95 %) | MRR (95 %) | NDCG (95 %) | coverage |",
    "|---|---:|---:|---:|---:|",
)
# Copied from what benchmarks/recommender_quality.py prints with IMPLICIT_PYTHON.
IMPLICIT_ORDERS = (
    (
        "item-item, cosine, K=20",
        *("0.138 (0.121 to 0.156)", "0.223 (0.199 to 0.249)", "0.121 (0.107 to 0.134)", "0.34"),
    ),
    (
        "item-item, cosine, K=101",
        *("0.117 (0.102 to 0.133)", "0.184 (0.163 to 0.206)", "0.103 (0.091 to 0.115)", "0.22"),
    ),
    (
        "ALS, 64 factors",
        *("0.124 (0.107 to 0.140)", "0.209 (0.186 to 0.234)", "0.108 (0.096 to 0.120)", "0.25"),
    ),
    (
        "BPR, 64 factors",
        *("0.095 (0.082 to 0.111)", "0.146 (0.126 to 0.165)", "0.079 (0.070 to 0.090)", "0.55"),
    ),
)
IMPLICIT_CLICKS = (
    (
        "item-item, cosine, K=20",
        *("0.486 (0.470 to 0.500)", "0.135 (0.129 to 0.142)", "0.211 (0.203 to 0.219)", "1.00"),
    ),
    (
        "item-item, cosine, K=101",
        *("0.484 (0.470 to 0.498)", "0.136 (0.130 to 0.142)", "0.211 (0.204 to 0.219)", "1.00"),
    ),
    (
        "ALS, 64 factors",
        *("0.282 (0.271 to 0.294)", "0.078 (0.073 to 0.083)", "0.122 (0.116 to 0.128)", "0.94"),
    ),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """Interactions, the window that is asked for, what may be learned from, and its cases."""

    told: Interactions
    known: Interactions
    start: int
    cases: Cases


def micro(text: str) -> int:
    """Return a day's beginning in UTC in microseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def orders(folder: Path) -> Trial:
    """Return the online shop's customers and orders; August 2011 is asked for.

    Left out are cancellations, lines without a customer, and codes that are no article (five digits
    and at most letters). Letter case of codes differs at times and tells nothing.
    """
    table = pyarrow.parquet.read_table(folder / "online_retail_2010-12-01_2011-08-31.parquet")
    code = pc.utf8_upper(table["StockCode"])
    customer = pc.cast(table["CustomerID"], pa.string())
    kept = pc.and_(pc.match_substring_regex(code, "^[0-9]{5}"), pc.greater(table["Quantity"], 0))
    kept = pc.and_(kept, pc.fill_null(pc.not_equal(customer, ""), fill_value=False))
    told = interactions(
        customer.filter(kept),
        code.filter(kept),
        table["InvoiceDate"].filter(kept),
        pc.cast(table["InvoiceNo"], pa.string()).filter(kept),
    )
    start, end = micro("2011-08-01"), micro("2011-09-01")
    return Trial(told, cases.before(told, start), start, cases.next_orders(told, start, end))


def clicks(folder: Path) -> Trial:
    """Return the clothing shop's sessions; those that began on or after 17 June 2008 are asked for.

    The publisher gives a day and the order of clicks: click n of a session is taken to be n seconds
    into its day. Sessions of a day thus end together but for their lengths.
    """
    options = pyarrow.csv.ParseOptions(delimiter=";")
    name = "eshop_clickstream_2008-04-01_2008-06-30.csv.gz"
    table = pyarrow.csv.read_csv(folder / name, parse_options=options)
    session = pc.cast(table["session ID"], pa.string())
    day = [
        micro(f"{year:04}-{month:02}-{day:02}")
        for year, month, day in zip(
            *(table[n].to_pylist() for n in ("year", "month", "day")), strict=True
        )
    ]
    at = np.array(day) + table["order"].to_numpy() * SECOND
    item = table["page 2 (clothing model)"]
    told = interactions(session, item, pa.array(at).cast(pa.timestamp("us", "UTC")), session)
    start, end = micro("2008-06-17"), micro("2008-07-01")
    return Trial(told, cases.before(told, start), start, cases.next_items(told, start, end))


def of_orders(trial: Trial) -> dict[str, Recommender]:
    """Return what is compared on orders."""
    known = trial.known
    together, alike = item_item.fit(known, measure="llr"), user_user.fit(known)
    recent = popularity.fit(known, trial.start, half_life=30)
    return {
        "popularity": popularity.fit(known),
        "popularity, half-life 30 days": recent,
        "trending": trending.fit(known, trial.start),
        "item-item, cosine by customer": item_item.fit(known),
        "item-item, cosine by customer, 100 summed": item_item.fit(known, summed=100),
        "item-item, LLR by customer": together,
        "item-item, cosine by order": item_item.fit(known, "session"),
        "item-item, LLR by order": item_item.fit(known, "session", "llr"),
        "user-user": alike,
        "V-SKNN": session_knn.fit(known),
        "blend": blend.Blend(((together, 0.45), (alike, 0.45), (recent, 0.1))),
    }


def of_clicks(trial: Trial) -> dict[str, Recommender]:
    """Return what is compared on sessions."""
    known = trial.known
    return {
        "popularity": popularity.fit(known, by="session"),
        "popularity, half-life 7 days": popularity.fit(known, trial.start, 7, "session"),
        "item-item, cosine": item_item.fit(known, "session"),
        "item-item, LLR": item_item.fit(known, "session", "llr"),
        "V-SKNN": session_knn.fit(known),
    }


def outcomes(trial: Trial, models: dict[str, Recommender]) -> dict[str, Outcome]:
    """Return what each is worth."""
    return {name: evaluation.evaluate(model, trial.cases) for name, model in models.items()}


def figure(found: list[Figure], metric: str, k: int) -> Figure:
    """Return one of the figures."""
    return next(each for each in found if (each.metric, each.k) == (metric, k))


def row(name: str, result: Outcome) -> str:
    """Return a line of a table."""
    found = evaluation.figures(result, SEED)
    told = [figure(found, metric, 20) for metric in ("recall", "mrr", "ndcg")]
    cells = [f"{each.value:.3f} ({each.lower:.3f} to {each.upper:.3f})" for each in told]
    return f"| {name} | {' | '.join(cells)} | {figure(found, 'coverage', 20).value:.2f} |"


def factor(result: Outcome, baseline: Outcome, metric: str) -> float:
    """Return how many times the baseline's measure at 20 is reached."""
    one, other = (figure(evaluation.figures(o, SEED), metric, 20) for o in (result, baseline))
    return one.value / other.value


def better(one: Outcome, other: Outcome) -> str:
    """Return by how much the first has the greater recall at 20, case by case."""
    found = figure(evaluation.differences(one, other, SEED), "recall", 20)
    return f"{found.value:+.3f} ({found.lower:+.3f} to {found.upper:+.3f})"


def table(results: dict[str, Outcome]) -> str:
    """Return a table of all that is compared."""
    return "\n".join([*HEAD, *(row(name, result) for name, result in results.items())])


def peers(rows: tuple[tuple[str, ...], ...]) -> str:
    """Return a table of what implicit does on the same split."""
    return "\n".join([*HEAD, *(f"| {' | '.join(cells)} |" for cells in rows)])


def page(folder: Path) -> tuple[str, dict[str, Outcome], dict[str, Outcome]]:
    """Return the page as the recommenders say it, and what they are worth on orders and clicks."""
    bought, clicked = orders(folder), clicks(folder)
    on_orders = outcomes(bought, of_orders(bought))
    on_clicks = outcomes(clicked, of_clicks(clicked))
    popular, knn = on_clicks["popularity"], on_clicks["V-SKNN"]
    text = f"""# Recommenders, measured by what people did next

Written by `make docs-recommenders` from real orders and real clicks; a test compares this page with
what the recommenders do. Nothing here comes from the demo, which plants what goes together.

V-SKNN meets the next click within 20 items {factor(knn, popular, "recall"):.2f} times as often as
popularity does, and its mean reciprocal rank is {factor(knn, popular, "mrr"):.2f} times as great.

## How it is measured

- **Strictly by time.** A recommender learns from what happened before a moment and is asked about a
  window that begins there. No parameter was chosen on the windows below.
- **What is new.** What somebody already had is not recommended, and finding it again earns nothing.
- **Beside popularity**, on the same cases. `recommendation.evaluation` does the same for a shop.
- **With intervals.** 95 %, by drawing the customers or sessions anew 1,000 times from a fixed seed.
  All cases of a session are drawn together: they say less than as many sessions would.
- **With a detector of leaks.** Where all times, and with them customers and sessions, are dealt to
  the items anew, popularity stays what it was and nothing follows from anything. An honest
  recommender then has no advantage over popularity; one that has seen the window keeps it. A test
  does both.

*recall*: the share of what they did next that is in the list; *MRR*: one over the rank of the first
hit; *NDCG*: the gain of the hits, discounted by rank; *coverage*: the share of all items that
is shown to anybody. All at 20.

## A customer's next order

Online Retail (UCI 352): {len(bought.told.at):,} lines of {len(bought.told.actor_ids):,} customers
and {len(bought.told.item_ids):,} articles. Learned: December 2010 to July 2011. Asked: the new
articles in the first order in August of {len(bought.cases)} customers who had ordered before.

{table(on_orders)}

Item-item by LLR against popularity with a half-life, recall case by case:
{better(on_orders["item-item, LLR by customer"], on_orders["popularity, half-life 30 days"])}.

An item passes on its likeness to 19 others. Weak likeness to all that somebody ever had adds up to
popularity: with 100 it is worse here, and was in June and July, where the number was chosen.

`implicit` 0.7.3 on the same matrix, with its own defaults:

{peers(IMPLICIT_ORDERS)}

## The next click of a session

Clickstream of a clothing shop (UCI 553): {len(clicked.told.at):,} clicks in
{len(clicked.told.session_ids):,} sessions on {len(clicked.told.item_ids)} articles. Learned:
1 April to 16 June 2008. Asked: each new article of {len(np.unique(clicked.cases.drawn)):,} sessions
that began later, {len(clicked.cases):,} cases. The publisher gives days and the order of clicks, no
times of day.

{table(on_clicks)}

V-SKNN against item-item by cosine, recall case by case:
{better(knn, on_clicks["item-item, cosine"])}. It looks for the 100 most similar of
the 1,000 most recent sessions that share an article. More sessions find more and cost more: on the
two weeks before, 500 of 5,000 had a recall of 0.623 where 100 of 1,000 had 0.601. `implicit`:

{peers(IMPLICIT_CLICKS)}

## Ours and `implicit`

Unpruned, our item-item by cosine recommends what `implicit`'s does: all {len(bought.cases)} and
{len(clicked.cases):,} lists have the same scores, and the same items but for ties of the last
score. Pruned to as many neighbours (K=20, which counts the item itself), the two differ where
similarities tie at the cut; ours goes by the articles' ids, so that the same rows give the same
lists.

Matrix factorisation, as it comes, does not earn its place. ALS finds less than item-item on orders,
and on sessions little more than popularity; BPR finds less still. Neither names the item that a
recommendation comes from, and `implicit` has no wheel for Python 3.12, which this runs on as well.
It is no dependency.

The figures of `implicit` are copied from `benchmarks/recommender_quality.py`, which makes both
tables and compares the lists:

<!-- not run: it installs implicit into an environment of its own -->
```console
$ python3.11 -m venv /tmp/implicit && /tmp/implicit/bin/pip install implicit
$ IMPLICIT_PYTHON=/tmp/implicit/bin/python PYTHONPATH=. python benchmarks/recommender_quality.py
```

## What it costs

`benchmarks/recommenders.py`, 10 million interactions of 500,000 people with 100,000 items, on two
cores that other work shared (2026-11-27); seconds of processor, memory at most so far:

| step | seconds | GiB |
|---|---:|---:|
| columns to codes, with making them | 17 | 1.8 |
| item-item: learn | 41 | 2.1 |
| item-item: 20 beside all items | 8 | 2.4 |
| item-item: 20 for all people, with reasons | 80 | 2.8 |

Nothing is ever items x items or people x people: rows are multiplied, cut to the best and forgotten
in blocks. `implicit`'s item-item learns from a tenth of that in 0.7 s where ours takes 1.9 s: it
cuts while it multiplies, in C++, where ours multiplies first and keeps how many have both.

## What this does not say

Two shops of one kind each, one window each. A list that nobody was shown can only meet what people
found by themselves: what a recommendation changes is told by a test that holds it back from some.
Which recommender suits a shop is measured on its own last weeks.
"""
    return text, on_orders, on_clicks


def main() -> None:
    """Write the page from the real data."""
    folder = Path(os.environ.get("WAREHOUSE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        sys.exit(f"{folder}: no such folder; name that of the real data in WAREHOUSE_SHARED_DATA")
    PAGE.write_text(page(folder)[0], encoding="utf-8")


if __name__ == "__main__":
    main()
