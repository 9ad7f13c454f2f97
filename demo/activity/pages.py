"""What visitors did on the shop's pages, before any clock: which articles, which carts."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from demo.activity.columns import Flags, Millis, Places
from demo.activity.sessions import BUYING, Clicks, Sessions
from demo.activity.tracked import WANTED, Tracked
from demo.draws import Draws, Keys, derived

CART_SHARE = 0.14  # of visits without an order
REMOVE_SHARE = 0.3  # of those carts
OWN_ARTICLE = 0.2  # clicks on the article that the order around the visit is about


@dataclass(frozen=True)
class PageEvents:
    """Events of one kind before the clock has cut them."""

    key: Keys
    session: Places
    click: NDArray[np.int64]  # number of the click in its visit
    at: Millis
    product: Places
    extra: NDArray[np.int64]  # action, or quantity


def products_of(visits: Sessions, clicks: Clicks, orders: Tracked, draws: Draws) -> Places:
    """Return the article of each click: what will be bought, or what others bought before."""
    session = clicks.session
    order = visits.order[session]
    from_end = visits.clicks[session] - 1 - clicks.number
    wanted = orders.wanted[order]
    count = (wanted >= 0).sum(axis=1)
    # The clicks at the end of a buying visit are those on the articles of the order.
    is_bought = (visits.kind[session] == BUYING) & (from_end < count)
    shelf = (draws.uniform("article") * orders.on_shelf[order]).astype(np.int64)
    is_own = (draws.uniform("own") < OWN_ARTICLE) | (orders.on_shelf[order] == 0)
    found = np.where(is_own, wanted[:, 0], orders.shelf[shelf])
    bought = wanted[np.arange(len(order)), np.minimum(from_end, WANTED - 1)]
    return np.where(is_bought, bought, found)


def cart_events(
    visits: Sessions, clicks: Clicks, product: Places, orders: Tracked, seed: int
) -> tuple[PageEvents, PageEvents, PageEvents]:
    """Return what was added, taken out again, and the checkouts."""
    session, order = clicks.session, visits.order[clicks.session]
    from_end = visits.clicks[session] - 1 - clicks.number
    count = (orders.wanted[order] >= 0).sum(axis=1)
    buys = visits.kind[session] == BUYING
    draws = Draws(seed, "cart", visits.key)
    fills = (visits.kind != BUYING) & (draws.uniform("cart") < CART_SHARE) & ~visits.is_bot
    chosen_click = (draws.uniform("which") * visits.clicks).astype(np.int64)
    adds = (buys & (from_end < count)) | (fills[session] & (clicks.number == chosen_click[session]))
    removes = adds & ~buys & (draws.uniform("removed") < REMOVE_SHARE)[session]
    bought = orders.quantities[order, np.clip(from_end, 0, WANTED - 1)]
    quantity = np.where(buys, bought, 1 + draws.integers("quantity", 0, 3)[session])
    after = (clicks.after * 0.3).astype(np.int64)

    def events(kept: Flags, purpose: str, times_after: int) -> PageEvents:
        return PageEvents(
            derived(clicks.key[kept], purpose),
            session[kept],
            clicks.number[kept],
            (clicks.at + after * times_after)[kept],
            product[kept],
            quantity[kept],
        )

    last = np.cumsum(visits.clicks) - 1
    buying = np.flatnonzero(visits.kind == BUYING)
    ordered_at = orders.ordered_at[visits.order[buying]]
    left = ordered_at - clicks.at[last[buying]]
    checkouts = PageEvents(
        derived(visits.key[buying], "checkout"),
        buying,
        visits.clicks[buying] - 1,
        ordered_at - (left * 0.4).astype(np.int64),
        np.full(len(buying), -1, np.int64),
        np.zeros(len(buying), np.int64),
    )
    return events(adds, "add", 1), events(removes, "remove", 2), checkouts


def filtered(events: PageEvents, kept: Flags | Places) -> PageEvents:
    return PageEvents(*(getattr(events, field.name)[kept] for field in fields(PageEvents)))


def joined(parts: list[PageEvents]) -> PageEvents:
    return PageEvents(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(PageEvents)
        )
    )
