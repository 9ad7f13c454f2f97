"""What the paid campaigns cost per day: every impression and click, as it is billed."""

from datetime import date, datetime

import numpy as np
import pyarrow as pa

from demo.activity.campaign_events import AD_CLICK, Touches
from demo.activity.campaigns import PAID, Campaign
from demo.activity.causes import Came
from demo.activity.columns import DAY
from demo.draws import Draws, derived, keys_of
from demo.parameters import Parameters

# channel -> price of a click, in thousandths of a pound
CLICK_PRICES = {"paid_search": 720, "paid_social": 450, "display": 310}
DOLLARS = 1.27  # for a pound, in the campaigns that are billed in dollars
PRELIMINARY_DAYS = 3  # what the advertiser reports first is a little too low
PRELIMINARY = 0.94
NOBODY_CLICKED = 40  # impressions of a day without a click, at most
EPOCH = date(1970, 1, 1)


def ad_spend_rows(
    found: list[Campaign],
    how: Came,
    events: Touches,
    now: datetime,
    seed: int,
    parameters: Parameters,
) -> pa.Table:
    """Return the rows of table `ad_spend`: each paid campaign's days before that of `now` (UTC).

    Every click counts, logged or late, and a few more that the shop's pages never saw. The last
    days' figures are preliminary.
    """
    today = (now.date() - EPOCH).days
    place, day = [], []
    for index, item in enumerate(found):
        if item.channel in PAID:
            last = min(today, ((item.ended_on or date.max) - EPOCH).days + 1)
            days = np.arange((item.started_on - EPOCH).days, last)
            day.append(days)
            place.append(np.full(len(days), index))
    days, places = np.concatenate(day), np.concatenate(place)
    keys = keys_of(item.campaign_id for item in found)
    draws = Draws(seed, "ad spend", derived(keys[places], "day", days))
    logged = _logged(found, how, events, places, days)
    extra = logged * 0.12 * draws.uniform("blocked") + draws.uniform("rounded")
    clicks = logged + extra.astype(np.int64) * (logged > 0)
    each = (1 / parameters.click_through) * (0.8 + 0.4 * draws.uniform("reach"))
    shown = np.rint(clicks * each + NOBODY_CLICKED * draws.uniform("unseen")).astype(np.int64)
    price = np.array([CLICK_PRICES.get(item.channel, 0) for item in found])[places]
    price = price * np.where([found[p].currency == "USD" for p in places], DOLLARS, 1.0)
    pence = np.rint(clicks * price * (0.8 + 0.4 * draws.uniform("price")) / 10 + shown / 50)
    pence = np.where(days >= today - PRELIMINARY_DAYS, np.rint(pence * PRELIMINARY), pence)
    amounts = pa.array(pence.astype(np.int64)).cast(pa.decimal128(19, 0))
    return pa.table(
        {
            "spend_date": pa.array(days.astype("datetime64[D]")),
            "campaign_id": pa.array([found[p].campaign_id for p in places], pa.string()),
            "amount": _hundredths(amounts),
            "currency": pa.array([found[p].currency for p in places], pa.string()),
            "impressions": pa.array(shown),
            "clicks": pa.array(clicks),
        }
    )


def _logged(
    found: list[Campaign], how: Came, events: Touches, places: np.ndarray, days: np.ndarray
) -> np.ndarray:
    """Return how many ad clicks happened on each campaign's day, whenever they were received."""
    clicked = events.kind == AD_CLICK
    campaign = how.campaign[events.visit[clicked]]
    happened = events.at[clicked] // DAY
    width = len(found)
    kept = campaign >= 0
    cells, counts = np.unique((happened * width + campaign)[kept], return_counts=True)
    at = np.searchsorted(cells, days * width + places)
    at = np.minimum(at, max(len(cells) - 1, 0))
    if not len(cells):
        return np.zeros(len(days), np.int64)
    return np.where(cells[at] == days * width + places, counts[at], 0)


def _hundredths(amounts: pa.Array) -> pa.Array:
    """Return whole hundredths as DECIMAL(12,2)."""
    exact = pa.Array.from_buffers(pa.decimal128(21, 2), len(amounts), amounts.buffers())
    return exact.cast(pa.decimal128(12, 2))
