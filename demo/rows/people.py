"""Who buys: made-up customers who join over time, or those of real orders; merges and closures."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demo.draws import Draws, Keys, keys_of
from demo.parameters import Parameters
from demo.rows.columns import DAY, NEVER, Ints, instants, picked

COUNTRIES = ("United Kingdom", "Germany", "France", "EIRE", "Spain", "Netherlands", "Australia")
COUNTRY_SHARES = (0.86, 0.035, 0.035, 0.03, 0.015, 0.015, 0.01)
GENDERS = ("female", "male", "other", None)
GENDER_SHARES = (0.50, 0.36, 0.03, 0.11)
CONSENT_SHARE = 0.62

DAYS = 90  # days in which a shop of scale 1 comes to 300 customers and 2,000 orders
CUSTOMERS = 300
FIRST_SHARE = 0.4  # of them known when the shop opens
# However small the shop, two accounts are found to be one person's about so often (days).
LEAST_OFTEN = 12
CLOSED_SHARE = 0.02


@dataclass(frozen=True)
class People:
    """Customers in the order in which they join; a position is a customer for good."""

    ids: list[str]
    countries: list[str | None]
    created: Ints  # seconds
    joined: Ints  # may order from then on, never falling
    closed: Ints  # the account is closed from then on; NEVER
    merged: Ints  # found to be the same person as the one before from then on; NEVER

    def __len__(self) -> int:
        return len(self.ids)

    def accounts(self, customer: Ints, seconds: Ints) -> Ints:
        """Return the account that a customer uses at an instant; -1: none (any more)."""
        if len(self) == 0:
            return np.full(len(customer), -1)
        known = np.maximum(customer, 0)
        account = np.where(self.merged[known] <= seconds, known - 1, known)
        return np.where((customer < 0) | (self.closed[account] <= seconds), -1, account)

    def merges(self) -> pa.Table:
        """Return user_id, merged_into, merged_at."""
        found = np.flatnonzero(self.merged < NEVER)
        ids = pa.array(self.ids, pa.string())
        return pa.table(
            {
                "user_id": picked(ids, found),
                "merged_into": picked(ids, found - 1),
                "merged_at": instants(self.merged[found]),
            }
        )


def made_people(
    seed: int, scale: float, start: int, horizon: int, parameters: Parameters
) -> People:
    """Return the customers of a made-up shop that join before `horizon`.

    40 % of those of the first 90 days are known when it opens; after that they come evenly.
    """
    first = FIRST_SHARE * CUSTOMERS * scale
    daily = (1 - FIRST_SHARE) * CUSTOMERS * scale / DAYS
    days = max(0, horizon - start) / DAY
    count = max(5, round(first + daily * days))
    index = np.arange(count)
    draws = Draws(seed, "made customer", index.astype(np.uint64))
    late = np.maximum(0, index + 1 - max(5.0, first)) / daily
    joined = start + (late * DAY).astype(np.int64)
    before = start - draws.integers("before", 1, 60 * DAY)
    created = np.where(late > 0, joined, before)
    countries = [COUNTRIES[place] for place in draws.choices("country", COUNTRY_SHARES)]
    ids = [str(12_001 + place) for place in index]
    return _living(seed, ids, list(countries), created, joined, start, scale, parameters)


def real_people(
    seed: int, users: pa.Table, scale: float, start: int, parameters: Parameters
) -> People:
    """Return the customers of real orders, with what happens to their accounts from `start` on."""
    ids = users.column("user_id").to_pylist()
    created = np.asarray(users.column("created_at").cast(pa.int64()), np.int64) // 1_000_000
    countries = users.column("country").to_pylist()
    joined = np.full(len(ids), start)
    return _living(seed, ids, countries, created, joined, start, scale, parameters)


def _living(
    seed: int,
    ids: list[str],
    countries: list[str | None],
    created: Ints,
    joined: Ints,
    start: int,
    scale: float,
    parameters: Parameters,
) -> People:
    """Add merges and closures: of four customers in a row the 2nd may close, the 4th merge.

    So nobody merges into an account that is closed or merges itself: there are no chains.
    """
    count = len(ids)
    index = np.arange(count)
    draws = Draws(seed, "account", index.astype(np.uint64))
    closing = joined + draws.integers("closed day", 20, 300) * DAY + 15 * 3600
    closes = (index % 4 == 1) & (draws.uniform("closed") < 4 * CLOSED_SHARE)
    found = parameters.merged_customers * CUSTOMERS * scale / DAYS  # a day
    every = DAY * min(LEAST_OFTEN, 1 / max(found, 1e-9))
    merging = start + ((index // 4 + draws.uniform("merged")) * every).astype(np.int64)
    merges = (index % 4 == 3) & (merging > joined + 2 * DAY) & (found > 0)
    return People(
        ids=ids,
        countries=countries,
        created=created,
        joined=joined,
        closed=np.where(closes, closing, NEVER),
        merged=np.where(merges, merging, NEVER),
    )


def user_rows(people: People, seed: int) -> pa.Table:
    """Return the customers as rows of users, as they were when they registered."""
    drawn = drawn_users(people.ids, keys_of(people.ids), seed)
    count = len(people)
    return pa.table(
        {
            "user_id": pa.array(people.ids, pa.string()),
            "email": pa.array([f"c{user}@example.com" for user in people.ids], pa.string()),
            "name": pa.array([f"Customer {user}" for user in people.ids], pa.string()),
            "birth_date": drawn.column("birth_date"),
            "gender": drawn.column("gender"),
            "country": pa.array(people.countries, pa.string()),
            "created_at": instants(people.created),
            "marketing_consent": drawn.column("marketing_consent"),
            "account_status": pa.array(["active"] * count, pa.string()),
            "merged_into": pa.nulls(count, pa.string()),
        }
    )


def drawn_users(users: list[str], keys: Keys, seed: int) -> pa.Table:
    """Return user_id, birth_date, gender and marketing_consent, drawn from the customer's id."""
    draws = Draws(seed, "user", keys)
    days = draws.integers("birth date", -12_800, 12_000)  # 1934-12 to 2002-11
    birth_dates = pa.array(days.astype("datetime64[D]"), mask=draws.uniform("no birth date") < 0.12)
    genders = [GENDERS[index] for index in draws.choices("gender", GENDER_SHARES)]
    return pa.table(
        {
            "user_id": pa.array(users, pa.string()),
            "birth_date": birth_dates,
            "gender": pa.array(genders, pa.string()),
            "marketing_consent": pa.array(draws.uniform("consent") < CONSENT_SHARE),
        }
    )
