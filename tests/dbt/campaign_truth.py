"""Hold attribution to the demo's planted truth: `make docs-truth` writes the page from it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from tests.shops import Shop

Floats = NDArray[np.float64]
Found = dict[str, list[tuple[Any, ...]]]
Figures = dict[str, dict[str, tuple[float, float, float]]]
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "attribution-and-the-truth.md"
# The figures do not move in their second decimal beyond some hundred draws.
DRAWS, SEED = 500, 6
WORTHLESS = "retargeting"
# Per order and model the credit of each channel and campaign; an order without touches has none.
CREDITS = """
select order_id, model, channel, campaign_id, sum(credit)::double
from campaign.attribution
where channel <> 'unattributed'
group by all
"""
CAUSES = "select order_id, channel, coalesce(campaign_id, '(none)') from truth.orders"
UNITS = "select channel, coalesce(campaign_id, '(none)') from truth.effects order by all"
MONEY = f"""
with money as (
    select
        model,
        sum(orders) as orders,
        sum(spend) as spend,
        sum(contribution_margin) as margin
    from campaign.performance_daily
    where campaign_id = '{WORTHLESS}'
    group by model
)
select model, orders::double, spend::double, margin::double from money order by model
"""
FUNNEL = """
select campaign_id, sum(returning_count) / sum(step_count)
from campaign.funnel_daily
where step = 'landing'
group by grouping sets ((campaign_id), ())
order by 2 desc, 1
"""


def ranks(values: Floats) -> Floats:
    """Return each value's rank, of equal ones the mean of theirs."""
    below = (values[None, :] < values[:, None]).sum(axis=1)
    equal = (values[None, :] == values[:, None]).sum(axis=1)
    return below + (equal + 1) / 2


def spearman(one: Floats, other: Floats) -> float:
    """Return the rank correlation of two lists."""
    return float(np.corrcoef(ranks(one), ranks(other))[0, 1])


def misplaced(credit: Floats, cause: Floats) -> float:
    """Return the share of all credit that would have to move to be where the causes are."""
    return float(np.abs(credit / credit.sum() - cause / cause.sum()).sum() / 2)


def figure(
    statistic: Callable[[Floats, Floats], float], credit: Floats, cause: Floats
) -> tuple[float, float, float]:
    """Return a statistic of the sums over orders, and its 95 % bootstrap interval.

    Both are orders by units. An order is drawn with its credits and its cause together.
    """
    random = np.random.default_rng(SEED)
    count = len(credit)
    weights = random.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    drawn = [statistic(one @ credit, one @ cause) for one in weights]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return statistic(credit.sum(axis=0), cause.sum(axis=0)), float(low), float(high)


def read(shop: Shop) -> Found:
    """Return what the published version and the answer file of a demo shop say."""
    with duckdb.connect(str(shop.published), read_only=True) as connection:
        truth = shop.directory / "var" / "demo" / "truth.duckdb"
        connection.execute(f"attach '{truth}' as truth (read_only)")
        asked = {"credits": CREDITS, "causes": CAUSES, "units": UNITS}
        asked |= {"money": MONEY, "funnel": FUNNEL}
        return {name: connection.execute(query).fetchall() for name, query in asked.items()}


def by_model(found: Found) -> Figures:
    """Return the figures of each model by their name."""
    units = sorted(tuple(unit) for unit in found["units"])
    unit_at = {unit: place for place, unit in enumerate(units)}
    orders = sorted({order for order, *_ in found["credits"]})
    order_at = {order: place for place, order in enumerate(orders)}
    cause = np.zeros((len(orders), len(units)))
    for order, *unit in found["causes"]:
        if order in order_at and unit[0] != "(none)":
            cause[order_at[order], unit_at[tuple(unit)]] = 1
    campaigns = [place for place, (_, campaign) in enumerate(units) if campaign != "(none)"]
    channels = sorted({channel for channel, _ in units})
    to_channel = np.array([[channel == of for of in channels] for channel, _ in units], float)
    result = {}
    for model in sorted({model for _, model, *_ in found["credits"]}):
        credit = np.zeros_like(cause)
        for order, its_model, *unit, share in found["credits"]:
            if its_model == model:
                credit[order_at[order], unit_at[tuple(unit)]] += share
        among = credit[:, campaigns], cause[:, campaigns]
        result[model] = {
            "campaigns": figure(spearman, *among),
            "misplaced": figure(misplaced, *among),
            "channels": figure(spearman, credit @ to_channel, cause @ to_channel),
            "all": figure(spearman, credit, cause),
        }
    return result


