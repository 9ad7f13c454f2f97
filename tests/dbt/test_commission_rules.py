"""Each rule of the affiliate programme, by its number in docs/affiliate.md, on literal rows."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.dbt.build import Build
from tests.dbt.programme import Programme, at
from warehouse.ledger.explanations import evaluate

pytestmark = pytest.mark.slow


@pytest.fixture
def shop(small_shop: Build) -> Iterator[Programme]:
    """Yield a programme with one article."""
    programme = Programme(small_shop)
    programme.product("mug", "kitchen")
    yield programme
    programme.connection.close()


def test_a_click_counts_to_the_end_of_the_plans_window_and_not_from_the_order_on(
    shop: Programme,
) -> None:
    """Rule 1."""
    shop.click("k1", "a1", "03-01 10:00")
    shop.order("last", "03-31 10:00")
    shop.order("late", "03-31 10:01")
    shop.order("before", "03-01 10:00")
    assert shop.earned() == {"last-1": ("a1", "10.00")}


def test_a_rule_gives_a_window_in_place_of_the_plans(shop: Programme) -> None:
    """Rule 1."""
    shop.rule("click_window_hours", "24", affiliate_id="a1", valid_from="2011-03-10")
    shop.click("k1", "a1", "03-08 10:00")
    shop.order("old", "03-09 23:00")
    shop.order("new", "03-10 11:00")
    assert shop.earned() == {"old-1": ("a1", "10.00")}


def test_what_was_put_into_the_cart_in_time_counts_while_the_cart_lasts(shop: Programme) -> None:
    """Rule 2."""
    shop.product("tea")
    shop.rule("cart_window_hours", "24")
    shop.click("k1", "a1", "03-01 10:00")
    shop.click("k2", "a2", "03-01 12:00")
    for number, (product, when) in enumerate(
        [("mug", "03-01 11:00"), ("tea", "03-02 12:01"), ("cup", "03-01 11:00")]
    ):
        shop.add(
            "staging.stg_activity__cart_events",
            event_id=str(number),
            visitor_id="v1",
            product_id=product,
            action="add",
            occurred_at=at(when),
        )
    shop.order("o1", "03-20 10:00", {"mug": "100", "tea": "50"})
    shop.order("o2", "05-30 11:01", {"mug": "100"})
    # the tea was put in too late for either click, and a2's click came after the mug
    assert shop.earned() == {"o1-1": ("a1", "10.00")}


@pytest.mark.parametrize(("choice", "winner"), [("last", "a2"), ("first", "a1")])
def test_the_last_click_wins_or_the_first(shop: Programme, choice: str, winner: str) -> None:
    """Rule 3."""
    shop.rule("click_choice", choice)
    shop.add("intermediate.int_finance__rates", currency="EUR", rate_date="2011-03-20", rate="1")
    shop.click("k0", "a2", "02-01 10:00")
    shop.click("k1", "a1", "03-01 10:00")
    shop.click("k2", "a2", "03-02 10:00")
    shop.click("k3", "a2", "03-20 10:00")
    shop.order("o1", "03-20 10:00")
    assert shop.earned() == {"o1-1": (winner, "10.00")}


def test_of_clicks_at_one_instant_the_greatest_id_wins(shop: Programme) -> None:
    """Rule 3."""
    shop.click("k2", "a1", "03-01 10:00")
    shop.click("k1", "a2", "03-01 10:00")
    shop.order("o1", "03-20 10:00")
    assert shop.commissions()["o1-1"]["click_id"] == "k2"


def test_a_click_of_the_customer_on_another_browser_counts(shop: Programme) -> None:
    """Rule 3: the same visitor or the same customer."""
    shop.click("k1", "a1", "03-01 10:00", visitor_id="phone", customer_id="c1")
    shop.click("k2", "a2", "03-02 10:00", visitor_id="phone", customer_id="c2")
    shop.order("o1", "03-20 10:00", visitor_id=None)
    assert shop.earned() == {"o1-1": ("a1", "10.00")}


def test_a_paid_visit_after_the_click_voids_it_where_the_rule_holds(shop: Programme) -> None:
    """Rule 4."""
    shop.rule("voiding_channels", "email paid_search", valid_from="2011-03-10", affiliate_id="a1")
    for name, channel, when in [
        ("s1", "paid_search", "03-05 10:00"),
        ("s2", "organic_search", "03-15 10:00"),
        ("s3", "paid_search", "04-01 10:00"),
    ]:
        shop.add(
            "intermediate.int_core__sessions",
            session_id=name,
            visitor_id="v1",
            channel=channel,
            started_at=at(when),
        )
    shop.click("k1", "a1", "03-01 10:00")
    shop.order("unruled", "03-09 10:00")
    shop.order("voided", "03-12 10:00")
    shop.click("k2", "a1", "03-14 10:00")
    shop.order("clicked_again", "03-20 10:00")
    assert shop.earned() == {"unruled-1": ("a1", "10.00"), "clicked_again-1": ("a1", "10.00")}


def test_a_coupon_beats_a_click_unless_it_leaked_or_the_rule_is_off(shop: Programme) -> None:
    """Rule 5."""
    shop.add("seeds.affiliate_coupons", coupon_code="TEA5", affiliate_id="a1", is_leaked=False)
    shop.add(
        "seeds.affiliate_coupons",
        coupon_code="A1",
        affiliate_id="a1",
        is_leaked=True,
        valid_from="2011-03-10",
    )
    shop.rule("coupon_beats_click", "false", affiliate_id="a1", valid_from="2011-04-01")
    shop.add("intermediate.int_finance__rates", currency="EUR", rate_date="2011-03-12", rate="1")
    shop.click("k1", "a2", "03-12 10:00")
    shop.order("by_id", "03-09 10:00", coupon_code="a1")
    shop.order("leaked", "03-12 11:00", coupon_code="A1")
    shop.order("listed", "03-12 12:00", coupon_code="tea5")
    shop.order("off", "04-20 12:00", coupon_code="TEA5", visitor_id="v9", customer_id="c9")
    shop.order("usual", "03-12 12:00", coupon_code="WELCOME10", visitor_id="v9", customer_id="c9")
    rows = shop.commissions()
    assert {
        line: (row["affiliate_id"], row["attribution_rule"], row["click_id"])
        for line, row in rows.items()
    } == {
        "by_id-1": ("a1", "coupon", None),
        "leaked-1": ("a2", "last_click", "k1"),
        "listed-1": ("a1", "coupon", None),
    }


@pytest.mark.parametrize(
    ("rule", "switch", "expected"),
    [
        ("own_account", "self_referral_by_email", "self_referral"),
        ("merged_account", "self_referral_by_email", "self_referral"),
        ("same_email", "self_referral_by_email", "10.00"),
        ("own_device", "self_referral_by_device", "10.00"),
    ],
)
def test_own_purchases_earn_nothing_and_what_counts_as_own_is_a_rule(
    shop: Programme, rule: str, switch: str, expected: str
) -> None:
    """Rule 6: an account of one's own always is; the e-mail and the device by rules."""
    kind = "visitor" if rule == "own_device" else "customer"
    shop.add(
        "intermediate.int_affiliate__own_identities",
        affiliate_id="a1",
        identity_kind=kind,
        identity_id="v1" if kind == "visitor" else "c1",
        rule=rule,
        first_at=at("03-01 10:00"),
        last_at=at("03-30 10:00"),
    )
    shop.rule(switch, "false", affiliate_id="a1", valid_from="2011-03-20")
    # a click of somebody else came before: an excluded line falls to nobody
    shop.click("k0", "a2", "02-28 10:00")
    shop.click("k1", "a1", "03-01 10:00")
    shop.order("o1", "03-19 10:00")
    shop.order("o2", "03-20 10:00")
    assert shop.earned() == {"o1-1": ("a1", "self_referral"), "o2-1": ("a1", expected)}


