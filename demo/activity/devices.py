"""Which browser a customer used: some have two, some share one with their household.

A household is two customers whose numbers follow each other, 2k and 2k+1: whether they share a
device is drawn from the pair's own number, so that no further customer changes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demo.activity.columns import Flags, Places, ids
from demo.draws import Draws, Keys, Numbers, derived, keys_of
from demo.parameters import Parameters
from demo.scenarios import PREFIX

SECOND_USED, SHARED_USED = 0.35, 0.45  # of the visits of those who have such a device


@dataclass(frozen=True)
class People:
    """The devices of some customers, by the customers' place in the list they were made from."""

    first: Keys
    second: Keys
    shared: Keys
    has_second: Flags
    has_shared: Flags

    def visitors(self, customers: Places, seconds: Numbers, shareds: Numbers) -> Keys:
        """Return the browser of visits by customers (no place -1), after two draws per visit."""
        is_second = self.has_second[customers] & (seconds < SECOND_USED)
        is_shared = self.has_shared[customers] & (shareds < SHARED_USED)
        found = np.where(is_second, self.second[customers], self.first[customers])
        return np.where(is_shared, self.shared[customers], found)


def people(customers: Sequence[str], seed: int, parameters: Parameters) -> People:
    """Return the devices of customers, given by their ids."""
    keys = derived(keys_of(customers), f"{seed}/devices")
    draws = Draws(seed, "person", keys)
    # A text that is no number lives alone.
    numbers = [int(name) if name.isdecimal() and len(name) < 16 else -1 for name in customers]
    number = np.array(numbers, np.int64)
    firsts = [
        str(n - 1) if n >= 0 and n % 2 else name for n, name in zip(numbers, customers, strict=True)
    ]
    household = Draws(seed, "household", np.maximum(number // 2, 0).astype(np.uint64))
    # A pair has 2 + 2 * two_devices devices, of which it shares one or none.
    share = parameters.shared_devices * (2 + 2 * parameters.two_devices)
    return People(
        first=derived(keys, "first"),
        second=derived(keys, "second"),
        shared=derived(derived(keys_of(firsts), f"{seed}/devices"), "first"),
        has_second=draws.uniform("two devices") < parameters.two_devices,
        has_shared=(number >= 0) & (number % 2 == 1) & (household.uniform("shares") < share),
    )


def order_visitors(orders: pa.Table, seed: int, parameters: Parameters, share: float) -> pa.Array:
    """Return the visitor_id of each order (order_id, user_id), NULL where nobody knows it.

    Who ordered without an account has a browser that is seen around this order only.
    """
    names = orders.column("order_id").to_pylist()
    owners = orders.column("user_id").to_pylist()
    draws = Draws(seed, "order visitor", keys_of(names))
    known = draws.uniform("known") < share
    customers = sorted({owner for owner in owners if owner is not None})
    place = {owner: index for index, owner in enumerate(customers)}
    found = derived(keys_of(f"order {name}" for name in names), f"{seed}/devices")
    customer = np.array([place.get(owner, -1) for owner in owners], np.int64)
    named = customer >= 0
    found[named] = people(customers, seed, parameters).visitors(
        customer[named], draws.uniform("second")[named], draws.uniform("shared")[named]
    )
    known |= np.array([str(owner).startswith(PREFIX) for owner in owners], bool)
    values = ids("v", found)
    return values.take(pa.array(np.arange(len(names)), mask=~known))
