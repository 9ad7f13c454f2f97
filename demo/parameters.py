"""The figures after which the shop is made, each with the value measured in public shop data.

Measured on: Online Retail (UCI 352, 2010-12 to 2011-12), the e-shop clickstream (UCI 553, 17,031
sessions) and Open Bandit (ZOZOTOWN). What no public data tells is chosen, and said to be so.
"""

import math
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from extractors.errors import ConfigError

# (share, value) pairs: the quantile function goes straight through them, on a logarithmic scale.
Quantiles = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What can be changed with `--parameters FILE`; shares lie between 0 and 1."""

    # Online Retail: units ordered fall with the rank of a product as rank^-slope; measured near
    # 0.7, so that the top 10 % of codes are in 44 % of the lines.
    popularity_slope: float = 0.7
    # Chosen: 2,000 orders in 90 days at scale 1.
    orders_per_day: float = 2000 / 90
    # Online Retail: most orders come at noon, and none on Saturdays (Monday is 0).
    order_peak_hour: int = 12
    closed_weekday: int = 5
    # Online Retail: cancelled invoices among all invoices, their value, and the days between an
    # order and its cancellation.
    cancelled_invoices: float = 0.148
    cancelled_value: float = 0.084
    cancelled_after_days: Quantiles = ((0.0, 0.5), (0.5, 9.0), (0.75, 30.0), (0.9, 72.0), (1, 270))
    # Chosen: how many product pairs are planted, and how often the first brings the second.
    product_pairs: int = 12
    pair_share: float = 0.6
    # Chosen: orders in euros, orders with a coupon, customers whose accounts are merged.
    euro_orders: float = 0.08
    coupon_orders: float = 0.04
    merged_customers: float = 0.01
    # Chosen: payments in two parts, too high, missing, charged back, and chargebacks won again.
    split_payments: float = 0.02
    overpaid_orders: float = 0.005
    unpaid_orders: float = 0.015
    charged_back: float = 0.003
    chargebacks_won: float = 0.4
    # Usual in affiliate programmes: the rates, the days in which a click earns, and the days that
    # a commission is held back.
    commission_lowest: float = 0.04
    commission_highest: float = 0.12
    commission_window_days: int = 30
    commission_hold_days: int = 30

    # Chosen: orders whose browser the shop knows; of real orders, which are
    # many and have all that is around them made up, 5 % at scale 1.
    tracked_made: float = 0.6
    tracked_real: float = 0.05
    # e-shop clickstream: product clicks of a session; p50, p90 and p99 are 4, 16 and 42.
    session_clicks: Quantiles = (
        *((0.0, 0.7), (0.21, 1.5), (0.5, 4.0), (0.9, 16.0)),
        *((0.99, 42.0), (0.999, 88.0), (1.0, 192.0)),
    )
    # Usual in shops: sessions that end with an order.
    converting_sessions: float = 0.15
    # Public clickstreams: most people browse at 22 h of the shop's time zone.
    browsing_peak_hour: int = 22
    # Open Bandit: clicks among impressions.
    click_through: float = 0.005
    # Chosen: of the impressions that nobody clicked, those that the shop's own log has.
    logged_impressions: float = 0.02
    # Chosen: events that come late (5 minutes to 3 days), that are delivered twice, and whose
    # browser's clock is wrong by days.
    late_events: float = 0.01
    duplicate_events: float = 0.005
    wrong_clocks: float = 0.001
    # Chosen: customers on two devices, devices that two customers share.
    two_devices: float = 0.2
    shared_devices: float = 0.03
    # Chosen: visits in which a customer signs in, with an order and without.
    sign_in_buying: float = 0.85
    sign_in_others: float = 0.3
    # Chosen: visits of strangers that are made by programs.
    bots: float = 0.06

    @classmethod
    def of(cls, values: dict[str, Any], origin: str) -> "Parameters":
        """Return the parameters of a mapping; what it leaves out keeps its default.

        Raises ConfigError naming `origin` and the key that is unknown or has a wrong value.
        """
        known = {field.name: field.default for field in fields(cls)}
        found: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                near = get_close_matches(name, known, n=1)
                meant = f"; did you mean {near[0]}?" if near else ";"
                choices = ", ".join(sorted(known))
                raise ConfigError(f"{origin}: unknown parameter {name}{meant} known are {choices}")
            found[name] = _checked(value, known[name], f"{origin}: {name}")
        parameters = cls(**found)
        if parameters.commission_lowest > parameters.commission_highest:
            raise ConfigError(f"{origin}: commission_lowest is above commission_highest")
        return parameters

    def as_dict(self) -> dict[str, Any]:
        """Return the values as JSON and YAML hold them; `of` reads them back."""
        return {
            name: [list(point) for point in value] if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def read(path: Path) -> Parameters:
    """Return the parameters that a YAML file sets, the others as measured.

    Raises ConfigError naming the file and the key when a key is unknown or a value does not fit.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name an existing file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{path}: not YAML ({reason}); write lines of `name: value`") from error
    if document is None:
        return Parameters()
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: not a mapping; write lines of `name: value`")
    return Parameters.of({str(key): value for key, value in document.items()}, str(path))


def _checked(value: Any, default: Any, where: str) -> Any:
    """Return the value in the default's type, or raise."""
    if isinstance(default, tuple):
        return _quantiles(value, where)
    highest = 1 if isinstance(default, float) and default < 1 else math.inf
    if isinstance(default, int):
        is_right = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        wanted = "a whole number of 0 or more"
        if where.endswith("_hour"):
            is_right, wanted = is_right and value < 24, "an hour from 0 to 23"
    else:
        is_right = _is_number(value) and 0 <= value <= highest
        wanted = "a number from 0 to 1" if highest == 1 else "a number of 0 or more"
    if where.endswith(("click_through", "converting_sessions")):
        is_right, wanted = is_right and value > 0, f"{wanted}, and not 0"
    if not is_right:
        raise ConfigError(f"{where} is {value!r}, not {wanted}")
    return float(value) if isinstance(default, float) else value


def _quantiles(value: Any, where: str) -> Quantiles:
    """Return points of a quantile function: shares rise from 0 to 1, values are above 0."""
    message = f"{where} is {value!r}, not a list of [share, value] from share 0 to 1, both rising"
    if not isinstance(value, list | tuple) or len(value) < 2:
        raise ConfigError(message)
    points: list[tuple[float, float]] = []
    for point in value:
        if (
            not isinstance(point, list | tuple)
            or len(point) != 2
            or not all(map(_is_number, point))
        ):
            raise ConfigError(message)
        points.append((float(point[0]), float(point[1])))
    shares, values = zip(*points, strict=True)
    rises = all(a < b for a, b in pairwise(shares))
    grows = all(0 < a <= b for a, b in pairwise(values))
    if shares[0] != 0 or shares[-1] != 1 or not rises or not grows:
        raise ConfigError(message)
    return tuple(points)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