def test_a_click_that_was_judged_the_affiliates_own_earns_nothing(shop: Programme) -> None:
    """Rule 6."""
    shop.click("k1", "a1", "03-01 10:00", validity="self", validity_rule="own_account")
    shop.click("k2", "a1", "03-02 10:00", validity="bot")
    shop.order("o1", "03-19 10:00")
    assert shop.earned() == {"o1-1": ("a1", "self_referral")}


def test_employees_and_test_orders_earn_nothing_on_the_days_listed(shop: Programme) -> None:
    """Rule 7."""
    shop.add("intermediate.int_core__customer_aliases", merged_customer_id="old", customer_id="c1")
    shop.add("seeds.excluded_buyers", customer_id="old", kind="employee", valid_to="2011-03-09")
    shop.add("seeds.excluded_buyers", customer_id="c2", kind="test")
    shop.click("k1", "a1", "03-01 10:00")
    shop.order("o1", "03-09 10:00")
    shop.order("o2", "03-10 10:00")
    shop.order("o3", "03-10 10:00", customer_id="c2")
    assert shop.earned() == {
        "o1-1": ("a1", "employee"),
        "o2-1": ("a1", "10.00"),
        "o3-1": ("a1", "test_order"),
    }


def test_returning_customers_have_a_rate_of_their_own(shop: Programme) -> None:
    """Rule 8."""
    shop.rule("returning_customer_rate", "0.02", affiliate_id="a1", valid_from="2011-01-01")
    shop.click("k1", "a1", "03-01 10:00")
    shop.order("new", "03-09 10:00")
    shop.order("again", "03-10 10:00", is_first_order=False)
    shop.order("guest", "03-10 10:00", is_first_order=False, customer_id=None)
    assert shop.earned() == {
        "new-1": ("a1", "10.00"),
        "again-1": ("a1", "2.00"),
        "guest-1": ("a1", "10.00"),
    }


