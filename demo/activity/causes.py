"""How each visit came about, and what truly caused each order.

An order is caused by nothing (it would have come anyway) or by one campaign or affiliate, whose
touch begins one of the visits before it. All other touches are noise. The campaign `WORTHLESS` is
shown to people who are about to buy anyway, and causes nothing.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demo.activity.campaigns import CHANNELS, WORTHLESS, Campaign, running
from demo.activity.columns import DAY, Flags, Places
from demo.activity.sessions import BUYING, JOURNEY, STRANGER, Sessions
from demo.activity.tracked import Tracked
from demo.draws import Draws, key_of

# What causes orders: nothing, or a channel.
CAUSES = {
    "": 0.46,
    "paid_search": 0.18,
    "paid_social": 0.12,
    "display": 0.03,
    "email": 0.14,
    "affiliate": 0.07,
}
# How visits come about that cause nothing; `""` is the worthless campaign.
LEADING = {
    "direct": 0.40,
    "paid_search": 0.10,
    "paid_social": 0.04,
    "display": 0.02,
    "email": 0.08,
    "organic_search": 0.16,
    "referral": 0.03,
    "affiliate": 0.03,
    "": 0.14,
}
OTHERS = {
    "direct": 0.32,
    "paid_search": 0.14,
    "paid_social": 0.12,
    "display": 0.05,
    "email": 0.08,
    "organic_search": 0.18,
    "referral": 0.06,
    "affiliate": 0.04,
    "": 0.01,
}
SELF_SHARE = 0.5  # of the orders of customers who are affiliates: by their own link
CAMPAIGN_CHANNELS = ("paid_search", "paid_social", "display", "email")


@dataclass(frozen=True)
class Came:
    """How each visit came about, and the cause of each order."""

    channel: Places  # place in CHANNELS
    campaign: Places  # place in the campaigns; -1: none
    affiliate: Places  # place in the affiliates; -1: none
    is_self: Flags  # an affiliate's own click before an own order
    cause: Places  # per order: place in CHANNELS; -1: it would have come anyway
    cause_campaign: Places  # per order; -1: none


def came(
    visits: Sessions, orders: Tracked, found: list[Campaign], affiliates: pa.Table, seed: int
) -> Came:
    """Return the channel and campaign of each visit; affiliates in the order of joining."""
    order_draws = Draws(seed, "cause", orders.keys)
    touch = _touches(visits, len(orders.keys), order_draws)
    has_touch = touch >= 0
    draws = Draws(seed, "channel", visits.key)
    leads = (visits.kind == BUYING) | (visits.kind == JOURNEY)
    names = np.where(
        leads,
        np.array(list(LEADING))[draws.choices("leading", LEADING.values())],
        np.array(list(OTHERS))[draws.choices("others", OTHERS.values())],
    )
    causes = np.array(list(CAUSES))[order_draws.choices("cause", CAUSES.values())]
    causes[~has_touch] = ""
    is_caused = causes != ""
    names[touch[is_caused]] = causes[is_caused]
    is_worthless = names == ""
    names[is_worthless] = "display"

    joined = affiliates.column("joined_ms").to_numpy()
    owner = affiliates.column("customer").to_numpy()
    is_self = _own_links(visits, orders, owner, order_draws)
    causes[visits.order[is_self]] = ""
    names[is_self] = "affiliate"
    is_worthless &= ~is_self

    days = visits.started // DAY
    draw = draws.integers("campaign", 0, 1 << 40)
    campaign = np.full(len(visits), -1, np.int64)
    for channel in CAMPAIGN_CHANNELS:
        chosen = names == channel
        campaign[chosen] = running(found, channel, days[chosen], draw[chosen])
    worthless = next(p for p, item in enumerate(found) if item.campaign_id == WORTHLESS)
    campaign[is_worthless] = worthless
    there = np.searchsorted(joined, visits.started)
    affiliate = np.where(names == "affiliate", draw % np.maximum(there, 1), -1)
    affiliate[there == 0] = -1
    for place, customer in enumerate(owner):
        affiliate[is_self & (visits.customer == customer)] = place
    # A channel without a campaign or an affiliate that day brings nobody.
    is_nothing = np.isin(names, CAMPAIGN_CHANNELS) & (campaign < 0)
    is_nothing |= (names == "affiliate") & (affiliate < 0)
    names[is_nothing] = "direct"

    channel = np.searchsorted(np.sort(CHANNELS), names)
    channel = np.argsort(CHANNELS)[channel]
    cause = np.full(len(orders.keys), -1, np.int64)
    cause_campaign = cause.copy()
    is_caused = has_touch & (causes != "")
    is_caused[is_caused] = ~is_nothing[touch[is_caused]]
    cause[is_caused] = channel[touch[is_caused]]
    cause_campaign[is_caused] = campaign[touch[is_caused]]
    return Came(channel, campaign, affiliate, is_self, cause, cause_campaign)


def _touches(visits: Sessions, order_count: int, draws: Draws) -> Places:
    """Return the visit that a cause of each order would begin: one that leads to it; -1: none."""
    leading = np.flatnonzero((visits.kind == BUYING) | (visits.kind == JOURNEY))
    # Visits of one order follow each other, the buying one first.
    order = visits.order[leading]
    counts = np.bincount(order, minlength=order_count)
    first = np.cumsum(counts) - counts
    wanted = first + (draws.uniform("touch") * counts).astype(np.int64)
    touch = np.full(order_count, -1, np.int64)
    touch[counts > 0] = leading[wanted[counts > 0]]
    return touch


def _own_links(visits: Sessions, orders: Tracked, owner: Places, draws: Draws) -> Flags:
    """Return the buying visits of affiliates who came by their own link."""
    owns = np.isin(orders.customer, owner[owner >= 0]) & (orders.customer >= 0)
    chosen = owns & (draws.uniform("own link") < SELF_SHARE)
    return (visits.kind == BUYING) & chosen[visits.order]


def dishonest(affiliates: pa.Table, seed: int) -> int:
    """Return the place of the affiliate who pays for floods of clicks, among the first ones."""
    count = min(affiliates.num_rows, 3)
    return key_of(f"{seed}/dishonest") % count if count else -1


def is_person(visits: Sessions) -> Flags:
    """Return which visits were made by people."""
    return ~(visits.is_bot & (visits.kind == STRANGER))
