"""What changes by date: each article's price, and when it is sold out."""

from dataclasses import dataclass

import numpy as np

from demo.draws import Draws, Keys
from demo.rows.catalogue import Catalogue
from demo.rows.columns import DAY, Flags, Ints

SLOT = 30  # days in which at most one thing happens to a price
CYCLE = 60  # days in which an article is sold out at most once
# A slot of 30 days: a sale, another price for good, nothing.
SLOT_SHARES = (0.30, 0.20, 0.50)


@dataclass(frozen=True)
class Prices:
    """The price list: one entry per article and change, sorted by (article, time)."""

    article: Ints
    valid_from: Ints  # seconds
    thousandths: Ints

    def at(self, article: Ints, seconds: Ints) -> Ints:
        """Return each article's price at an instant, not before its first."""
        place = np.searchsorted(
            _key(self.article, self.valid_from), _key(article, seconds), "right"
        )
        return self.thousandths[place - 1]


@dataclass(frozen=True)
class StockOuts:
    """When articles are sold out: from_at <= t < to_at, sorted by (article, from_at)."""

    article: Ints
    from_at: Ints  # seconds
    to_at: Ints

    def covers(self, article: Ints, seconds: Ints) -> Flags:
        """Return whether each article is sold out at an instant."""
        if len(self.article) == 0:
            return np.zeros(len(article), np.bool_)
        place = (
            np.searchsorted(_key(self.article, self.from_at), _key(article, seconds), "right") - 1
        )
        known = np.maximum(place, 0)
        return (place >= 0) & (self.article[known] == article) & (seconds < self.to_at[known])


def _key(article: Ints, seconds: Ints) -> Ints:
    return (article << 36) | seconds


def price_list(catalogue: Catalogue, seed: int, start: int, horizon: int) -> Prices:
    """Return the prices until `horizon`.

    In a slot of 30 days an article has a sale (20 to 40 % off for 7 to 14 days and back), a new
    price (10 % less to 15 % more), or neither.
    """
    count = len(catalogue)
    first = np.arange(count)
    slots = max(0, -(-(horizon - start) // (SLOT * DAY)))
    if slots == 0 or count == 0:
        return Prices(first, catalogue.created, catalogue.thousandths)
    draws = Draws(seed, "price slot", _grid(count, slots))
    shape = (slots, count)
    kind = draws.choices("kind", SLOT_SHARES).reshape(shape)
    factor = np.where(kind == 1, 0.90 + 0.25 * draws.uniform("factor").reshape(shape), 1.0)
    lasting = np.cumprod(factor, axis=0)
    base = _whole_pence(catalogue.thousandths * lasting)
    base = np.where(lasting == 1.0, catalogue.thousandths, base)
    before = np.vstack([catalogue.thousandths[np.newaxis], base[:-1]])
    reduced = _whole_pence(before * (0.60 + 0.20 * draws.uniform("off").reshape(shape)))
    opens = start + np.arange(slots)[:, np.newaxis] * SLOT * DAY
    day = draws.integers("day", 1, 14).reshape(shape)
    begins = opens + day * DAY + 6 * 3600
    ends = begins + draws.integers("length", 7, 15).reshape(shape) * DAY
    articles = np.broadcast_to(first, shape)
    # Nothing before the article is there, and no sale of what rounds to the same price.
    there = begins > catalogue.created[np.newaxis]
    sale = there & (kind == 0) & (reduced < before)
    lasts = there & (kind == 1) & (base != before)
    article = np.concatenate([first, articles[sale], articles[sale], articles[lasts]])
    valid_from = np.concatenate([catalogue.created, begins[sale], ends[sale], begins[lasts]])
    price = np.concatenate([catalogue.thousandths, reduced[sale], before[sale], base[lasts]])
    order = np.argsort(_key(article, valid_from), kind="stable")
    return Prices(article[order], valid_from[order], price[order])


def stock_outs(
    catalogue: Catalogue, seed: int, start: int, horizon: int, share: float
) -> StockOuts:
    """Return when articles in odd positions are sold out, for 2 to 9 days, until `horizon`.

    `share` is the chance per 60 days. From 23:30 UTC, after the day's sales are booked, to 05:00.
    """
    count = len(catalogue)
    cycles = max(0, -(-(horizon - start) // (CYCLE * DAY)))
    draws = Draws(seed, "stock-out", _grid(count, cycles))
    article = np.tile(np.arange(count), cycles)
    opens = start + np.repeat(np.arange(cycles), count) * CYCLE * DAY
    begins = opens + draws.integers("day", 3, CYCLE - 12) * DAY + 23 * 3600 + 1800
    ends = begins + draws.integers("length", 2, 10) * DAY + 5 * 3600 + 1800
    there = (catalogue.created[article] < begins) & (ends < catalogue.ended[article])
    happens = (article % 2 == 1) & there & (draws.uniform("happens") < share)
    found = np.flatnonzero(happens)
    order = found[np.argsort(_key(article[found], begins[found]), kind="stable")]
    return StockOuts(article[order], begins[order], ends[order])


def available(catalogue: Catalogue, outs: StockOuts, article: Ints, seconds: Ints) -> Flags:
    """Return whether an article is on sale and in stock at an instant."""
    is_sold = (catalogue.created[article] <= seconds) & (seconds < catalogue.ended[article])
    return is_sold & ~outs.covers(article, seconds)


def _grid(count: int, times: int) -> Keys:
    """Return a key for each (time, article), the article's position last: any count may grow."""
    slot = np.repeat(np.arange(times, dtype=np.uint64), count)
    return (slot << np.uint64(32)) + np.tile(np.arange(count, dtype=np.uint64), times)


def _whole_pence(thousandths: np.ndarray) -> Ints:
    return np.maximum(10, np.rint(thousandths / 10).astype(np.int64) * 10)