def test_the_nearest_plan_gives_the_rate_item_by_item_at_its_time(shop: Programme) -> None:
    """Rules 9 and 11."""
    shop.product("doll", "toys")
    shop.product("ring", "jewellery")
    shop.plan("kitchen", category="kitchen", rate="0.04", valid_from=at("03-10 00:00"))
    shop.plan("partner", affiliate_id="a1", rate="0.2", valid_to=at("03-20 00:00"))
    shop.plan("partner-toys", affiliate_id="a1", category="toys", rate="0.3")
    shop.click("k1", "a1", "03-01 10:00")
    every = {"mug": "100", "doll": "100", "ring": "100"}
    shop.order("early", "03-09 10:00", every)
    shop.order("late", "03-20 00:00", every)
    assert {line: row["plan_id"] for line, row in shop.commissions().items()} == {
        "early-1": "partner",
        "early-2": "partner-toys",
        "early-3": "partner",
        "late-1": "kitchen",
        "late-2": "partner-toys",
        "late-3": "default",
    }


@pytest.mark.parametrize(("moment", "amount"), [("order", "20.00"), ("click", "10.00")])
def test_the_rate_is_that_of_the_order_or_of_the_click(
    shop: Programme, moment: str, amount: str
) -> None:
    """Rule 10, and 31: the terms accepted at the click."""
    shop.rule("rate_moment", moment)
    shop.plan("new", affiliate_id="a1", rate="0.2", valid_from=at("03-05 00:00"))
    shop.click("k1", "a1", "03-01 10:00")
    shop.order("o1", "03-09 10:00")
    assert shop.earned() == {"o1-1": ("a1", amount)}


def test_the_tier_follows_the_sales_of_the_last_statement_closed_before_the_order(
    shop: Programme,
) -> None:
    """Rule 12."""
    shop.plan("gold", tier=2, tier_min_sales=1000, rate="0.15")
    shop.plan("platinum", tier=3, tier_min_sales=5000, rate="0.2")
    for number, (period, closed, sales) in enumerate(
        [("2011-01-01", "03-02 00:00", "1000"), ("2011-02-01", "03-20 00:00", "999.9999")]
    ):
        shop.add(
            "ledger.statements",
            statement_number=f"s{number}",
            affiliate_id="a1",
            period=period,
            net_sales=sales,
            closed_at=at(closed),
        )
    shop.rule("tier_by", "off", affiliate_id="a1", valid_from="2011-03-10", valid_to="2011-03-10")
    shop.click("k1", "a1", "03-01 10:00")
    for day in ("03-01 12:00", "03-09 12:00", "03-10 12:00", "03-11 12:00", "03-21 12:00"):
        shop.order(day[:5], day)
    assert [
        (line, row["tier"], row["tier_statement"])
        for line, row in sorted(shop.commissions().items())
    ] == [
        ("03-01-1", 1, None),
        ("03-09-1", 2, "s0"),
        ("03-10-1", 1, None),
        ("03-11-1", 2, "s0"),
        ("03-21-1", 1, "s1"),
    ]


