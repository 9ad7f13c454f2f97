"""Planted cases for e-mail triggers: each is what its reason says, and nothing else happens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from demo.activity import activity
from demo.parameters import Parameters
from demo.scenarios import Scenarios, planned
from tests.demo.activity_shops import ask, history, shop

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
INSTANT = pa.timestamp("us", "UTC")


def at(day: float) -> datetime:
    return OPENED + timedelta(days=day)


def cases(days: float, changes: bool = True) -> Scenarios:
    """Return the cases of a shop of ten articles in which all that cases need happens."""
    names = [f"2000{n}" for n in range(10)]
    products = pa.table(
        {
            "product_id": names,
            "name": names,
            "created_at": pa.array([at(-1)] * 10, INSTANT),
            "discontinued_at": pa.array([None] * 9 + [at(18.2) if changes else None], INSTANT),
        }
    )
    prices = [(name, at(-1), Decimal("2.500")) for name in names]
    if changes:
        prices.append(("20001", at(20), Decimal("1.500")))
    outs = [("20002", at(16.5), at(19.5))] if changes else []
    return planned(
        products,
        pa.Table.from_pylist(
            [dict(zip(("product_id", "valid_from", "price"), row, strict=True)) for row in prices],
            pa.schema(
                [
                    ("product_id", pa.string()),
                    ("valid_from", INSTANT),
                    ("price", pa.decimal128(12, 3)),
                ]
            ),
        ),
        pa.Table.from_pylist(
            [dict(zip(("product_id", "from_at", "to_at"), row, strict=True)) for row in outs],
            pa.schema([("product_id", pa.string()), ("from_at", INSTANT), ("to_at", INSTANT)]),
        ),
        OPENED,
        at(days),
        1,
        Parameters(),
    )


def test_a_batch_is_planned_when_the_history_reaches_its_end_and_never_changed() -> None:
    assert cases(29.9).truth.num_rows == 0
    one, two = cases(30), cases(61)

    assert one.truth.num_rows > 10
    for name in ("users", "lines", "truth", "events"):
        first, second = getattr(one, name), getattr(two, name)
        assert second.slice(0, first.num_rows).equals(first), name
        assert second.num_rows > first.num_rows or name == "lines"


def test_every_case_happens_and_expires_within_its_batch() -> None:
    for row in cases(30).truth.to_pylist():
        assert OPENED < row["evidence_at"] < row["due_at"] < row["expires_at"] < at(30)
        assert row["should_send"] == (row["reason"] is None)


def test_what_needs_a_price_drop_or_sold_out_article_is_left_out_when_there_is_none() -> None:
    kinds = {row["kind"] for row in cases(30, changes=False).truth.to_pylist()}

    assert kinds == {"searched_not_bought", "viewed_not_bought", "abandoned_cart"}


def test_a_price_drop_and_a_return_are_dated_when_they_happen() -> None:
    found = cases(30).truth.to_pylist()

    dropped = {
        (row["product_id"], row["evidence_at"]) for row in found if row["kind"] == "price_drop"
    }
    back = {
        (row["product_id"], row["evidence_at"]) for row in found if row["kind"] == "back_in_stock"
    }
    assert dropped == {("20001", at(20))}
    assert back == {("20002", at(19.5))}


@pytest.fixture(scope="module")
def told() -> list[dict[str, Any]]:
    return shop().truth["triggers"].to_pylist()


def test_each_kind_has_cases_to_send_and_cases_for_every_reason(told: list[dict[str, Any]]) -> None:
    shared = {None, "bought_since", "no_consent", "already_sent", "daily_cap", "anonymous"}
    reasons: dict[str, set[str | None]] = {}
    for row in told:
        reasons.setdefault(row["kind"], set()).add(row["reason"])

    assert reasons.keys() == {
        *("searched_not_bought", "viewed_not_bought", "abandoned_cart"),
        *("price_drop", "back_in_stock"),
    }
    for kind in ("searched_not_bought", "viewed_not_bought", "abandoned_cart"):
        assert reasons[kind] >= shared | {"expired"}, kind
    assert set.union(*reasons.values()) >= shared | {"expired", "out_of_stock", "inactive_product"}


def test_nobody_gets_two_cases_and_nobody_else_is_planted(told: list[dict[str, Any]]) -> None:
    customers = [row["customer_id"] for row in told if row["customer_id"]]

    assert len(customers) == len(set(customers))
    assert all(customer.startswith("T") for customer in customers)
    assert all((row["customer_id"] is None) == (row["reason"] == "anonymous") for row in told)


REASONS = {
    "bought_since": (
        "select count(*) from true_triggers as t where reason = 'bought_since' and not exists ("
        " select 1 from all_orders as o inner join all_order_lines as l using (order_id)"
        " where o.user_id = t.customer_id and l.product_id = t.product_id"
        " and o.ordered_at > t.evidence_at and o.ordered_at < t.due_at)"
    ),
    "never bought otherwise": (
        "select count(*) from true_triggers as t inner join all_orders as o"
        " on o.user_id = t.customer_id where coalesce(t.reason, '') <> 'bought_since'"
    ),
    "no_consent": (
        "select count(*) from true_triggers as t inner join all_users as u"
        " on u.user_id = t.customer_id"
        " where u.marketing_consent = (coalesce(t.reason, '') = 'no_consent')"
    ),
    "out_of_stock": (
        "select count(*) from true_triggers as t where (coalesce(t.reason, '') = 'out_of_stock')"
        " <> exists (select 1 from all_stock_outs as s where s.product_id = t.product_id"
        " and s.from_at <= t.due_at and s.to_at > t.due_at)"
        " and coalesce(t.reason, '') <> 'inactive_product'"
    ),
    "already_sent": (
        "select count(*) from true_triggers as t where (coalesce(t.reason, '') = 'already_sent')"
        " <> exists (select 1 from trigger_sends as s where s.customer_id = t.customer_id"
        " and s.kind = t.kind and s.product_id = t.product_id)"
    ),
    "daily_cap": (
        "select count(*) from true_triggers as t where (coalesce(t.reason, '') = 'daily_cap')"
        " <> exists (select 1 from trigger_sends as s where s.customer_id = t.customer_id"
        " and s.kind <> t.kind)"
    ),
    "evidence": (
        "select count(*) from true_triggers as t where evidence_id not in ("
        " select event_id from true_events)"
    ),
}


@pytest.mark.parametrize("reason", REASONS)
def test_each_case_is_what_it_says(reason: str) -> None:
    assert ask(REASONS[reason], shop(), history()) == [(0,)]


def test_a_shop_without_made_up_life_has_no_cases() -> None:
    found = activity(replace(history(), scenarios=None), 1, Parameters())

    assert found.truth["triggers"].num_rows == 0
    assert found.items["trigger_sends"].num_rows == 0
