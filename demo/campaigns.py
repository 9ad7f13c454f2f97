"""The shop's campaigns and what they cost per day, as a function of the calendar only."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa

from demo.draws import Draws, keys_of

CURRENCY = "GBP"

# channel -> (utm_source, utm_medium)
TAGS = {
    "paid_search": ("google", "cpc"),
    "paid_social": ("facebook", "paid_social"),
    "display": ("adnetwork", "display"),
    "email": ("newsletter", "email"),
    "organic_search": ("google", "organic"),
    "referral": ("giftblog.example", "referral"),
}
# channel -> (usual cost of a day, impressions per unit of money, clicks per impression)
PAID = {
    "paid_search": (48.0, 55.0, 0.031),
    "paid_social": (31.0, 160.0, 0.009),
    "display": (17.0, 420.0, 0.0012),
}
# Always on, from the month of the first document: id, name, channel, budget
EVERGREEN = (
    ("brand-search", "Brand search", "paid_search", "18000"),
    ("gift-search", "Gift ideas search", "paid_search", "24000"),
    ("prospecting", "New audiences", "paid_social", "16000"),
    ("retargeting", "Come back", "display", "9000"),
    ("newsletter", "Weekly newsletter", "email", "1200"),
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

    @property
    def utm_campaign(self) -> str:
        """The tag in the campaign's links."""
        return self.campaign_id.replace("-", "_")

    def runs_on(self, day: date) -> bool:
        """Return whether the campaign is shown on `day`."""
        return self.started_on <= day and (self.ended_on is None or day <= self.ended_on)


def campaigns(first: date, last: date) -> list[Campaign]:
    """Return the campaigns of a shop whose documents are from `first` to `last`.

    A later `last` adds campaigns and changes none.
    """
    start = first.replace(day=1)
    found = [
        Campaign(name, title, channel, start, None, Decimal(budget))
        for name, title, channel, budget in EVERGREEN
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


def campaign_rows(found: list[Campaign]) -> pa.Table:
    """Return the rows of table `campaigns`."""
    return pa.table(
        {
            "campaign_id": [item.campaign_id for item in found],
            "name": [item.name for item in found],
            "channel": [item.channel for item in found],
            "utm_campaign": [item.utm_campaign for item in found],
            "started_on": pa.array([item.started_on for item in found], pa.date32()),
            "ended_on": pa.array([item.ended_on for item in found], pa.date32()),
            "budget": pa.array([item.budget for item in found], pa.decimal128(12, 2)),
            "currency": [CURRENCY] * len(found),
        }
    )


def ad_spend_rows(found: list[Campaign], until: date, seed: int) -> pa.Table:
    """Return the rows of table `ad_spend`: each paid campaign's days before `until`."""
    days = [
        (item.started_on + timedelta(days=offset), item)
        for item in found
        if item.channel in PAID
        for offset in range((min(until, _day_after(item)) - item.started_on).days)
    ]
    draws = Draws(seed, "ad spend", keys_of(f"{day}/{item.campaign_id}" for day, item in days))
    usual, reach, rate = (
        np.array([PAID[item.channel][place] for _, item in days]) for place in range(3)
    )
    cents = np.round(usual * (0.6 + 0.8 * draws.uniform("amount")) * 100).astype(np.int64)
    shown = np.round(cents / 100 * reach * (0.8 + 0.4 * draws.uniform("reach"))).astype(np.int64)
    clicks = np.round(shown * rate * (0.7 + 0.6 * draws.uniform("rate"))).astype(np.int64)
    amounts = [Decimal(int(cent)).scaleb(-2) for cent in cents]
    return pa.table(
        {
            "spend_date": pa.array([day for day, _ in days], pa.date32()),
            "campaign_id": pa.array([item.campaign_id for _, item in days], pa.string()),
            "amount": pa.array(amounts, pa.decimal128(12, 2)),
            "currency": pa.array([CURRENCY] * len(days), pa.string()),
            "impressions": pa.array(shown),
            "clicks": pa.array(clicks),
        }
    )


def _day_after(item: Campaign) -> date:
    return date.max if item.ended_on is None else item.ended_on + timedelta(days=1)