@pytest.mark.parametrize("number", ["s0", "s2"])
def test_the_tier_follows_the_statement_that_has_the_sales_whatever_other_currency_is_closed(
    shop: Programme, number: str
) -> None:
    """Rule 12: who was paid in another currency before has two statements for a month."""
    shop.plan("gold", tier=2, tier_min_sales=1000, rate="0.15")
    for name, sales in ((number, "0"), ("s1", "1000")):
        shop.add(
            "ledger.statements",
            statement_number=name,
            affiliate_id="a1",
            period="2011-01-01",
            net_sales=sales,
            closed_at=at("03-02 00:00"),
        )
    shop.click("k1", "a1", "03-01 10:00")
    shop.order("o1", "03-09 12:00")
    [row] = shop.commissions().values()
    assert (row["tier"], row["tier_statement"]) == (2, "s1")


def test_caps_cut_items_orders_and_months(shop: Programme) -> None:
    """Rule 14."""
    shop.product("pan")
    shop.product("pot")
    shop.rule("cap_per_item", "8")
    shop.rule("cap_per_order", "13.50")
    shop.rule("cap_per_month", "16", affiliate_id="a1", valid_from="2011-01-01")
    shop.click("k1", "a1", "03-01 10:00")
    shop.order("o1", "03-09 10:00", {"mug": "100", "pan": "50", "pot": "30"})
    shop.order("o2", "03-10 10:00", {"mug": "100"})
    shop.order("o3", "03-11 10:00", {"mug": "100"})
    shop.click("k2", "a1", "03-31 10:00")
    shop.order("o4", "04-01 10:00", {"mug": "10"})
    rows = shop.commissions()
    assert {line: (str(r["commission_amount"]), r["cap_rule"]) for line, r in rows.items()} == {
        "o1-1": ("8.00", "cap_per_item"),
        "o1-2": ("5.00", None),
        "o1-3": ("0.50", "cap_per_order"),
        "o2-1": ("2.50", "cap_per_month"),
        "o3-1": ("0.00", "cap_per_month"),
        "o4-1": ("1.00", None),
    }


def test_the_base_is_without_vat_and_discounts_that_lines_share_to_the_last_place(
    shop: Programme,
) -> None:
    """Rules 15 and 16."""
    shop.product("pan")
    shop.product("pot")
    shop.rule("vat_rate", "0.2", affiliate_id="a1", valid_from="2011-03-10")
    shop.rule("base_less_discounts", "false", affiliate_id="a1", valid_from="2011-03-11")
    shop.click("k1", "a1", "03-01 10:00")
    lines = {"mug": "30", "pan": "30", "pot": "30", "discount": "-10"}
    shop.order("o1", "03-09 10:00", lines)
    shop.order("o2", "03-10 10:00", {"mug": "120", "pan": "0.0003", "discount": "-200"})
    shop.order("o3", "03-10 11:00", {"mug": "120", "pan": "1"})
    shop.order("o4", "03-11 11:00", {"mug": "120", "discount": "-20"})
    rows = shop.commissions()
    assert {
        line: (str(r["discount_share"]), str(r["base_amount"])) for line, r in rows.items()
    } == {
        "o1-1": ("3.3334", "26.6666"),
        "o1-2": ("3.3333", "26.6667"),
        "o1-3": ("3.3333", "26.6667"),
        "o2-1": ("120.0000", "0.0000"),
        "o2-2": ("0.0003", "0.0000"),
        "o3-1": ("0.0000", "100.0000"),
        "o3-2": ("0.0000", "0.8333"),
        "o4-1": ("0.0000", "100.0000"),
    }


