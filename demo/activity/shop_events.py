"""What visitors did in the shop: views, searches and carts, the items of `shop_activity`."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

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
from demo.activity.pages import PageEvents, cart_events, filtered, joined, products_of
from demo.activity.sessions import STRANGER, Clicks, Sessions
from demo.activity.tracked import Tracked
from demo.draws import Draws, derived
from demo.parameters import Parameters

pc: Any = pyarrow.compute

QUERIES = ("lunch bag", "t-light holder", "cake stand", "christmas", "bunting", "mug", "cushion")
SEARCH_SHARE, WISHLIST_SHARE = 0.1, 0.05  # of clicks
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
    is_click: Flags  # on a product


def shop_events(
    visits: Sessions, clicks: Clicks, orders: Tracked, now: int, seed: int, parameters: Parameters
) -> list[Happened]:
    """Return product events, searches and cart events that are in the store at `now`."""
    draws = Draws(seed, "page", clicks.key)
    product = products_of(visits, clicks, orders, draws)
    maker = _Maker(visits, orders, now, seed, parameters)
    views = PageEvents(
        clicks.key, clicks.session, clicks.number, clicks.at, product, np.zeros_like(product)
    )
    wished = draws.uniform("wishlist") < WISHLIST_SHARE
    wishes = PageEvents(
        derived(clicks.key, "wish")[wished],
        clicks.session[wished],
        clicks.number[wished],
        (clicks.at + clicks.after // 8)[wished],
        product[wished],
        np.ones(wished.sum(), np.int64),
    )
    searched = (draws.uniform("search") < SEARCH_SHARE) & (clicks.before > 1_000)
    before = (clicks.before * (0.3 + 0.3 * draws.uniform("searched"))).astype(np.int64)
    searches = PageEvents(
        derived(clicks.key, "search")[searched],
        clicks.session[searched],
        clicks.number[searched],
        (clicks.at - before)[searched],
        product[searched],
        np.zeros(searched.sum(), np.int64),
    )
    return [
        maker.views(joined([views, wishes])),
        maker.searches(searches),
        maker.carts(visits, clicks, product),
    ]


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

    def views(self, events: PageEvents) -> Happened:
        """Return the views and wishes."""
        events, again = self._stored(events)
        draws = Draws(self._seed, "view", events.key)
        is_wish = events.extra > 0
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
        return self._happened("product_events", columns, name, events, ~is_wish)

    def searches(self, events: PageEvents) -> Happened:
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
        adds, removes, checkouts = cart_events(visits, clicks, product, self._orders, self._seed)
        events = joined([adds, removes, checkouts])
        action = np.repeat(
            [ADD, REMOVE, CHECKOUT], [len(e.key) for e in (adds, removes, checkouts)]
        )
        kept = self._is_kept(events)
        events, action = filtered(events, kept), action[kept]
        position = np.arange(len(events.key))
        numbered = PageEvents(
            events.key, events.session, events.click, events.at, position, events.extra
        )
        numbered, again = self._stored(numbered)
        place = numbered.product
        events = filtered(events, place)
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

    def _is_kept(self, events: PageEvents) -> Flags:
        """Return which carts' events the store has not dropped by now."""
        stranger = self._visits.kind[events.session] == STRANGER
        return ~stranger | (events.at + CART_KEPT_DAYS * DAY >= self._now)

    def _stored(self, events: PageEvents) -> tuple[PageEvents, Millis]:
        """Return the events as often as they are stored, and how much later each copy's key is."""
        arrived = delivered(events.key, events.at, WRITTEN, self._seed, self._parameters)
        arrived = arrived.until(self._now)
        found = filtered(events, arrived.event)
        later = (Draws(self._seed, "copy", found.key).uniform("later") * 5_000).astype(np.int64)
        return found, np.where(arrived.is_again, 1 + later, 0)

    def _common(
        self, prefix: str, kind: str, name: pa.Array, events: PageEvents, again: Millis
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
        self,
        entity: str,
        columns: dict[str, pa.Array],
        name: pa.Array,
        events: PageEvents,
        is_click: Flags | None = None,
    ) -> Happened:
        table, everything = attributes.table_of(columns), np.ones(len(name), bool)
        clicked = np.zeros(len(name), bool) if is_click is None else is_click
        return Happened(entity, table, name, events.session, events.at, everything, clicked)
