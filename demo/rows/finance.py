"""Exchange rates, affiliates and their commission plans."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demo.draws import Draws
from demo.parameters import Parameters
from demo.rows.columns import DAY, NEVER, Ints, dates, exact, instants
from demo.rows.people import People

# Pounds per unit when the shop opens.
CURRENCIES = {"EUR": 0.855, "USD": 0.79}
BEFORE = 10  # days of rates before the shop opens
PUBLISHED = 16 * 3600  # seconds after midnight UTC
MISTYPED_SHARE = 0.02

AFFILIATES = 12  # at scale 1
NAMES = (
    "Gift Finder",
    "Tea & Things",
    "Nest Notes",
    "Bargain Bee",
    "The Present List",
    "Cosy Home",
)
# Positions of the affiliate that is suspended 45 days after the opening, and closed after 70.
SUSPENDED, CLOSED = 1, 2


def fx_rates(seed: int, opened: int, horizon: int) -> pa.Table:
    """Return pounds per unit for each business day, and what stood there until `corrected_at`.

    Columns: rate_date, currency, rate, typed_rate, published_at, corrected_at.
    """
    days = np.arange(opened // DAY - BEFORE, horizon // DAY)
    days = days[(days + 3) % 7 < 5]
    tables: list[pa.Table] = []
    for currency, base in CURRENCIES.items():
        draws = Draws(seed, f"rate {currency}", days.astype(np.uint64))
        steps = (draws.uniform("step") - 0.5) * 0.006
        rate = np.rint(base * np.exp(np.cumsum(steps)) * 100_000).astype(np.int64) * 1000
        is_wrong = draws.uniform("mistyped") < MISTYPED_SHARE
        tables.append(
            pa.table(
                {
                    "rate_date": dates(days * DAY),
                    "currency": pa.array([currency] * len(days), pa.string()),
                    "rate": exact(rate, 18, 8),
                    "typed_rate": exact(np.where(is_wrong, rate + rate // 50, rate), 18, 8),
                    "published_at": instants(days * DAY + PUBLISHED),
                    "corrected_at": instants(days * DAY + DAY + PUBLISHED),
                }
            )
        )
    return pa.concat_tables(tables).combine_chunks()


@dataclass(frozen=True)
class Affiliates:
    """The affiliates by position; times in seconds."""

    ids: list[str]
    users: list[str | None]
    joined: Ints
    suspended: Ints
    closed: Ints

    def coupons(self) -> tuple[list[str], Ints]:
        """Return the coupon of each affiliate, its id in capitals, and from when it is valid."""
        return [affiliate.upper() for affiliate in self.ids], self.joined

    def rows(self) -> pa.Table:
        """Return the rows of affiliates, with suspended_at and closed_at in place of the status."""
        count = len(self.ids)
        names = [f"{NAMES[i % len(NAMES)]} {i // len(NAMES) + 1}" for i in range(count)]
        euros = [place % 5 == 4 for place in range(count)]
        return pa.table(
            {
                "affiliate_id": pa.array(self.ids, pa.string()),
                "name": pa.array(names, pa.string()),
                "user_id": pa.array(self.users, pa.string()),
                "joined_at": instants(self.joined),
                "payout_currency": pa.array(["EUR" if euro else "GBP" for euro in euros]),
                "minimum_payout": exact(np.full(count, 25_00), 12, 2),
                "suspended_at": instants(self.suspended),
                "closed_at": instants(self.closed),
            }
        )


def affiliates(people: People, seed: int, scale: float, opened: int) -> Affiliates:
    """Return the affiliates; each fourth has an account of its own among the first customers.

    Half joined before the shop opened, the others in its first 40 days. An account that is used is
    never closed or merged (every fourth customer, from the first).
    """
    count = max(5, round(AFFILIATES * scale**0.5))
    place = np.arange(count)
    draws = Draws(seed, "affiliate", place.astype(np.uint64))
    before = opened - draws.integers("before", 1, 300) * DAY
    after = opened + draws.integers("after", 1, 40) * DAY + 10 * 3600
    joined = np.where(place % 2 == 0, before, after)
    users: list[str | None] = [None] * count
    for number in range(3, count, 4):
        customer = number - 3
        if customer < len(people):
            users[number] = people.ids[customer]
            joined[number] = max(int(joined[number]), int(people.created[customer]) + DAY)
    return Affiliates(
        ids=[f"aff{number + 1:02d}" for number in range(count)],
        users=users,
        joined=joined,
        suspended=np.where(place == SUSPENDED, opened + 45 * DAY, NEVER),
        closed=np.where(place == CLOSED, opened + 70 * DAY, NEVER),
    )


def commission_plans(known: Affiliates, opened: int, parameters: Parameters) -> pa.Table:
    """Return the rows of commission_plans; `ends_at` stands in valid_to once it has come.

    The usual rate has three tiers by the sales of a month and changes after 60 days; some
    categories and one affiliate have rates of their own.
    """
    lowest, highest = parameters.commission_lowest, parameters.commission_highest
    ever, change = opened - 365 * DAY, opened + 60 * DAY

    def rate(part: float) -> float:
        return lowest + part * (highest - lowest)

    # plan, affiliate, category, tier, tier from, rate, valid from, ends
    plans = [
        ("usual-1", None, None, 1, 0, rate(0.25), ever, change),
        ("usual-1b", None, None, 1, 0, rate(0.375), change, NEVER),
        ("usual-2", None, None, 2, 500, rate(0.5), ever, NEVER),
        ("usual-3", None, None, 3, 2000, rate(0.625), ever, NEVER),
        ("kitchen", None, "kitchen", 1, 0, rate(0.125), ever, NEVER),
        ("jewellery", None, "jewellery", 1, 0, rate(0.75), ever, NEVER),
        ("seasonal", None, "seasonal", 1, 0, rate(0), ever, NEVER),
        ("partner", known.ids[0], None, 1, 0, rate(1), int(known.joined[0]), NEVER),
        ("partner-toys", known.ids[0], "toys", 1, 0, rate(0.875), int(known.joined[0]), NEVER),
    ]
    ids, owners, categories, tiers, minimums, rates, begins, ends = zip(*plans, strict=True)
    count = len(plans)
    basis_points = np.array([round(value * 10_000) for value in rates], np.int64)
    return pa.table(
        {
            "plan_id": pa.array(ids, pa.string()),
            "affiliate_id": pa.array(owners, pa.string()),
            "category": pa.array(categories, pa.string()),
            "tier": pa.array(tiers, pa.int32()),
            "tier_min_sales": exact(np.array(minimums, np.int64) * 100, 12, 2),
            "rate": exact(basis_points, 6, 4),
            "window_days": pa.array([parameters.commission_window_days] * count, pa.int32()),
            "hold_days": pa.array([parameters.commission_hold_days] * count, pa.int32()),
            "valid_from": instants(np.array(begins, np.int64)),
            "ends_at": instants(np.array(ends, np.int64)),
        }
    )
