"""Eight models divide orders as their definitions say, to the last unit.

The definitions: first and last touch, linear and position-based (40, 20, 40) as in Snowplow's
dbt-attribution; last non-direct as in Google Analytics, where direct counts only if nothing else
led to the order; time decay as in Universal Analytics, half as much for every 7 days before; the
data-driven two by the shares of channels that the solver fits.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tests.dbt.attribution_reference import MODELS, Credits, Settings, Touch, credited
from tests.dbt.build import Build
from tests.dbt.compiled import run, table

pytestmark = pytest.mark.slow

CHAIN = [
    "int_campaign__order_revenues",
    "int_campaign__order_prints",
    "int_campaign__order_versions",
    "int_campaign__touch_weights",
    "int_campaign__touch_credits",
    "int_campaign__touch_amounts",
    "campaign__attribution",
]
TEXT, MONEY = pa.string(), pa.decimal128(18, 4)
ORDERS = pa.schema([("order_id", TEXT), ("cell", TEXT), ("is_counted", pa.bool_())]).append(
    pa.field("gross_revenue", MONEY)
)
CONVERSIONS = pa.schema([("order_id", TEXT), ("order_date", pa.date32()), ("customer_id", TEXT)])
REFUNDS = pa.schema([("order_id", TEXT), ("refunded_amount", MONEY)])
SHARES = pa.schema([("period", pa.date32()), ("model", TEXT), ("channel", TEXT)]).append(
    pa.field("share", pa.decimal128(13, 12))
)
TOUCHES = pa.schema(
    [
        *(("order_id", TEXT), ("position", pa.int64()), ("touchpoint_id", TEXT)),
        *(("channel", TEXT), ("campaign_id", TEXT), ("occurred_at", pa.timestamp("us", "UTC"))),
    ]
)
DAY = date(2026, 5, 20)
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
Paths = Mapping[str, tuple[Sequence[Touch], Decimal, Decimal]]
Shares = Mapping[str, Mapping[str, Decimal]]


def attributed(build: Build, paths: Paths, shares: Shares) -> dict[str, Credits]:
    """Return what the models make of orders: path, gross and net revenue by order."""
    inputs = {
        "intermediate.int_core__orders": table(
            [
                {"order_id": order, "cell": "main", "is_counted": True, "gross_revenue": gross}
                for order, (_, gross, _) in paths.items()
            ],
            ORDERS,
        ),
        "intermediate.int_core__order_refunds": table(
            [
                {"order_id": order, "refunded_amount": gross - net}
                for order, (_, gross, net) in paths.items()
                if gross != net
            ],
            REFUNDS,
        ),
        "intermediate.int_campaign__conversions": table(
            [{"order_id": order, "order_date": DAY} for order in paths], CONVERSIONS
        ),
        "intermediate.int_campaign__channel_weights": table(
            [
                {"period": DAY.replace(day=1), "model": model, "channel": channel, "share": share}
                for model, channels in shares.items()
                for channel, share in channels.items()
            ],
            SHARES,
        ),
        "intermediate.int_campaign__path_touches": table(
            [
                {
                    "order_id": order,
                    "position": place,
                    "touchpoint_id": touch.touchpoint_id,
                    "channel": touch.channel,
                    "campaign_id": "k",
                    "occurred_at": touch.occurred_at,
                }
                for order, (path, _, _) in paths.items()
                for place, touch in enumerate(path, start=1)
            ],
            TOUCHES,
        ),
    }
    with run(build.target, inputs, CHAIN) as connection:
        return _by_order(connection.execute(ROWS).fetchall())


ROWS = (
    "select order_id, model, touchpoint_id, credit, attributed_revenue, attributed_net_revenue"
    " from campaign.attribution"
)


def _by_order(rows: list[tuple[Any, ...]]) -> dict[str, Credits]:
    found: dict[str, Credits] = {}
    for order, model, touch, *figures in rows:
        assert (model, touch) not in found.setdefault(order, {})
        found[order][model, touch] = (figures[0], figures[1], figures[2])
    return found


def path(*touches: tuple[str, str, float]) -> list[Touch]:
    """Return touches by their name, channel and days before noon."""
    return [Touch(name, channel, NOON - timedelta(days=days)) for name, channel, days in touches]


def shares_of(found: Credits, model: str) -> dict[str, str]:
    """Return the credits of a model as they are written."""
    return {touch: str(row[0]) for (name, touch), row in found.items() if name == model}


ONE, THIRD = "1.000000000000", "0.333333333333"
SHARES_BY_HAND = {
    "markov": {"email": Decimal("0.6"), "search": Decimal("0.3"), "direct": Decimal("0.1")},
    "shapley": {"email": Decimal("0.5"), "search": Decimal("0.5"), "direct": Decimal(0)},
}
# path, then per model the credit of each touchpoint that gets one
BY_HAND: dict[str, tuple[list[Touch], dict[str, dict[str, str]]]] = {
    "one touch": (
        path(("a", "email", 3)),
        {model: {"a": ONE} for model in MODELS},
    ),
    "two touches": (
        path(("a", "search", 7), ("b", "direct", 0)),
        {
            "first_touch": {"a": ONE},
            "last_touch": {"b": ONE},
            "last_non_direct": {"a": ONE},
            "linear": {"a": "0.500000000000", "b": "0.500000000000"},
            "position_based": {"a": "0.500000000000", "b": "0.500000000000"},
            "time_decay": {"a": THIRD, "b": "0.666666666667"},
            "markov": {"a": "0.750000000000", "b": "0.250000000000"},
            "shapley": {"a": ONE},
        },
    ),
    "three touches": (
        path(("a", "email", 14), ("b", "search", 7), ("c", "direct", 0)),
        {
            "first_touch": {"a": ONE},
            "last_touch": {"c": ONE},
            "last_non_direct": {"b": ONE},
            "linear": {"a": "0.333333333334", "b": THIRD, "c": THIRD},
            "position_based": {"a": "0.400000000000", "b": "0.200000000000", "c": "0.400000000000"},
            "time_decay": {"a": "0.142857142857", "b": "0.285714285714", "c": "0.571428571429"},
            "markov": {"a": "0.600000000000", "b": "0.300000000000", "c": "0.100000000000"},
            "shapley": {"a": "0.500000000000", "b": "0.500000000000"},
        },
    ),
    "only direct": (
        path(("b", "direct", 7), ("a", "direct", 0)),
        {
            "first_touch": {"b": ONE},
            "last_touch": {"a": ONE},
            "last_non_direct": {"a": ONE},
            "linear": {"a": "0.500000000000", "b": "0.500000000000"},
            "position_based": {"a": "0.500000000000", "b": "0.500000000000"},
            "time_decay": {"a": "0.666666666667", "b": THIRD},
            "markov": {"a": "0.500000000000", "b": "0.500000000000"},
            # direct has no share at all: even parts, as linear
            "shapley": {"a": "0.500000000000", "b": "0.500000000000"},
        },
    ),
    "four touches": (
        path(("d", "email", 21), ("c", "search", 14), ("b", "search", 7), ("a", "email", 0)),
        {
            "first_touch": {"d": ONE},
            "last_touch": {"a": ONE},
            "last_non_direct": {"a": ONE},
            "linear": dict.fromkeys("abcd", "0.250000000000"),
            "position_based": {
                **dict.fromkeys("ad", "0.400000000000"),
                **dict.fromkeys("bc", "0.100000000000"),
            },
            "time_decay": {
                "d": "0.066666666667",
                "c": "0.133333333333",
                "b": "0.266666666667",
                "a": "0.533333333333",
            },
            # the touches of a channel share what it weighs
            "markov": {"a": THIRD, "b": "0.166666666667", "c": "0.166666666667", "d": THIRD},
            "shapley": dict.fromkeys("abcd", "0.250000000000"),
        },
    ),
    "no touch": ([], {model: {"(none)": ONE} for model in MODELS}),
}


def test_six_paths_by_hand(small_shop: Build) -> None:
    ten = Decimal(10)
    paths = {name: (touches, ten, ten) for name, (touches, _) in BY_HAND.items()}
    found = attributed(small_shop, paths, SHARES_BY_HAND)
    assert {
        name: {model: shares_of(one, model) for model in MODELS} for name, one in found.items()
    } == {name: expected for name, (_, expected) in BY_HAND.items()}
    thirds = {touch: found["three touches"]["linear", touch][1] for touch in "abc"}
    assert thirds == {"a": Decimal("3.3334"), "b": Decimal("3.3333"), "c": Decimal("3.3333")}


def test_random_paths_equal_plain_loops(small_shop: Build) -> None:
    chance = random.Random(20261127)
    channels = [*"abcdef", "direct"]
    cuts = sorted(chance.randrange(10**12) for _ in channels[2:])
    parts = [b - a for a, b in zip([0, *cuts], [*cuts, 10**12], strict=True)]
    markov = {
        channel: Decimal(part) / 10**12 for channel, part in zip(channels[1:], parts, strict=True)
    }
    shares = {"markov": markov, "shapley": {"a": Decimal(1)}}
    amounts = [Decimal(0), Decimal("-0.0001"), Decimal("0.0003"), Decimal("89999999999999.9999")]
    paths: dict[str, tuple[list[Touch], Decimal, Decimal]] = {}
    for number in range(400):
        times = sorted(chance.randrange(30 * 86400) for _ in range(number % 14))
        touches = [
            Touch(f"{chance.random():.6f}", chance.choice(channels), NOON + timedelta(seconds=time))
            for time in times
        ]
        gross, net = (
            chance.choice([*amounts, *(Decimal(chance.randrange(10**7)) / 10**4 for _ in "123456")])
            for _ in "gn"
        )
        paths[f"o{number}"] = (touches, gross, chance.choice([gross, net]))
    expected = {
        order: credited(touches, gross, net, shares, Settings())
        for order, (touches, gross, net) in paths.items()
    }
    assert attributed(small_shop, paths, shares) == expected


def test_the_small_shop_equals_plain_loops(small_shop: Build) -> None:
    paths: dict[str, list[Touch]] = {}
    for order, *touch in small_shop.rows(
        "select order_id, touchpoint_id, channel, occurred_at"
        " from intermediate.int_campaign__path_touches where order_id is not null"
        " order by order_id, position"
    ):
        paths.setdefault(order, []).append(Touch(*touch))
    shares: dict[date, dict[str, dict[str, Decimal]]] = {}
    for month, model, channel, share in small_shop.rows(
        "select period, model, channel, share from intermediate.int_campaign__channel_weights"
    ):
        shares.setdefault(month, {}).setdefault(model, {})[channel] = share
    expected = {
        order: credited(
            paths.get(order, []), gross, net, shares.get(day.replace(day=1), {}), Settings()
        )
        for order, day, gross, net in small_shop.rows(
            "select order_id, order_date, gross_revenue, net_revenue from core.orders"
            " where is_counted"
        )
    }
    assert _by_order(small_shop.rows(ROWS)) == expected
    assert max(len(touches) for touches in paths.values()) > 5