def test_amounts_are_rounded_half_away_from_zero_in_the_payout_currency_once(
    shop: Programme,
) -> None:
    """Rule 18: the rate of the order's day, and what a line was first posted with for good."""
    for currency, rate in (("EUR", "0.8"), ("USD", "0.6")):
        shop.add(
            "intermediate.int_finance__rates", currency=currency, rate_date="2011-03-09", rate=rate
        )
    shop.add(
        "ledger.entries",
        entry_id="e1",
        account="commission_expense",
        order_line_id="o4-1",
        affiliate_id="a2",
        fx_rate="1.5",
        posted_at=at("03-10 10:00"),
    )
    shop.click("k1", "a2", "03-01 10:00")
    shop.order("o1", "03-09 10:00", {"mug": "0.04"})
    shop.order("o2", "03-09 10:00", {"mug": "100"}, currency="EUR", rate="0.8")
    shop.order("o3", "03-09 10:00", {"mug": "100"}, currency="USD", rate="0.7")
    shop.order("o4", "03-09 10:00", {"mug": "100"}, currency="GBP")
    shop.order("o5", "03-10 10:00", {"mug": "100"}, currency="GBP")
    rows = shop.commissions()
    assert {
        line: (r["fx_rate"], r["fx_rule"], r["reason"] or str(r["commission_amount"]))
        for line, r in rows.items()
    } == {
        "o1-1": (Decimal("1.25000000"), "order_date", "0.01"),
        "o2-1": (Decimal("1.00000000"), "order_date", "10.00"),
        "o3-1": (Decimal("0.87500000"), "order_date", "8.75"),
        "o4-1": (Decimal("1.50000000"), "first_posted", "15.00"),
        "o5-1": (None, None, "no_rate"),
    }


def test_rates_of_a_hundred_and_more_are_exact_too(shop: Programme) -> None:
    """Rule 18: as where yen are reported in."""
    shop.add(
        "intermediate.int_finance__rates", currency="EUR", rate_date="2011-03-09", rate="170.5"
    )
    shop.click("k1", "a2", "03-01 10:00")
    shop.order("o1", "03-09 10:00", currency="USD", rate="341")
    [row] = shop.commissions().values()
    assert (row["fx_rate"], row["commission_amount"]) == (Decimal(2), Decimal(20))


def test_a_line_stays_in_the_currency_that_it_was_posted_in(shop: Programme) -> None:
    """Rule 18: else who changes currency is paid for old lines once more, in the new one."""
    for currency, rate in (("EUR", "0.8"), ("USD", "0.5")):
        shop.add(
            "intermediate.int_finance__rates", currency=currency, rate_date="2011-03-09", rate=rate
        )
    shop.add(
        "ledger.entries",
        entry_id="e1",
        account="commission_expense",
        order_line_id="o1-1",
        affiliate_id="a2",
        currency="USD",
        fx_rate="1.9",
        posted_at=at("03-10 10:00"),
    )
    shop.click("k1", "a2", "03-01 10:00")
    shop.order("o1", "03-09 10:00")
    shop.order("o2", "03-09 10:00")
    assert {
        line: (r["currency"], str(r["fx_rate"]), r["fx_rule"], str(r["commission_amount"]))
        for line, r in shop.commissions().items()
    } == {
        "o1-1": ("USD", "1.90000000", "first_posted", "19.00"),
        "o2-1": ("EUR", "1.25000000", "order_date", "12.50"),
    }


def test_the_hold_is_the_plans_after_the_delivery_and_people_can_extend_it(
    shop: Programme,
) -> None:
    """Rules 20 and 21."""
    shop.rule("delivery_days", "3", affiliate_id="a1", valid_from="2011-03-10")
    for number, (line, affiliate, day) in enumerate(
        [("o2-1", "(none)", "03-30 00:00"), ("(none)", "a1", "04-10 00:00")]
    ):
        shop.add(
            "ledger.decisions",
            decision_id=str(number),
            kind="extend_hold",
            order_line_id=line,
            affiliate_id=affiliate,
            days=10 + number,
            effective_at=at(day),
        )
    shop.click("k1", "a1", "03-01 10:00")
    shop.order("o1", "03-09 10:00")
    shop.order("o2", "03-10 10:00")
    shop.order("o3", "03-20 10:00")
    assert {line: row["matures_at"] for line, row in shop.commissions().items()} == {
        "o1-1": at("04-08 10:00"),
        "o2-1": at("05-03 10:00"),
        "o3-1": at("05-03 10:00"),
    }


