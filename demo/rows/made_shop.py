"""The made-up part of a shop as rows, with the times at which each of them changes."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from demo.draws import Draws
from demo.parameters import Parameters
from demo.rows.catalogue import Catalogue
from demo.rows.columns import DAY, Flags, Ints, instants, numbered, pc, picked, prices, seconds_of
from demo.rows.dated import Prices, StockOuts
from demo.rows.made_lines import (
    CHARGES,
    CODES,
    MadeLines,
    has_coupon,
    made_lines,
    product_ids,
)
from demo.rows.made_orders import CANCELLED_SHARE, TELEPHONE_SHARE, MadeOrders, made_orders
from demo.rows.made_refunds import currencies, refund_lines
from demo.rows.people import People

# Lines typed wrong, and put right 1 to 10 days later.
MISTYPED_SHARE = 0.006
COUPONS = ("WELCOME10", "GIFT10")
HOME = "United Kingdom"


@dataclass(frozen=True)
class MadeRows:
    """Orders, lines and refunds as rows of their tables, not cut at the clock, with more columns.

    orders: is_made, is_sale, visible_at, cancelled_at and deleted_at; order_lines: typed_quantity,
    typed_price and corrected_at; refunds: typed_amount and corrected_at.
    """

    orders: pa.Table
    order_lines: pa.Table
    refunds: pa.Table


def made_rows(
    people: People,
    catalogue: Catalogue,
    listed: Prices,
    outs: StockOuts,
    coupons: tuple[list[str], Ints],
    seed: int,
    scale: float,
    start: datetime,
    horizon: datetime,
    first_number: int,
    parameters: Parameters,
) -> MadeRows:
    """Return what customers order from `start` to `horizon`.

    `coupons` are the affiliates' codes and from when (seconds) they are valid; documents are
    numbered from `first_number`.
    """
    orders = made_orders(people, seed, scale, seconds_of(start), seconds_of(horizon), parameters)
    lines = made_lines(orders, catalogue, listed, outs, seed, parameters)
    draw = orders.draws.uniform
    kinds = numbered("A", first_number + orders.number), numbered("", first_number + orders.number)
    order_ids = pc.if_else(pa.array(orders.is_debt), *kinds)
    nobody = orders.account < 0
    users = picked(pa.array(people.ids, pa.string()), orders.account, nobody)
    countries = picked(pa.array(people.countries, pa.string()), orders.account, nobody)
    countries = pc.if_else(pa.array(nobody), HOME, countries)
    is_real_sale = orders.is_sale & ~orders.is_test
    is_cancelled = is_real_sale & (draw("cancelled") < CANCELLED_SHARE)
    by_telephone = is_real_sale & ~is_cancelled & (draw("telephone") < TELEPHONE_SHARE)
    waits = orders.draws.integers("entered after", 6 * 3600, 3 * DAY)
    cancelled = orders.seconds + orders.draws.integers("cancelled after", 3600, 2 * DAY)
    deleted = orders.seconds + orders.draws.integers("removed after", DAY, 5 * DAY)
    codes = product_ids(lines, catalogue)
    return MadeRows(
        orders=pa.table(
            {
                "order_id": order_ids,
                "user_id": users,
                "ordered_at": instants(orders.seconds),
                "country": countries,
                "currency": currencies(orders.is_euro),
                "coupon_code": _coupon_codes(orders, coupons, parameters),
                "is_made": pa.array(np.ones(len(orders), np.bool_)),
                "is_sale": pa.array(is_real_sale),
                # Staff and telephones have no browser that the shop knows.
                "has_browser": pa.array(is_real_sale & ~by_telephone),
                "visible_at": instants(orders.seconds + np.where(by_telephone, waits, 0)),
                "cancelled_at": instants(cancelled, ~is_cancelled),
                "deleted_at": instants(deleted, ~orders.is_test),
            }
        ),
        order_lines=_line_rows(orders, lines, order_ids, codes),
        refunds=refund_lines(
            orders,
            lines,
            is_real_sale & ~is_cancelled & ~by_telephone,
            codes,
            order_ids,
            users,
            countries,
            first_number,
            parameters,
        ),
    )


def _coupon_codes(
    orders: MadeOrders, coupons: tuple[list[str], Ints], parameters: Parameters
) -> pa.Array:
    codes, valid_from = coupons
    place = orders.draws.integers("coupon code", 0, max(1, len(codes)))
    usual = len(codes) + orders.draws.integers("usual coupon", 0, len(COUPONS))
    theirs = orders.draws.uniform("affiliate's coupon") < 0.5
    if codes:
        theirs &= valid_from[place] <= orders.seconds
    else:
        theirs &= False
    chosen = np.where(theirs, place, usual)
    return picked([*codes, *COUPONS], chosen, ~has_coupon(orders, parameters))


def _line_rows(
    orders: MadeOrders, lines: MadeLines, order_ids: pa.Array, codes: pa.Array
) -> pa.Table:
    drawn = Draws(orders.seed, "made line", lines.key)
    ids = order_ids.take(pa.array(lines.order))
    texts = pa.array(lines.number, pa.int64()).cast(pa.string())
    goods = (lines.article >= 0) & (lines.thousandths > 0)
    is_wrong = goods & (drawn.uniform("mistyped") < MISTYPED_SHARE)
    of_price = drawn.uniform("what was mistyped") < 0.4
    quantity = np.where(is_wrong & ~of_price, lines.quantity * 10, lines.quantity)
    price = np.where(is_wrong & of_price, lines.thousandths * 10, lines.thousandths)
    entered = orders.seconds[lines.order] + lines.delay
    corrected = entered + (drawn.integers("corrected", DAY, 10 * DAY))
    return pa.table(
        {
            "order_line_id": pc.binary_join_element_wise(ids, texts, "-"),
            "order_id": ids,
            "product_id": codes,
            "quantity": pa.array(lines.quantity, pa.int32()),
            "unit_price": prices(lines.thousandths),
            "entered_at": instants(entered),
            "typed_quantity": pa.array(quantity, pa.int32()),
            "typed_price": prices(price),
            "corrected_at": instants(corrected, ~is_wrong),
        }
    )


def code_rows(catalogue: Catalogue, start: int) -> tuple[list[str], list[str], Ints, Ints, Flags]:
    """Return ids, names, thousandths, created (seconds) of all that lines can name; is article.

    Codes that are typed in lower case are products of their own, as in the real data.
    """
    lower = np.flatnonzero(catalogue.has_letter)
    ids = [*catalogue.ids, *(catalogue.ids[place].lower() for place in lower), *CODES]
    charges = list(CHARGES.values())
    names = [*catalogue.names, *(catalogue.names[place] for place in lower)]
    articles = np.concatenate([np.arange(len(catalogue)), lower])
    thousandths = np.concatenate(
        [catalogue.thousandths[articles], np.array([price for _, price in charges], np.int64)]
    )
    created = np.concatenate([catalogue.created[articles], np.full(len(charges), start + 1)])
    names += [name for name, _ in charges]
    is_article = np.arange(len(ids)) < len(articles)
    return ids, names, thousandths, created, is_article
