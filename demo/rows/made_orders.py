"""Made-up orders without an end: when, by whom, and of what; one more order changes no other."""

from dataclasses import dataclass

import numpy as np

from demo.draws import Draws
from demo.parameters import Parameters
from demo.rows.columns import DAY, Flags, Ints, london
from demo.rows.people import People

# Of all documents: adjustments of the books and of the stock, which are no sales.
DEBT_SHARE, ADJUSTED_SHARE = 0.0015, 0.0185
ANONYMOUS_SHARE = 0.2
# Of the sales: entered by staff to try something and removed days later; cancelled before they
# were paid; taken by telephone and entered hours to days later.
TEST_SHARE, CANCELLED_SHARE, TELEPHONE_SHARE = 0.01, 0.01, 0.005
EURO_COUNTRIES = ("Germany", "France", "EIRE", "Spain", "Netherlands")
# Of made-up sales, those of customers in euro countries, who also order a little more.
EURO_BUYERS = 0.115


@dataclass(frozen=True)
class MadeOrders:
    """Documents by their number; every column has one value per document."""

    number: Ints
    seconds: Ints  # ordered at
    customer: Ints  # position in People; -1: nobody known
    account: Ints  # the position of the account that the customer used then; -1: none
    is_debt: Flags
    is_adjustment: Flags
    is_test: Flags
    is_euro: Flags
    seed: int
    draws: Draws

    def __len__(self) -> int:
        return len(self.number)

    @property
    def is_sale(self) -> Flags:
        """Whether goods were sold, to try the shop included."""
        return ~(self.is_debt | self.is_adjustment)


def made_orders(
    people: People, seed: int, scale: float, start: int, horizon: int, parameters: Parameters
) -> MadeOrders:
    """Return the documents from the first whole day at or after `start` to before `horizon`."""
    first = -(-start // DAY)
    count = _count(first, scale, horizon, parameters)
    number = np.arange(count)
    draws = Draws(seed, "made order", number.astype(np.uint64))
    seconds = _times(number, draws, first, scale, parameters)
    kind = draws.uniform("kind")
    is_debt = kind < DEBT_SHARE
    is_adjustment = ~is_debt & (kind < DEBT_SHARE + ADJUSTED_SHARE)
    is_sale = ~(is_debt | is_adjustment)
    is_test = is_sale & (draws.uniform("test") < TEST_SHARE)
    pool = np.searchsorted(people.joined, seconds, "right")
    customer = (draws.uniform("customer") ** 1.2 * pool).astype(np.int64)
    unknown = (draws.uniform("anonymous") < ANONYMOUS_SHARE) | ~is_sale | is_test | (pool == 0)
    customer = np.where(unknown, -1, customer)
    account = people.accounts(customer, seconds)
    in_euro_country = np.array([country in EURO_COUNTRIES for country in people.countries], bool)
    buys_in_euro = draws.uniform("euro") < parameters.euro_orders / EURO_BUYERS
    is_euro = np.zeros(count, np.bool_)
    known = account >= 0
    is_euro[known] = in_euro_country[account[known]] & buys_in_euro[known]
    return MadeOrders(
        number=number,
        seconds=seconds,
        customer=customer,
        account=account,
        is_debt=is_debt,
        is_adjustment=is_adjustment,
        is_test=is_test,
        is_euro=is_euro,
        seed=seed,
        draws=draws,
    )


def _per_open_day(scale: float, parameters: Parameters) -> float:
    """Return the orders of a day; a weekday from 7 on does not exist: the shop never closes."""
    open_days = 7 if parameters.closed_weekday > 6 else 6
    return parameters.orders_per_day * scale * 7 / open_days


def _count(first: int, scale: float, horizon: int, parameters: Parameters) -> int:
    """Return how many orders lie before the horizon's day."""
    days = np.arange(first, max(first, horizon // DAY))
    is_open = (days + 3) % 7 != parameters.closed_weekday
    return int(is_open.sum() * _per_open_day(scale, parameters))


def _times(number: Ints, draws: Draws, first: int, scale: float, parameters: Parameters) -> Ints:
    """Return when each document was written: its number says the day, draws say the minute."""
    place = (number / _per_open_day(scale, parameters)).astype(np.int64)
    # 1970-01-01 was a Thursday (3). Open days before the first closed one, then six a week.
    before = (parameters.closed_weekday - (first + 3)) % 7
    closed = 0 if parameters.closed_weekday > 6 else (place + 6 - before) // 6
    days = first + place + closed
    spread = sum(draws.uniform(f"hour {part}") for part in range(3)) - 1.5  # -1.5 to 1.5, peak at 0
    usual = parameters.order_peak_hour * 60 + 30 + spread * 210
    at_night = 180 + draws.uniform("night") * 1140  # 03:00 to 22:00
    minutes = np.where(draws.uniform("at night") < 0.03, at_night, usual)
    return london(days, np.clip(minutes, 180, 1319).astype(np.int64))
