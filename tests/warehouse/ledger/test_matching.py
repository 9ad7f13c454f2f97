"""Three figures of each payment agree, or the difference has a cause: ours, theirs, the refunds."""

from decimal import Decimal
from typing import Any

import pytest

from tests.warehouse.ledger.office import MARCH, MAY, Office
from tests.warehouse.ledger.test_payouts import Desk
from warehouse.ledger import matching, statements
from warehouse.ledger.matching import Refund

Found = list[tuple[str, str, bool]]


@pytest.fixture
def desk(office: Office) -> Desk:
    """Return a desk where 40.00 GBP to ann and 30.00 EUR to ben are exported."""
    office.mature("ann", "40.00", "2026-03-10")
    office.mature("ben", "30.00", "2026-03-11", line="l2", currency="EUR")
    office.publish("2026-05-01")
    statements.close(office.settings, MARCH)
    office.clock("2026-05-02")
    desk = Desk(office)
    desk.export()
    office.clock("2026-06-01")
    return desk


def found(desk: Desk, *rows: str) -> Found:
    matched = matching.match(desk.office.settings, desk.file(*rows))
    assert matched.unexplained == sum(not one.is_explained for one in matched.differences)
    assert all(one.text for one in matched.differences)
    return [(one.subject, one.cause, one.is_explained) for one in matched.differences]


def test_what_agrees_is_no_difference(desk: Desk) -> None:
    rows = ("P-0001-0001,paid,40.00,GBP,2026-05-20", "P-0001-0002,failed,30.00,EUR,2026-05-20")
    desk.bring(*rows)
    assert found(desk, *rows) == []
    # an older file, from before the payment came back
    desk.bring("P-0001-0001,failed,40.00,GBP,2026-05-25")
    assert found(desk, *rows) == []


def test_what_is_not_told_or_not_imported_yet_is_explained(desk: Desk) -> None:
    assert found(desk, "P-0001-0001,paid,40.00,GBP,2026-05-20") == [
        ("P-0001-0001", "not_imported", True),
        ("P-0001-0002", "not_reported", True),
    ]
    desk.bring("P-0001-0001,paid,40.00,GBP,2026-05-20", "P-0001-0002,paid,30.00,EUR,2026-05-20")
    assert found(desk, "P-0001-0001,failed,40.00,GBP,2026-05-21") == [
        ("P-0001-0001", "not_imported", True)
    ]


def test_an_unknown_payment_another_amount_or_currency_is_not_explained(desk: Desk) -> None:
    assert found(
        desk,
        "P-0001-0001,paid,39.00,GBP,2026-05-20",
        "P-0001-0002,paid,30.00,GBP,2026-05-20",
        "P-0009-0001,paid,1.00,GBP,2026-05-20",
    ) == [
        ("P-0001-0001", "other_amount", False),
        ("P-0001-0002", "other_currency", False),
        ("P-0009-0001", "unknown_payout", False),
    ]


def test_what_the_provider_netted_is_explained_by_the_refunds_since_the_export(desk: Desk) -> None:
    refund = {"entry_type": "reversal", "cause_type": "refund", "cause_id": "r1"}
    desk.office.mature("ann", "-3.00", "2026-05-10", **refund)
    desk.office.mature("ann", "-9.00", "2026-05-01", **refund | {"cause_id": "r0"}, line="l7")
    allocations = ", ".join(
        f"('{refund}', '{line}', 60)" for refund, line in (("r1", "l1"), ("r0", "l7"))
    )
    desk.office.publish(
        "2026-05-20",
        sql=f"insert into core.refund_allocations values {allocations};"
        " insert into core.order_lines values ('l1', 'o1', 100), ('l7', 'o1', 100)",
    )
    assert found(desk, "P-0001-0001,paid,37.00,GBP,2026-05-20") == [
        ("P-0001-0001", "netted_refunds", True),
        ("P-0001-0002", "not_reported", True),
    ]
    assert found(desk, "P-0001-0001,paid,28.00,GBP,2026-05-20")[0][1:] == ("other_amount", False)


def test_posted_entries_that_are_not_what_was_recorded_are_not_explained(desk: Desk) -> None:
    desk.office.mature(
        "ann",
        "-40.00",
        "2026-05-10",
        line="(none)",
        entry_type="payout",
        cause_type="statement",
        cause_id="P-0001-0001",
    )
    assert found(desk, "P-0001-0001,failed,40.00,GBP,2026-05-20") == [
        ("P-0001-0001", "not_imported", True),
        ("P-0001-0001", "posted_otherwise", False),
        ("P-0001-0002", "not_reported", True),
    ]


def expense(line: str, amount: str, cause_type: str = "order", cause_id: str = "o1") -> Any:
    return {
        "account": "commission_expense",
        "affiliate_id": "ann",
        "currency": "GBP",
        "order_line_id": line,
        "amount": Decimal(amount),
        "cause_type": cause_type,
        "cause_id": cause_id,
        "period": MAY,
    }


@pytest.mark.parametrize(
    ("refunded", "entries", "causes"),
    [
        ("50", [expense("l1", "5.00"), expense("l1", "-2.50", "refund", "r1")], []),
        ("50", [expense("l1", "5.00")], ["refund_not_reversed"]),
        # cancelled before: nothing is left to take back
        ("50", [expense("l1", "5.00"), expense("l1", "-5.00")], []),
        ("0.19", [expense("l1", "5.00")], ["below_a_cent"]),
        ("0.20", [expense("l1", "5.00")], ["refund_not_reversed"]),
        (
            "50",
            [
                expense("l1", "5.00"),
                expense("l1", "-2.50", "refund", "r1"),
                expense("l1", "-1.00", "refund", "r2"),
            ],
            ["reversed_without_refund"],
        ),
        # posted, and taken back as the refund was deleted
        (
            "50",
            [
                expense("l1", "5.00"),
                expense("l1", "-2.50", "refund", "r1"),
                expense("l1", "-1.00", "refund", "r2"),
                expense("l1", "1.00", "refund", "r2"),
            ],
            [],
        ),
    ],
)
def test_each_refund_took_back_commission_and_nothing_else_did(
    refunded: str, entries: list[dict[str, Any]], causes: list[str]
) -> None:
    refund = Refund("r1", "l1", Decimal(refunded), Decimal(100))
    assert [one.cause for one in matching.of_refunds([refund], entries)] == causes