def page(found: Found, figures: Figures) -> str:
    """Return the page as a shop says it."""
    orders = len({order for order, *_ in found["credits"]})
    models = "\n".join(
        f"| `{model}` | {_interval(figures[model]['campaigns'])} |"
        f" {_interval(figures[model]['misplaced'])} | {_interval(figures[model]['channels'])} |"
        f" {_interval(figures[model]['all'])} |"
        for model in sorted(figures, key=lambda model: (figures[model]["misplaced"], model))
    )
    money = "\n".join(
        f"| `{model}` | {orders:,.1f} | {spend:,.2f} | {margin:,.2f} |"
        for model, orders, spend, margin in found["money"]
    )
    returning = {campaign: f"{100 * share:.0f} %" for campaign, share in found["funnel"]}
    [next_campaign] = [name for name in returning if name not in (None, "(none)", WORTHLESS)][:1]
    return f"""# Attribution and the truth

Written by `make docs-truth` from the demo shop, whose visits and orders are made up and whose truth
is therefore known ([what is planted](generated-data.md)); a test compares this page with the shop.

About half of the demo's orders would have come anyway. Each of the others was caused by one
campaign or affiliate. No model can know that: it sees touches and orders, not what would have been.
So the question is not whether a model is right but whether it puts campaigns in the right order.

## Do the models find what caused the orders?

A model's orders per campaign beside those that the campaign truly caused: Spearman's rank
correlation (1 is the same order, 0 none), and the share of all credit that would have to move to
another campaign to be right. In brackets the interval that holds 95 % of {DRAWS} bootstrap draws of
the orders.

| model | rank of the campaigns | misplaced among them | rank of the channels | rank of both |
|---|---:|---:|---:|---:|
{models}

- **Among campaigns, between which a budget can be moved, the data-driven models beat the last
  touch**: they rank better and misplace least of all. The intervals overlap: with these {orders:,}
  orders it is a tendency, no proof.
- **Over all channels they do not**, and no model comes near 1: `direct`, `organic_search` and
  `referral` truly cause nothing here and are touched by most buyers. A model that shares out every
  order gives them about half, and the data-driven ones learn that who buys came directly.
  `last_non_direct` ranks the channels best, because its rule leaves `direct` out: the rule happens
  to be right in this shop.
- **None sees that `{WORTHLESS}` causes nothing.** Whoever is shown only to people who are about to
  buy has a perfect record.

So: use models to compare campaigns with campaigns, look at two of different kinds, and hold a
campaign back from some people to learn what it causes.

## What shows that `{WORTHLESS}` is worthless?

It causes no order. By every model it is one of the best campaigns, and its margin says so too:

| model | orders | spend | contribution margin |
|---|---:|---:|---:|
{money}

The funnel tells. Share of the visits by people who had been in the shop before:

| `{WORTHLESS}` | `{next_campaign}`, the next | all visits |
|---:|---:|---:|
| {returning[WORTHLESS]} | {returning[next_campaign]} | {returning[None]} |

It finds people, it does not bring them. The first query of
[questions about campaigns](../campaign.md) asks exactly this, and doubts no other campaign.
"""


def _interval(figures: tuple[float, float, float]) -> str:
    value, low, high = figures
    return f"{value:.2f} ({low:.2f} to {high:.2f})"
