"""Three networks' public rules, computed by hand, from the click to what is owed in the end.

The figures in the comments are worked out on paper from the rules that Amazon Associates, Awin and
Tolt publish; the models of commissions and the functions of the ledger have to arrive at them.
"""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.dbt.build import Build
from tests.dbt.programme import Programme, at
from warehouse.ledger import columns, due, proposal

pytestmark = pytest.mark.slow


class Ledger:
    """What is posted of a programme's commissions, run by run."""

    def __init__(self, shop: Programme) -> None:
        self.shop = shop
        shop.connection.execute(
            "create table refund_allocations (refund_id varchar, order_line_id varchar,"
            " amount decimal(18, 4));"
            "create table refunds (refund_id varchar, refunded_at timestamptz)"
        )
        shop.connection.register("none", columns.ENTRIES.empty_table())
        shop.connection.execute("create table entries as from none")

    def refund(self, line: str, amount: str, when: str) -> None:
        """Give back an amount of a line."""
        name = f"r {line} {when}"
        self.shop.add("refund_allocations", refund_id=name, order_line_id=line, amount=amount)
        self.shop.add("refunds", refund_id=name, refunded_at=at(when))

    def run(self, when: str) -> dict[str, Decimal]:
        """Post what is due at a time; return what then is pending, payable and paid."""
        names = {
            "commissions": "intermediate.int_affiliate__commissions",
            "allocations": "refund_allocations",
            "refunds": "refunds",
            "payments": "staging.stg_billing__payments",
            "decisions": "ledger.decisions",
        }
        connection = self.shop.connection
        due.write(connection, into="due", as_of=at(when), **names)
        proposal.propose(
            connection,
            into="proposed",
            due="due",
            posted="entries",
            closed_through=None,
            as_of=at(when),
            posted_at=at(when),
            zone="Europe/London",
            run_id=when,
        )
        connection.execute("insert into entries by name from proposed")
        found = connection.execute(
            "select account, -sum(amount) from entries where account <> 'commission_expense'"
            " group by account having sum(amount) <> 0"
        ).fetchall()
        return {account.removeprefix("affiliate_"): amount for account, amount in found}

    def pay(self, amount: str, when: str) -> None:
        """Pay out what was payable."""
        for account, sign in (("affiliate_payable", 1), ("affiliate_paid", -1)):
            self.shop.add(
                "entries",
                entry_id=f"{account} {when}",
                transaction_id=f"payout {when}",
                account=account,
                affiliate_id="a1",
                order_line_id="(none)",
                entry_type="payout",
                amount=sign * Decimal(amount),
                currency="GBP",
                effective_at=at(when),
                posted_at=at(when),
                period=at(when).date().replace(day=1),
                cause_type="statement",
                cause_id="s1",
            )


@pytest.fixture
def shop(small_shop: Build) -> Iterator[Programme]:
    """Yield a programme without a plan."""
    programme = Programme(small_shop)
    programme.connection.execute("delete from staging.stg_affiliate__commission_plans")
    programme.product("mug", "kitchen")
    programme.product("doll", "toys")
    yield programme
    programme.connection.close()


def test_amazon_pays_what_was_put_into_the_cart_within_24_hours_by_category(
    shop: Programme,
) -> None:
    """Click at 10:00; the mug into the cart after 23 hours, the doll after 25; bought weeks later.

    Kitchen pays 4.50 %, toys 3 %. 2 mugs of 19.99 with 20 % VAT: 39.98 / 1.2 = 33.3167 (to 4
    places), x 0.045 = 1.4992515 -> 1.50. The doll earns nothing: its 24 hours were over. Of a
    second order, after another associate's click, the mug is theirs at once: the window closes.
    """
    shop.rule("cart_window_hours", "24")
    shop.rule("cart_expiry_days", "89")
    shop.rule("vat_rate", "0.2")
    shop.plan("kitchen", category="kitchen", rate="0.045", window_days=1)
    shop.plan("toys", category="toys", rate="0.03", window_days=1)
    shop.add("intermediate.int_finance__rates", currency="EUR", rate_date="2011-03-21", rate="1")
    shop.click("k1", "a1", "03-01 10:00")
    shop.click("k2", "a2", "03-21 09:00")
    for product, when in (("mug", "03-02 09:00"), ("doll", "03-02 11:00"), ("mug", "03-21 10:00")):
        shop.add(
            "staging.stg_activity__cart_events",
            event_id=f"{product} {when}",
            visitor_id="v1",
            product_id=product,
            action="add",
            occurred_at=at(when),
        )
    shop.order("o1", "03-20 10:00", {"mug": "39.98", "doll": "24.00"})
    shop.order("o2", "03-21 11:00", {"mug": "12.00"})
    assert shop.earned() == {"o1-1": ("a1", "1.50"), "o2-1": ("a2", "0.45")}