def test_a_cancelled_order_earns_nothing_and_says_so_before_all_else(shop: Programme) -> None:
    """Rule 24."""
    shop.click("k1", "unknown", "03-01 10:00")
    shop.click("k2", "unknown", "03-01 10:00", visitor_id="v2")
    shop.order("o1", "03-09 10:00", status="cancelled")
    shop.order("o2", "03-09 10:00", visitor_id="v2")
    assert shop.earned() == {
        "o1-1": ("unknown", "cancelled"),
        "o2-1": ("unknown", "affiliate_inactive"),
    }


def test_an_open_chargeback_holds_the_line_until_it_is_lost_or_won(shop: Programme) -> None:
    """Rule 25."""
    for name, order, kind, status, when in [
        ("p1", "open", "chargeback", "pending", "04-01 10:00"),
        ("p2", "lost", "chargeback", "settled", "04-01 10:00"),
        ("p3", "won", "chargeback", "pending", "04-01 10:00"),
        ("p4", "won", "reversal", "settled", "04-09 10:00"),
        ("p5", "unruled", "chargeback", "pending", "04-01 10:00"),
        ("p6", "undecided", "chargeback", "pending", "04-01 10:00"),
        ("p7", "undecided", "reversal", "failed", "04-09 10:00"),
    ]:
        shop.add(
            "staging.stg_billing__payments",
            payment_id=name,
            order_id=order,
            kind=kind,
            status=status,
            paid_at=at(when),
        )
    shop.rule("chargeback_holds", "false", affiliate_id="a1", valid_from="2011-03-11")
    shop.click("k1", "a1", "03-01 10:00")
    for name in ("open", "lost", "won", "undecided"):
        shop.order(name, "03-10 10:00")
    shop.order("unruled", "03-11 10:00")
    assert {line: row["held_since"] for line, row in shop.commissions().items()} == {
        "open-1": at("04-01 10:00"),
        "lost-1": None,
        "won-1": None,
        "unruled-1": None,
        "undecided-1": at("04-01 10:00"),
    }


def test_a_paused_affiliate_earns_nothing_from_then_on(shop: Programme) -> None:
    """Rule 30: the shop's status since it changed, unless a row says otherwise."""
    shop.connection.execute(
        "update staging.stg_affiliate__affiliates set status = 'suspended',"
        " joined_at = '2011-03-05 00:00:00+00', status_since = '2011-03-10 00:00:00+00'"
        " where affiliate_id = 'a1'"
    )
    for value, first, last in [
        ("active", "2011-03-12", "2011-03-12"),
        ("paused", "2011-03-07", "2011-03-07"),
    ]:
        shop.rule("affiliate_status", value, affiliate_id="a1", valid_from=first, valid_to=last)
    shop.click("k1", "a1", "03-01 10:00")
    for day in ("04", "06", "07", "09", "10", "12"):
        shop.order(day, f"03-{day} 10:00")
    assert shop.earned() == {
        "04-1": ("a1", "affiliate_inactive"),
        "06-1": ("a1", "10.00"),
        "07-1": ("a1", "affiliate_inactive"),
        "09-1": ("a1", "10.00"),
        "10-1": ("a1", "affiliate_inactive"),
        "12-1": ("a1", "10.00"),
    }


def test_in_a_currency_without_cents_whole_units_are_earned(shop: Programme) -> None:
    """Rule 18: by ISO 4217 the yen has no minor unit."""
    shop.connection.execute(
        "update staging.stg_affiliate__affiliates set payout_currency = 'JPY'"
        " where affiliate_id = 'a1'"
    )
    rate = {"currency": "JPY", "rate_date": "2011-03-10", "rate": "0.00516666"}
    shop.add("intermediate.int_finance__rates", **rate)
    shop.click("k1", "a1", "03-01 10:00")
    shop.order("o1", "03-10 10:00", {"mug": "99.99"})
    [row] = shop.commissions().values()
    # 9.999 pounds are 1935.29… yen
    assert (row["fx_rate"], str(row["commission_amount"])) == (Decimal("193.54863684"), "1935.00")
    assert evaluate(row) == row["commission_amount"]


