"""What explains a commission gives it, for every line of the demo's shop."""

from decimal import Decimal

import pytest

from tests.shops import Shop
from warehouse.config import load
from warehouse.ledger import explanations

pytestmark = pytest.mark.slow


def test_what_explains_each_line_gives_its_amount(demo_shop: Shop) -> None:
    lines = demo_shop.query("select * from affiliate.conversions order by order_line_id")
    names = [
        name
        for (name,) in demo_shop.query(
            "select column_name from information_schema.columns where table_schema = 'affiliate'"
            " and table_name = 'conversions' order by ordinal_position"
        )
    ]
    rows = [dict(zip(names, line, strict=True)) for line in lines]
    assert len(rows) > 500
    assert {row["reason"] for row in rows} >= {None, "cancelled", "self_referral"}
    assert {row["currency"] for row in rows} == {"GBP", "EUR"}
    wrong = [row for row in rows if explanations.evaluate(row) != row["commission_amount"]]
    assert wrong == []


def test_an_explanation_is_evaluated_to_the_cent_and_capped() -> None:
    line = {
        "reason": None,
        "rate_rule": "plan",
        "currency": "GBP",
        "line_amount": Decimal("120.0000"),
        "discount_share": Decimal("0.0000"),
        "vat_rate": Decimal("0.20000000"),
        "rate": Decimal("0.05005000"),
        "fx_rate": Decimal("1.00000000"),
        "cap_left": None,
    }
    # 100.0000 x 0.05005 = 5.005, half away from zero
    assert explanations.evaluate(line) == Decimal("5.01")
    assert explanations.evaluate(line | {"cap_left": Decimal("4.99")}) == Decimal("4.99")
    assert explanations.evaluate(line | {"reason": "cancelled"}) == Decimal("0.00")


def test_the_command_prints_what_the_columns_say_and_the_ledger(demo_shop: Shop) -> None:
    [(line, affiliate, amount)] = demo_shop.query(
        "select order_line_id, affiliate_id, commission_amount::varchar from affiliate.conversions"
        " where due_amount = 0 and commission_amount > 0 and click_id is not null"
        " order by order_line_id limit 1"
    )
    settings = load(demo_shop.directory / "warehouse.yml")
    found = explanations.read(settings, line)
    assert sum(one["amount"] for one in found.movements if one["entry_type"] != "maturity") == 0
    text = demo_shop.command("explain-commission", line).stdout
    assert f"affiliate   {affiliate} by last_click" in text
    assert f"commission  {amount} " in text
    assert "accrual" in text
    assert "reversal" in text
    printed = demo_shop.json("explain-commission", line)
    assert printed["line"]["commission_amount"] == amount
