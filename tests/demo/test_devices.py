"""Whose browser is whose: some customers have two, some share one with their household."""

import pyarrow as pa

from demo.activity import order_visitors
from demo.parameters import Parameters

CUSTOMERS = [str(number) for number in range(12_001, 14_001)]


def visitors(parameters: Parameters, customers: list[str] = CUSTOMERS) -> dict[str, set[str]]:
    """Return the browsers of each customer, seen over 40 orders each."""
    owners = [customer for customer in customers for _ in range(40)]
    orders = pa.table({"order_id": [f"{n}" for n in range(len(owners))], "user_id": owners})
    found: dict[str, set[str]] = {}
    seen = order_visitors(orders, 1, parameters, share=1).to_pylist()
    for customer, visitor in zip(owners, seen, strict=True):
        found.setdefault(customer, set()).add(visitor)
    return found


def test_one_device_each_when_nothing_is_shared() -> None:
    found = visitors(Parameters(two_devices=0, shared_devices=0))

    assert {len(browsers) for browsers in found.values()} == {1}
    assert len(set.union(*found.values())) == len(CUSTOMERS)


def test_a_fifth_has_two_devices_and_three_in_a_hundred_devices_are_shared() -> None:
    both = visitors(Parameters(shared_devices=0))
    found = visitors(Parameters())

    two = sum(len(browsers) == 2 for browsers in both.values()) / len(both)
    assert 0.17 < two < 0.23
    devices = [device for browsers in found.values() for device in browsers]
    shared = 1 - len(set(devices)) / len(devices)
    assert 0.02 < shared < 0.04


def test_a_device_is_shared_by_two_neighbours_at_most() -> None:
    owners: dict[str, list[str]] = {}
    for customer, browsers in visitors(Parameters(shared_devices=0.5)).items():
        for browser in browsers:
            owners.setdefault(browser, []).append(customer)

    pairs = {tuple(sorted(found)) for found in owners.values() if len(found) > 1}
    assert pairs
    assert all(int(a) % 2 == 0 and int(b) == int(a) + 1 for a, b in pairs)


def test_further_orders_and_customers_change_no_earlier_browser() -> None:
    names, owners = ["a", "b", "c", "d"], ["12010", None, "12011", "T7"]
    few = pa.table({"order_id": names[:2], "user_id": owners[:2]})
    more = pa.table({"order_id": names[::-1], "user_id": owners[::-1]})

    found = [order_visitors(orders, 1, Parameters(), 0.5).to_pylist() for orders in (few, more)]

    assert found[0] == found[1][::-1][:2]


def test_the_share_says_how_many_browsers_are_known_but_planted_customers_always_are() -> None:
    orders = pa.table({"order_id": ["a", "b"], "user_id": ["12010", "T7"]})

    assert [
        visitor is not None for visitor in order_visitors(orders, 1, Parameters(), 0).to_pylist()
    ] == [False, True]
