"""Planted cases for e-mail triggers: customers who search, look or leave a cart, and nothing else.

Every 30 days of the shop bring a batch of cases, each with a customer of its own. A batch is
planned when the history reaches its end, so that it is there before its first day.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pyarrow as pa

from demo.draws import derived, keys_of
from demo.parameters import Parameters
from demo.scenario_market import Event, Market
from demo.scenario_rows import (
    PREFIX,
    Case,
    Scenarios,
    activity_tables,
    document_lines,
    event_truth,
    trigger_truth,
    user_rows,
)

__all__ = ["PREFIX", "Case", "Scenarios", "planned"]

BATCH = timedelta(days=30)
# Cases happen on the days from the second on, early enough to expire before the batch ends.
FIRST_DAY, LAST_DAY = 1, 21
KINDS = (
    *("searched_not_bought", "viewed_not_bought", "abandoned_cart"),
    *("price_drop", "back_in_stock"),
)
# Why a case must not be written to; "" is one that must. Three of them per kind and batch.
REASONS = ("bought_since", "no_consent", "already_sent", "daily_cap", "anonymous", "expired")
SHELF_REASONS = ("out_of_stock", "inactive_product")
PER_BATCH = 3
# Hours from the evidence until the e-mail is due; it is worth sending for a week.
DUE_AFTER = {"abandoned_cart": 4}
DUE_AFTER_OTHERS = 24
WORTH = timedelta(days=7)
LOOKED_BEFORE = timedelta(days=3)  # a view before the price drop


def planned(
    products: pa.Table,
    prices: pa.Table,
    stock_outs: pa.Table,
    opened: datetime,
    horizon: datetime,
    seed: int,
    parameters: Parameters,
) -> Scenarios:
    """Return the cases whose batch ends by `horizon`; a later horizon only adds cases.

    `products` has product_id, name, created_at, discontinued_at (nullable), `prices` product_id,
    valid_from, price, `stock_outs` product_id, from_at, to_at: all as they are until the horizon,
    whatever the clock says. A case that needs an event which its batch has not is left out.
    """
    market = Market(products, prices, stock_outs)
    cases: list[Case] = []
    batch = 0
    while opened + (batch + 1) * BATCH <= horizon:
        cases += _batch(market, opened + batch * BATCH, batch, seed, parameters)
        batch += 1
    return Scenarios(
        users=user_rows(cases, opened),
        lines=document_lines(cases, market),
        activity=activity_tables(cases, market),
        truth=trigger_truth(cases),
        events=event_truth(cases),
    )


def _batch(
    market: Market, start: datetime, batch: int, seed: int, parameters: Parameters
) -> list[Case]:
    """Return one case per kind that must be written to, and some that must not."""
    found: list[Case] = []
    for kind in KINDS:
        reasons = _reasons(kind)
        chosen = [reasons[(batch * PER_BATCH + n) % len(reasons)] for n in range(PER_BATCH)]
        for reason in ("", *dict.fromkeys(chosen)):
            name = f"{seed}/{batch}/{kind}/{reason}"
            case = _case(market, start, kind, reason, name, batch, parameters)
            if case is not None:
                found.append(case)
    return found


def _reasons(kind: str) -> Sequence[str]:
    match kind:
        case "price_drop" | "back_in_stock":
            return REASONS[:-1]  # the evidence is the shop's own: it cannot arrive too late
        case _:
            return (*REASONS, *SHELF_REASONS)


def _case(
    market: Market,
    start: datetime,
    kind: str,
    reason: str,
    name: str,
    batch: int,
    parameters: Parameters,
) -> Case | None:
    """Return the case that the draws of `name` choose, None when the batch has no fitting event."""
    key = int(derived(keys_of([f"case {name}"]), "case")[0])
    event = _event(market, start, kind, reason, key, parameters.closed_weekday)
    if event is None:
        return None
    product, evidence_at = event
    due_at = evidence_at + timedelta(hours=DUE_AFTER.get(kind, DUE_AFTER_OTHERS))
    looked_at = evidence_at
    if kind == "price_drop":
        looked_at = evidence_at - LOOKED_BEFORE
    elif kind == "back_in_stock":
        looked_at = evidence_at - timedelta(hours=2)
    if reason == "bought_since":
        bought_at = evidence_at + (due_at - evidence_at) / 2
        if bought_at.weekday() == parameters.closed_weekday:
            return None
    customer = f"{PREFIX}{key % 10**12:012d}"
    return Case(
        key=key,
        batch=batch,
        kind=kind,
        reason=reason,
        customer=None if reason == "anonymous" else customer,
        product=product,
        looked_at=looked_at,
        evidence_at=evidence_at,
        due_at=due_at,
        expires_at=evidence_at + WORTH,
    )


def _event(
    market: Market, start: datetime, kind: str, reason: str, key: int, closed_weekday: int
) -> Event | None:
    """Return the article of a case and when it happens, None when nothing in the batch fits."""
    until = start + timedelta(days=LAST_DAY)
    moment = _moment(start, key)
    if moment.weekday() in {(closed_weekday - 1) % 7, closed_weekday}:
        moment += timedelta(days=2)  # who buys since, buys on a day on which the shop takes orders
    match kind, reason:
        case "price_drop", _:
            return market.price_drop(moment, until, WORTH, key)
        case "back_in_stock", _:
            return market.back_in_stock(moment, until, WORTH, key)
        case _, "out_of_stock":
            return market.sold_out(moment, until, key)
        case _, "inactive_product":
            return market.discontinued(moment, until, key)
        case _:
            product = market.quiet(moment, moment + WORTH, key)
            return None if product is None else (product, moment)


def _moment(start: datetime, key: int) -> datetime:
    """Return a time of the batch at which somebody looks at articles: between 9 and 20 h."""
    day = FIRST_DAY + key % (LAST_DAY - FIRST_DAY - 8)
    return start + timedelta(days=day, hours=9 + key // 64 % 11, seconds=key // 1024 % 3600)