def test_awin_approves_by_itself_at_the_end_of_the_validation_unless_declined(
    shop: Programme,
) -> None:
    """5 %, validation of 30 days. Order 1: 80.00 -> 4.00, nothing happens, approved on day 30.

    Order 2: 60.00 with 10 off -> 50.00 x 0.05 = 2.50, and is cancelled on day 10: declined. Order
    3: 40.00 -> 2.00, a quarter is returned on day 20: 30.00 x 0.05 = 1.50 is left. Delivery is not
    commissionable. So 8.50 are pending at first, 5.50 are approved in the end.
    """
    shop.plan("flat", rate="0.05", hold_days=30)
    shop.click("k1", "a1", "03-01 10:00")
    shop.order("o1", "03-02 10:00", {"mug": "80"})
    shop.order("o2", "03-02 11:00", {"mug": "60", "discount": "-10"})
    shop.order("o3", "03-02 12:00", {"doll": "40"})
    ledger = Ledger(shop)
    assert {line: amount for line, (_, amount) in shop.earned().items()} == {
        "o1-1": "4.00",
        "o2-1": "2.50",
        "o3-1": "2.00",
    }
    assert ledger.run("03-03 00:00") == {"pending": Decimal("8.50")}
    shop.cancel("o2")
    assert shop.earned()["o2-1"] == ("a1", "cancelled")
    assert ledger.run("03-12 00:00") == {"pending": Decimal("6.00")}
    ledger.refund("o3-1", "10", "03-22 10:00")
    assert ledger.run("03-31 00:00") == {"pending": Decimal("5.50")}
    assert ledger.run("04-02 00:00") == {"payable": Decimal("5.50")}


def test_tolt_takes_a_refund_after_payment_from_the_next_payout_once(shop: Programme) -> None:
    """20 %, holding period 30 days. 99.90 -> 19.98, held, then paid out.

    It is refunded whole after that: -19.98 is owed and nothing is edited. The next order brings
    49.95 x 0.2 = 9.99: after its hold 9.99 - 19.98 = -9.99 is carried on, and not paid out.
    """
    shop.plan("flat", rate="0.2", hold_days=30)
    shop.click("k1", "a1", "03-01 10:00")
    shop.order("o1", "03-02 10:00", {"mug": "99.90"})
    shop.order("o2", "03-30 10:00", {"mug": "49.95"})
    ledger = Ledger(shop)
    assert {line: amount for line, (_, amount) in shop.earned().items()} == {
        "o1-1": "19.98",
        "o2-1": "9.99",
    }
    paid = {"paid": Decimal("19.98")}
    assert ledger.run("04-05 00:00") == {"pending": Decimal("9.99"), "payable": Decimal("19.98")}
    ledger.pay("19.98", "04-06 00:00")
    assert ledger.run("04-07 00:00") == {"pending": Decimal("9.99"), **paid}
    ledger.refund("o1-1", "99.90", "04-10 10:00")
    after = {"pending": Decimal("9.99"), "payable": Decimal("-19.98"), **paid}
    assert ledger.run("04-11 00:00") == after
    assert ledger.run("04-12 00:00") == after
    assert ledger.run("05-01 00:00") == {"payable": Decimal("-9.99"), **paid}
