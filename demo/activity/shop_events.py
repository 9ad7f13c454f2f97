"""What visitors did in the shop: views, searches and carts, the items of `shop_activity`."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from demo.activity import attributes
from demo.activity.columns import (
    DAY,
    Flags,
    Millis,
    Places,
    chosen,
    decimals,
    ids,
    taken,
    times,
    where,
)
from demo.activity.delivery import delivered
from demo.activity.sessions import BUYING, STRANGER, Clicks, Sessions
from demo.activity.tracked import WANTED, Tracked
from demo.draws import Draws, Keys, derived
from demo.parameters import Parameters

pc: Any = pyarrow.compute

QUERIES = ("lunch bag", "t-light holder", "cake stand", "christmas", "bunting", "mug", "cushion")
SEARCH_SHARE, WISHLIST_SHARE = 0.1, 0.05  # of clicks
CART_SHARE = 0.14  # of visits without an order
REMOVE_SHARE = 0.3  # of those carts
OWN_ARTICLE = 0.2  # clicks on the article that the order around the visit is about
# Carts of visitors who never signed in are forgotten after so many days (DynamoDB's TTL).
CART_KEPT_DAYS = 45
# An item is written at once, most of the time.
WRITTEN = (20, 900)
ADD, REMOVE, CHECKOUT = range(3)


@dataclass(frozen=True)
class Happened:
    """The items of one entity, and which event of which visit each one is."""

    entity: str
    table: pa.Table
    event_id: pa.Array
    session: Places
    at: Millis
    is_visit: Flags  # what prolongs a visit, not an ad on another site


@dataclass(frozen=True)
class _Events:
    """Events of one kind before the clock has cut them."""

    key: Keys
    session: Places
    click: NDArray[np.int64]  # number of the click in its visit
    at: Millis
    product: Places
    extra: NDArray[np.int64]  # action, or quantity


def shop_events(
    visits: Sessions, clicks: Clicks, orders: Tracked, now: int, seed: int, parameters: Parameters
) -> list[Happened]:
    """Return product events, searches and cart events that are in the store at `now`."""
    draws = Draws(seed, "page", clicks.key)
    product = _products(visits, clicks, orders, draws)
    maker = _Maker(visits, orders, now, seed, parameters)
    views = _Events(
        clicks.key, clicks.session, clicks.number, clicks.at, product, np.zeros_like(product)
    )
    searched = (draws.uniform("search") < SEARCH_SHARE) & (clicks.before > 1_000)
    before = (clicks.before * (0.3 + 0.3 * draws.uniform("searched"))).astype(np.int64)
    searches = _Events(
        derived(clicks.key, "search")[searched],
        clicks.session[searched],
        clicks.number[searched],
        (clicks.at - before)[searched],
        product[searched],
        np.zeros(searched.sum(), np.int64),
    )
    return [maker.views(views), maker.searches(searches), maker.carts(visits, clicks, product)]


def _products(visits: Sessions, clicks: Clicks, orders: Tracked, draws: Draws) -> Places:
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


class _Maker:
    """Makes items of events: what all of them have, and what is theirs alone."""

    def __init__(
        self, visits: Sessions, orders: Tracked, now: int, seed: int, parameters: Parameters
    ) -> None:
        self._visits = visits
        self._orders = orders
        self._now = now
        self._seed = seed
        self._parameters = parameters
        self._customers = pa.array(orders.customers, pa.string())
        self._products = pa.array(orders.products, pa.string())

    def views(self, events: _Events) -> Happened:
        """Return the views and wishes."""
        events, again = self._stored(events)
        draws = Draws(self._seed, "view", events.key)
        is_wish = draws.uniform("wishlist") < WISHLIST_SHARE
        price = decimals(self._orders.price_at(events.product, events.at))
        name = ids("p", events.key)
        columns = self._common("VIEW", "view", name, events, again)
        columns |= {
            "event_id": name,
            "product_id": taken(self._products, events.product),
            "event_type": chosen(("view", "wishlist"), is_wish.astype(np.int64)),
            "price": price,
        }
        columns |= attributes.product_event_attributes(draws, price, ~is_wish)
        return self._happened("product_events", columns, name, events)

    def searches(self, events: _Events) -> Happened:
        """Return the searches."""
        events, again = self._stored(events)
        draws = Draws(self._seed, "search", events.key)
        name = ids("s", events.key)
        product = taken(self._products, events.product)
        columns = self._common("SEARCH", "search", name, events, again)
        columns |= {
            "search_id": name,
            "query": chosen(QUERIES, draws.integers("query", 0, len(QUERIES))),
            "result_count": pa.array(draws.integers("results", 0, 40)),
            "clicked_product_id": where(draws.uniform("clicked") < 0.7, product),
        }
        columns |= attributes.search_attributes(draws, product)
        return self._happened("searches", columns, name, events)

    def carts(self, visits: Sessions, clicks: Clicks, product: Places) -> Happened:
        """Return what was put into carts, taken out again and checked out."""
        adds, removes, checkouts = _cart_events(visits, clicks, product, self._orders, self._seed)
        events = _joined([adds, removes, checkouts])
        action = np.repeat(
            [ADD, REMOVE, CHECKOUT], [len(e.key) for e in (adds, removes, checkouts)]
        )
        kept = self._is_kept(events)
        events, action = _filtered(events, kept), action[kept]
        position = np.arange(len(events.key))
        numbered = _Events(
            events.key, events.session, events.click, events.at, position, events.extra
        )
        numbered, again = self._stored(numbered)
        place = numbered.product
        events = _filtered(events, place)
        action = action[place]
        name = ids("k", events.key)
        is_article = action != CHECKOUT
        article = np.where(is_article, events.product, -1)
        price = decimals(self._orders.price_at(np.maximum(article, 0), events.at))
        columns = self._common("CART", "cart", name, events, again)
        stranger = self._visits.kind[events.session] == STRANGER
        expires = events.at // 1000 + CART_KEPT_DAYS * DAY // 1000
        columns |= {
            "event_id": name,
            "cart_id": ids("c", derived(self._visits.key[events.session], "cart")),
            "action": chosen(("add", "remove", "checkout"), action),
            "product_id": taken(self._products, article),
            "quantity": where(is_article, pa.array(events.extra)),
            "unit_price": where(is_article, price),
            "expires_at": where(stranger, pa.array(expires)),
        }
        columns |= attributes.checkout_attributes(events.key, ~is_article)
        return self._happened("cart_events", columns, name, events)

    def _is_kept(self, events: _Events) -> Flags:
        """Return which carts' events the store has not dropped by now."""
        stranger = self._visits.kind[events.session] == STRANGER
        return ~stranger | (events.at + CART_KEPT_DAYS * DAY >= self._now)

    def _stored(self, events: _Events) -> tuple[_Events, Millis]:
        """Return the events as often as they are stored, and how much later each copy's key is."""
        arrived = delivered(events.key, events.at, WRITTEN, self._seed, self._parameters)
        arrived = arrived.until(self._now)
        found = _filtered(events, arrived.event)
        later = (Draws(self._seed, "copy", found.key).uniform("later") * 5_000).astype(np.int64)
        return found, np.where(arrived.is_again, 1 + later, 0)

    def _common(
        self, prefix: str, kind: str, name: pa.Array, events: _Events, again: Millis
    ) -> dict[str, pa.Array]:
        visits = self._visits
        visitor = ids("v", visits.visitor[events.session])
        signed_in = events.click >= visits.signed_in[events.session]
        customer = np.where(signed_in, visits.customer[events.session], -1)
        keyed = times(events.at + again)
        return {
            "pk": pc.binary_join_element_wise("VISITOR#", visitor, ""),
            "sk": pc.binary_join_element_wise(f"{prefix}#", keyed, "#", name, ""),
            "type": pa.repeat(kind, len(name)),
            "visitor_id": visitor,
            "customer_id": taken(self._customers, customer),
            "occurred_at": times(events.at),
        }

    def _happened(
        self, entity: str, columns: dict[str, pa.Array], name: pa.Array, events: _Events
    ) -> Happened:
        table, everything = attributes.table_of(columns), np.ones(len(name), bool)
        return Happened(entity, table, name, events.session, events.at, everything)


def _cart_events(
    visits: Sessions, clicks: Clicks, product: Places, orders: Tracked, seed: int
) -> tuple[_Events, _Events, _Events]:
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

    def events(kept: Flags, purpose: str, times_after: int) -> _Events:
        return _Events(
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
    checkouts = _Events(
        derived(visits.key[buying], "checkout"),
        buying,
        visits.clicks[buying] - 1,
        ordered_at - (left * 0.4).astype(np.int64),
        np.full(len(buying), -1, np.int64),
        np.zeros(len(buying), np.int64),
    )
    return events(adds, "add", 1), events(removes, "remove", 2), checkouts


def _filtered(events: _Events, kept: Flags | Places) -> _Events:
    return _Events(*(getattr(events, field.name)[kept] for field in fields(_Events)))


def _joined(parts: list[_Events]) -> _Events:
    return _Events(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(_Events)
        )
    )
