"""The shop's campaigns, as a function of the calendar only."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa

from demo.activity.columns import Places

# channel -> (utm_source, utm_medium); direct visits have none
TAGS = {
    "paid_search": ("google", "cpc"),
    "paid_social": ("facebook", "paid_social"),
    "display": ("adnetwork", "display"),
    "email": ("newsletter", "email"),
    "organic_search": ("google", "organic"),
    "referral": ("giftblog.example", "referral"),
    "affiliate": ("affiliate", "affiliate"),
}
CHANNELS = ("direct", *TAGS)
PAID = ("paid_search", "paid_social", "display")
# Shown to people who are about to buy anyway, and the cause of no order.
WORTHLESS = "retargeting"
# Always on, from the month of the first document: id, name, channel, budget, currency
EVERGREEN = (
    ("brand-search", "Brand search", "paid_search", "18000", "GBP"),
    ("gift-search", "Gift ideas search", "paid_search", "24000", "GBP"),
    ("prospecting", "New audiences", "paid_social", "16000", "USD"),
    ("gift-guide", "Gift guide", "display", "7000", "GBP"),
    (WORTHLESS, "Come back", "display", "9000", "GBP"),
    ("newsletter", "Weekly newsletter", "email", "1200", "GBP"),
)
# First month of a season -> its name; a season lasts three months.
SEASONS = {12: "winter", 3: "spring", 6: "summer", 9: "autumn"}


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign, as the shop's database holds it."""

    campaign_id: str
    name: str
    channel: str
    started_on: date
    ended_on: date | None
    budget: Decimal
    currency: str = "GBP"

    @property
    def utm_campaign(self) -> str:
        """The tag in the campaign's links."""
        return self.campaign_id.replace("-", "_")


def campaigns(first: date, last: date) -> list[Campaign]:
    """Return the campaigns of a shop whose life is from `first` to `last`.

    A later `last` adds campaigns at the end and changes none.
    """
    start = first.replace(day=1)
    found = [
        Campaign(name, title, channel, start, None, Decimal(budget), currency)
        for name, title, channel, budget, currency in EVERGREEN
    ]
    month = start
    while month <= last:
        if month.month in SEASONS or month == start:
            found += _seasonal(month, start)
        month = (month + timedelta(days=32)).replace(day=1)
    return found


def _seasonal(month: date, start: date) -> list[Campaign]:
    """Return the season's campaigns; one under way when the shop opens starts with the shop."""
    opened = month
    while opened.month not in SEASONS:
        opened = (opened - timedelta(days=1)).replace(day=1)
    season = SEASONS[opened.month]
    ended = (opened + timedelta(days=95)).replace(day=1) - timedelta(days=1)
    name, title = f"{season}-{opened.year}", f"{season.capitalize()} {opened.year}"
    began = max(opened, start)
    return [
        Campaign(f"{name}-social", f"{title} social", "paid_social", began, ended, Decimal(5000)),
        Campaign(f"{name}-email", f"{title} email", "email", began, ended, Decimal(300)),
    ]


def running(found: list[Campaign], channel: str, days: Places, draw: Places) -> Places:
    """Return the place of one of the channel's campaigns per day since 1970, -1 where none runs.

    `draw` is any whole number per day; the worthless campaign is never chosen here.
    """
    places = [
        place
        for place, item in enumerate(found)
        if item.channel == channel and item.campaign_id != WORTHLESS
    ]
    chosen = np.full(len(days), -1, np.int64)
    if not places:
        return chosen
    epoch = date(1970, 1, 1)
    starts = np.array([(found[place].started_on - epoch).days for place in places])
    ends = np.array([((found[p].ended_on or date.max) - epoch).days for p in places])
    runs = (days[:, None] >= starts) & (days[:, None] <= ends)
    counts = runs.cumsum(axis=1)
    any_runs = counts[:, -1] > 0
    wanted = 1 + draw % np.maximum(counts[:, -1], 1)
    first = np.argmax(runs & (counts == wanted[:, None]), axis=1)
    return np.where(any_runs, np.array(places)[first], chosen)


def campaign_rows(found: list[Campaign], today: date) -> pa.Table:
    """Return the rows of table `campaigns`: those that have started by `today`."""
    known = [item for item in found if item.started_on <= today]
    return pa.table(
        {
            "campaign_id": pa.array([item.campaign_id for item in known], pa.string()),
            "name": pa.array([item.name for item in known], pa.string()),
            "channel": pa.array([item.channel for item in known], pa.string()),
            "utm_campaign": pa.array([item.utm_campaign for item in known], pa.string()),
            "started_on": pa.array([item.started_on for item in known], pa.date32()),
            "ended_on": pa.array([item.ended_on for item in known], pa.date32()),
            "budget": pa.array([item.budget for item in known], pa.decimal128(12, 2)),
            "currency": pa.array([item.currency for item in known], pa.string()),
        }
    )