def test_who_is_deleted_by_the_shop_keeps_what_was_posted_and_earns_no_more(
    shop: Programme,
) -> None:
    """Rule 30: the shop deletes the affiliate's own plan too, and other clicks change nothing."""
    shop.plan("own", affiliate_id="a1", rate="0.2", hold_days=14, window_days=90)
    shop.plan("long", affiliate_id="a2", hold_days=60)
    shop.click("k1", "a1", "01-02 10:00")
    for name, day in (("matured", "09"), ("held", "10"), ("gone", "11"), ("later", "12")):
        shop.order(name, f"03-{day} 10:00")
    posted = {name: row for name, row in shop.commissions().items() if name != "later-1"}
    assert {str(row["commission_amount"]) for row in posted.values()} == {"20.00"}
    for line, row in posted.items():
        entry = {
            "affiliate_id": "a1",
            "order_line_id": line,
            "cause_type": "order",
            "rate": row["rate"],
            "fx_rate": row["fx_rate"],
            "currency": row["currency"],
            "posted_at": at("03-20 10:00"),
        }
        for kind, account, amount in [
            ("accrual", "commission_expense", 20),
            ("maturity", "affiliate_payable", -20),
        ]:
            if kind == "accrual" or line == "matured-1":
                name = f"{line} {kind}"
                which = {"entry_id": name, "entry_type": kind, "account": account}
                shop.add("ledger.entries", **entry, **which, amount=amount)
    shop.connection.execute(
        "delete from staging.stg_affiliate__affiliates where affiliate_id = 'a1';"
        " delete from staging.stg_affiliate__commission_plans where plan_id = 'own'"
    )
    shop.click("k2", "a2", "03-01 10:00")
    shop.add("intermediate.int_finance__rates", currency="EUR", rate_date="2011-03-12", rate="1")
    shop.cancel("gone")
    assert shop.earned() == {
        "matured-1": ("a1", "20.00"),
        "held-1": ("a1", "20.00"),
        "gone-1": ("a1", "cancelled"),
        "later-1": ("a2", "10.00"),
    }
    rows = shop.commissions()
    assert {rows[line]["rate_rule"] for line in ("matured-1", "held-1")} == {"posted"}
    assert all(evaluate(row) == row["commission_amount"] for row in rows.values())
    # a hold that is over stays so, and one that was not ends by the longest of all plans
    assert rows["matured-1"]["matures_at"] <= at("03-20 10:00")
    assert rows["held-1"]["matures_at"] == at("05-09 10:00")


def test_the_same_article_again_within_days_is_a_duplicate_where_the_rule_holds(
    shop: Programme,
) -> None:
    """Rule 34."""
    shop.product("pan")
    shop.rule("duplicate_order_days", "7", affiliate_id="a1", valid_from="2011-03-02")
    shop.click("k1", "a1", "03-01 10:00")
    shop.order("o0", "03-01 11:00")
    shop.order("o1", "03-01 12:00")
    shop.order("o2", "03-08 12:00")
    shop.order("o3", "03-16 12:00", status="cancelled")
    shop.order("o4", "03-17 12:00", {"mug": "100", "pan": "100"})
    assert shop.earned() == {
        "o0-1": ("a1", "10.00"),
        "o1-1": ("a1", "10.00"),
        "o2-1": ("a1", "duplicate_order"),
        "o3-1": ("a1", "cancelled"),
        "o4-1": ("a1", "10.00"),
        "o4-2": ("a1", "10.00"),
    }


def test_what_no_plan_is_for_and_what_is_not_commissionable_falls_to_nobody_else(
    shop: Programme,
) -> None:
    """The exclusions of DESIGN 9: an excluded line keeps its affiliate."""
    shop.product("voucher", is_commissionable=False)
    shop.connection.execute("delete from staging.stg_affiliate__commission_plans")
    shop.plan("partner", affiliate_id="a1", rate="0.2")
    shop.click("k1", "a1", "03-01 10:00")
    shop.click("k2", "a2", "03-02 10:00")
    shop.order("o1", "03-09 10:00", {"mug": "100", "voucher": "50", "gone": "50"})
    shop.order("o2", "04-02 10:00")
    assert shop.earned() == {
        "o1-1": ("a2", "no_plan"),
        "o1-2": ("a2", "not_commissionable"),
        "o1-3": ("a2", "not_commissionable"),
    }
