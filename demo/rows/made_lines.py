"""What made-up orders hold: articles after their popularity, pairs, charges and discounts."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from demo.draws import Draws, Keys
from demo.parameters import Parameters
from demo.rows.catalogue import Catalogue
from demo.rows.columns import Flags, Floats, Ints
from demo.rows.dated import Prices, StockOuts, available
from demo.rows.made_orders import MadeOrders

MOST_LINES = 20
# Places of a line in its document: articles from 0, partners of pairs from 20, then these.
PAIRS, REPEATED, CHARGED, DISCOUNT, PLACES = 20, 64, 65, 71, 128

QUANTITIES = np.array([1, 2, 3, 4, 6, 8, 12, 24, 48])
QUANTITY_SHARES = (0.28, 0.17, 0.08, 0.10, 0.12, 0.06, 0.12, 0.05, 0.02)
EURO_FACTOR = 117  # hundredths: what an article costs in euros, whatever the exchange rate
# code -> description, thousandths: what stands on documents beside articles
CHARGES = {
    "POST": ("POSTAGE", 18_000),
    "DOT": ("DOTCOM POSTAGE", 11_170),
    "M": ("Manual", 3_750),
    "BANK CHARGES": ("Bank Charges", 15_000),
    "D": ("Discount", 0),
    "B": ("Adjust bad debt", 0),
}
CODES = tuple(CHARGES)
DEBT = 11_062_060
COUPON_PERCENT = 10


@dataclass(frozen=True)
class MadeLines:
    """Lines in the order of their documents; every column has one value per line."""

    order: Ints  # the document's number
    place: Ints
    article: Ints  # position in the catalogue; -1: a charge
    charge: Ints  # position in CODES; -1: an article
    quantity: Ints
    thousandths: Ints  # of a unit, in the order's currency
    delay: Ints  # seconds between the order and the line
    is_lower: Flags  # the code is typed in lower case
    number: Ints = field(init=False)  # in its document, from 1

    def __post_init__(self) -> None:
        starts = np.flatnonzero(np.diff(self.order, prepend=-1))
        runs = np.diff(np.append(starts, len(self.order)))
        number = np.arange(len(self.order)) - np.repeat(starts, runs) + 1
        object.__setattr__(self, "number", number)

    def __len__(self) -> int:
        return len(self.order)

    @property
    def key(self) -> Keys:
        """Return what the line's draws are keyed by."""
        return (self.order * PLACES + self.place).astype(np.uint64)


