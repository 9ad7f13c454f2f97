"""What people decide is kept with author and reason, and refused where it cannot be."""

from decimal import Decimal

import pytest

from extractors.errors import ConfigError
from tests.warehouse.ledger.office import MARCH, Office, maturity
from tests.warehouse.ledger.test_payouts import Desk
from warehouse.ledger import decisions, kept, statements
from warehouse.who import who


@pytest.fixture
def published(office: Office) -> Office:
    """Return a warehouse where 45.00 are payable to ann."""
    office.mature("ann", "40.00", "2026-03-10")
    office.mature("ann", "5.00", "2026-03-11", line="l9", entry_type="accrual")
    office.publish("2026-05-01", sql="insert into affiliate.clicks values ('k1', 'ann')")
    return office


def test_rule_37_an_adjustment_is_kept_with_its_author_and_reason(published: Office) -> None:
    published.clock("2026-05-04T10:30")
    made = decisions.adjust(published.settings, "ann", Decimal("-12.5"), " paid twice ", 0)
    assert decisions.decided(published.state) == [made]
    shown = {name: made[name] for name in made if name not in {"id", "decided", "recorded_at"}}
    assert shown == {
        "decision_id": "D-0001",
        "kind": "adjustment",
        "affiliate_id": "ann",
        "click_id": "(none)",
        "order_line_id": "(none)",
        "amount": "-12.50",
        "currency": "GBP",
        "days": None,
        "effective_at": "2026-05-04T10:00:00.000000Z",
        "decided_at": "2026-05-04T10:30:00.000000Z",
        "author": who(),
        "reason": "paid twice",
    }
    assert kept.kept_in(published.state).texts()["decisions"]


def test_an_adjustment_that_is_given_twice_by_mistake_is_refused(published: Office) -> None:
    decisions.adjust(published.settings, "ann", Decimal(25), "bonus", 0)
    with pytest.raises(ConfigError, match=r"D-0001 \(.*adjusts ann by 25.00 GBP for the same reas"):
        decisions.adjust(published.settings, "ann", Decimal("25.0"), " bonus ", 0)
    for amount, reason in ((25, "bonus of May"), (-25, "bonus")):
        decisions.adjust(published.settings, "ann", Decimal(amount), reason, 0)
    assert len(decisions.decided(published.state)) == 3


def test_rule_37_a_click_is_decided_for_its_affiliate(published: Office) -> None:
    for kind in ("click_held", "click_valid"):
        made = decisions.click(published.settings, "k1", kind, "asked the partner", 0)
        assert (made["kind"], made["affiliate_id"], made["click_id"]) == (kind, "ann", "k1")
    assert [one["decision_id"] for one in decisions.decided(published.state)] == [
        "D-0001",
        "D-0002",
    ]
    with pytest.raises(ConfigError, match="version v000001 knows no affiliate click 'k2'.* lists"):
        decisions.click(published.settings, "k2", "click_held", "why", 0)


def test_rule_30_forfeiting_takes_all_that_is_payable_once(published: Office) -> None:
    taken = decisions.forfeit(published.settings, "ann", "terms broken", 0)
    assert (taken["kind"], taken["amount"]) == ("forfeit", "-45.00")
    # though no run has posted it yet
    with pytest.raises(ConfigError, match=r"ann is owed nothing \(0.00 GBP\)"):
        decisions.forfeit(published.settings, "ann", "terms broken", 0)
    published.mature(
        "ann",
        "-45.00",
        "2026-05-10",
        line="(none)",
        entry_type="adjustment",
        cause_type="decision",
        cause_id="D-0001",
    )
    with pytest.raises(ConfigError, match=r"ann is owed nothing \(0.00 GBP\)"):
        decisions.forfeit(published.settings, "ann", "terms broken", 0)


def test_rule_30_what_is_in_an_open_batch_is_not_forfeited(published: Office) -> None:
    statements.close(published.settings, MARCH)
    Desk(published).export()
    published.mature("ann", "3.00", "2026-04-10", line="l3")
    assert decisions.forfeit(published.settings, "ann", "left", 0)["amount"] == "-3.00"


def test_rule_27_what_an_affiliate_owes_is_written_off_once(published: Office) -> None:
    with pytest.raises(ConfigError, match=r"ann owes nothing \(45.00 GBP\)"):
        decisions.write_off(published.settings, "ann", "left", 0)
    published.mature("ann", "-50.00", "2026-04-10", entry_type="reversal")
    assert decisions.write_off(published.settings, "ann", "left", 0)["amount"] == "5.00"
    with pytest.raises(ConfigError, match=r"ann owes nothing \(0.00 GBP\)"):
        decisions.write_off(published.settings, "ann", "left", 0)


def test_rule_20_a_hold_is_extended_once_and_only_while_something_is_pending(
    office: Office,
) -> None:
    office.publish("2026-05-01")
    with pytest.raises(ConfigError, match="nothing is posted for order line 'l1'"):
        decisions.extend(office.settings, "l1", 30, "return is on its way", 0)
    expense, liability = maturity("ann", "7.00", "2026-03-10", entry_type="accrual")
    office.post(expense, liability | {"account": "affiliate_pending"})
    made = decisions.extend(office.settings, "l1", 30, "return is on its way", 0)
    assert (made["kind"], made["affiliate_id"], made["order_line_id"], made["days"]) == (
        "extend_hold",
        "ann",
        "l1",
        30,
    )
    with pytest.raises(ConfigError, match=r"line l1 was extended before, by 30 days \(D-0001"):
        decisions.extend(office.settings, "l1", 30, "once more", 0)
    expense, liability = maturity("ann", "7.00", "2026-03-11", "l2", entry_type="accrual")
    office.post(expense, liability | {"account": "affiliate_pending"})
    office.mature("ann", "7.00", "2026-04-11", line="l2")
    with pytest.raises(ConfigError, match="nothing of line l2 is pending: its hold is over"):
        decisions.extend(office.settings, "l2", 30, "too late", 0)


def test_an_unknown_affiliate_or_no_reason_records_nothing(published: Office) -> None:
    with pytest.raises(ConfigError, match="version v000001 knows no affiliate 'zoe'"):
        decisions.adjust(published.settings, "zoe", Decimal(1), "bonus", 0)
    with pytest.raises(ConfigError, match="--reason is empty"):
        decisions.adjust(published.settings, "ann", Decimal(1), "  ", 0)
    assert decisions.decided(published.state) == []