def planted_pairs(catalogue: Catalogue, seed: int, parameters: Parameters) -> tuple[Ints, Ints]:
    """Return the positions of articles of which the first brings the second.

    Both are always in stock (even positions); no article is in two pairs.
    """
    half = len(catalogue) // 2
    count = min(parameters.product_pairs, half // 4, REPEATED - PAIRS)
    draws = Draws(seed, "pair", np.arange(half, dtype=np.uint64))
    # The firsts are popular, so that the pairs are seen; the seconds are not.
    firsts = np.arange(count) * 2
    rest = np.arange(count, half)
    seconds = rest[np.argsort(draws.uniform("second")[count:], kind="stable")][:count] * 2
    return firsts, seconds


def made_lines(
    orders: MadeOrders,
    catalogue: Catalogue,
    prices: Prices,
    outs: StockOuts,
    seed: int,
    parameters: Parameters,
) -> MadeLines:
    """Return the lines of the orders, in the order of documents and places."""
    sales = np.flatnonzero(orders.is_sale)
    draw = orders.draws.uniform
    counts = np.minimum(MOST_LINES, 1 + (-np.log1p(-draw("lines")[sales]) * 3.6).astype(np.int64))
    order = np.repeat(sales, counts)
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    drawn = Draws(seed, "made line", (order * PLACES + place).astype(np.uint64))
    article = popular(drawn.uniform("product"), len(catalogue), parameters.popularity_slope)
    is_there = available(catalogue, outs, article, orders.seconds[order])
    article = np.where(is_there, article, article - article % 2)
    partner_order, partner_place, partner = _partners(
        order, article, planted_pairs(catalogue, seed, parameters), seed, parameters
    )
    order = np.concatenate([order, partner_order])
    place = np.concatenate([place, partner_place])
    article = np.concatenate([article, partner])
    adjusted = np.flatnonzero(orders.is_adjustment)
    goods = _goods(orders, catalogue, prices, order, place, article, seed)
    counted = (draw("adjusted")[adjusted] * len(catalogue)).astype(np.int64)
    missing = _blank(adjusted, np.zeros_like(adjusted)) | {
        "article": counted - counted % 2,
        "quantity": -1 - (draw("missing")[adjusted] * 60).astype(np.int64),
    }
    debts = np.flatnonzero(orders.is_debt)
    debt = _blank(debts, np.zeros_like(debts)) | {
        "charge": np.full(len(debts), CODES.index("B")),
        "quantity": np.ones_like(debts),
        "thousandths": np.where(draw("debt")[debts] < 0.5, DEBT, -DEBT),
    }
    pieces = [goods, _repeated(orders, goods), *_charges(orders, sales), missing, debt]
    return _sorted([*pieces, _discounts(orders, goods, parameters)])


def popular(uniform: Floats, count: int, slope: float) -> Ints:
    """Return positions 0 to count - 1 drawn with weights rank^-slope."""
    bounds = np.cumsum(np.arange(1, count + 1) ** -slope)
    return np.minimum(np.searchsorted(bounds / bounds[-1], uniform, "right"), count - 1)


Columns = dict[str, NDArray[Any]]


def _partners(
    order: Ints, article: Ints, pairs: tuple[Ints, Ints], seed: int, parameters: Parameters
) -> tuple[Ints, Ints, Ints]:
    """Return order, place and article of what a pair's first brought, once per order and pair."""
    firsts, seconds = pairs
    which = np.full(int(article.max(initial=0)) + 1, -1)
    inside = firsts < len(which)
    which[firsts[inside]] = np.flatnonzero(inside)
    has = which[article] >= 0
    found = np.unique(order[has] * PLACES + PAIRS + which[article[has]])
    brings = Draws(seed, "pair bought", found.astype(np.uint64)).uniform("brings")
    found = found[brings < parameters.pair_share]
    place = found % PLACES
    return found // PLACES, place, seconds[place - PAIRS] if len(seconds) else place


def _goods(
    orders: MadeOrders,
    catalogue: Catalogue,
    prices: Prices,
    order: Ints,
    place: Ints,
    article: Ints,
    seed: int,
) -> Columns:
    """Return the lines of articles, with the price list's price at the time of the order."""
    drawn = Draws(seed, "made line", (order * PLACES + place).astype(np.uint64))
    quantity = QUANTITIES[drawn.choices("quantity", QUANTITY_SHARES)]
    unit = prices.at(article, orders.seconds[order])
    unit = np.where(quantity >= 24, unit * 17 // 200 * 10, unit)  # 15 % off, whole pence
    unit = np.where(orders.is_euro[order], (unit * EURO_FACTOR + 500) // 1000 * 10, unit)
    unit = np.where(drawn.uniform("gift") < 0.002, 0, unit)
    # Some are added a minute after the others, a few hours after.
    draw = orders.draws.uniform
    minute = (draw("two times")[order] < 0.005) & (place > 0)
    later = (drawn.uniform("added") < 0.001) & (place > 0)
    hours = drawn.integers("hours", 1, 30) * 3600
    return _blank(order, place) | {
        "article": article,
        "quantity": quantity,
        "thousandths": unit,
        "delay": np.where(later, hours, np.where(minute, 60, 0)),
        "is_lower": (catalogue.has_letter[article] & (drawn.uniform("case") < 0.05)).astype(
            np.int64
        ),
    }


def _repeated(orders: MadeOrders, goods: Columns) -> Columns:
    """Return the first line of some orders once more."""
    repeated = orders.draws.uniform("repeated") < 0.02
    found = np.flatnonzero((goods["place"] == 0) & repeated[goods["order"]])
    lines = {name: column[found] for name, column in goods.items()}
    return lines | {"place": np.full(len(found), REPEATED)}


def _charges(orders: MadeOrders, sales: Ints) -> list[Columns]:
    draw = orders.draws.uniform
    nobody = orders.account[sales] < 0
    applies = {
        "POST": orders.is_euro[sales] | (draw("abroad")[sales] < 0.05),
        "DOT": nobody & (draw("dotcom")[sales] < 0.3),
        "M": draw("manual")[sales] < 0.01,
        "BANK CHARGES": draw("bank")[sales] < 0.003,
    }
    found: list[Columns] = []
    for code, where in applies.items():
        order = sales[where]
        place = np.full(len(order), CHARGED + CODES.index(code))
        found.append(
            _blank(order, place)
            | {
                "charge": np.full(len(order), CODES.index(code)),
                "quantity": np.ones_like(order),
                "thousandths": np.full(len(order), CHARGES[code][1]),
            }
        )
    return found


def has_coupon(orders: MadeOrders, parameters: Parameters) -> Flags:
    """Return which documents name a coupon; it takes 10 % off the goods, in a line of its own."""
    wanted = orders.draws.uniform("coupon") < parameters.coupon_orders
    return orders.is_sale & ~orders.is_test & wanted


def _discounts(orders: MadeOrders, goods: Columns, parameters: Parameters) -> Columns:
    amounts = goods["quantity"] * goods["thousandths"]
    totals = np.zeros(len(orders), np.int64)
    np.add.at(totals, goods["order"], amounts)
    order = np.flatnonzero(has_coupon(orders, parameters))
    return _blank(order, np.full(len(order), DISCOUNT)) | {
        "charge": np.full(len(order), CODES.index("D")),
        "quantity": np.full(len(order), -1),
        "thousandths": (totals[order] * COUPON_PERCENT + 500) // 1000 * 10,
    }


def _blank(order: Ints, place: Ints) -> Columns:
    count = len(order)
    zeros = np.zeros(count, np.int64)
    return {
        "order": order,
        "place": place,
        "article": np.full(count, -1),
        "charge": np.full(count, -1),
        "quantity": zeros,
        "thousandths": zeros,
        "delay": zeros,
        "is_lower": np.zeros(count, np.int64),
    }


def _sorted(pieces: list[Columns]) -> MadeLines:
    columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    by_place = np.lexsort((columns["place"], columns["order"]))
    columns = {name: column[by_place] for name, column in columns.items()}
    is_lower = columns.pop("is_lower").astype(np.bool_)
    return MadeLines(**columns, is_lower=is_lower)


def product_ids(lines: MadeLines, catalogue: Catalogue) -> pa.Array:
    """Return the code of each line: an article's, in lower case where typed so, or a charge's."""
    count = len(catalogue)
    codes = [*catalogue.ids, *(code.lower() for code in catalogue.ids), *CODES]
    article = lines.article + np.where(lines.is_lower, count, 0)
    place = np.where(lines.article >= 0, article, 2 * count + lines.charge)
    return pa.array(codes, pa.string()).take(pa.array(place))
