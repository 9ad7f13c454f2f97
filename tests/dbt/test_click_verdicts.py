"""Verdicts on affiliates' clicks equal plain loops over the clicks, in whatever order they came."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dbt.build import Build
from tests.dbt.compiled import run, table

pytestmark = pytest.mark.slow

MODELS = [
    "int_affiliate__program_agents",
    "int_affiliate__data_centre_addresses",
    "int_affiliate__crowded_clicks",
    "int_affiliate__click_bursts",
    "int_affiliate__suspected_clicks",
    "int_affiliate__judged_clicks",
]
# Small limits, so that a few dozen clicks reach each of them.
AGAIN, BROWSERS, LASTS, PER_HOUR, PER_MINUTE = 30, 3, 600, 8, 5
SETTINGS = {
    "click_duplicate_seconds": AGAIN,
    "click_agent_minimum_clicks": None,
    "click_agent_seen_share": None,
    "click_crowd_browsers": BROWSERS,
    "click_crowd_seconds": LASTS,
    "click_address_per_hour": PER_HOUR,
    "click_affiliate_per_minute": PER_MINUTE,
    "click_order_minimum_clicks": None,
    "click_order_share": None,
    "click_own_device_days": 1,
    "click_order_minimum_seconds": 15,
}
START = datetime(2011, 5, 1, 9, 55, tzinfo=UTC)
TEXT, WHOLE, INSTANT = pa.string(), pa.int64(), pa.timestamp("us", "UTC")
CLICKS = pa.schema(
    [
        *((name, TEXT) for name in ("click_id", "cell", "affiliate_id", "visitor_id")),
        *((name, TEXT) for name in ("customer_id", "path_key", "browser_key", "product_id")),
        *((name, TEXT) for name in ("landing_page", "address", "user_agent", "bot_reason")),
        *(("occurred_at", INSTANT), ("is_ordered", pa.bool_()), ("is_seen", pa.bool_())),
        *((name, WHOLE) for name in SETTINGS if not name.endswith("share")),
        *((name, pa.decimal128(9, 8)) for name in SETTINGS if name.endswith("share")),
    ]
)
OWN = pa.schema(
    [
        *((name, TEXT) for name in ("affiliate_id", "identity_kind", "identity_id", "rule")),
        *(("first_at", INSTANT), ("last_at", INSTANT)),
    ]
)
DECISIONS = pa.schema(
    [
        *((name, TEXT) for name in ("decision_id", "kind", "click_id", "author", "reason")),
        *(("effective_at", INSTANT), ("decided_at", INSTANT)),
    ]
)
AGENTS = pa.schema([("rule_rank", WHOLE), ("user_agent", TEXT), ("reason", TEXT)])
RANGES = pa.schema([("first_address", TEXT), ("last_address", TEXT), ("company", TEXT)])


@dataclass(frozen=True, slots=True)
class Click:
    """A click: seconds after START, and who, for whom, on what, from where."""

    click_id: str
    at: int
    browser: str
    affiliate: str
    product: str
    address: str

    def occurred_at(self) -> datetime:
        return START + timedelta(seconds=self.at)


def verdicts(build: Build, clicks: Sequence[Click]) -> dict[str, str | None]:
    """Return the rule that the models tell of each click, the clicks stored in this order."""
    rows = [
        {
            **SETTINGS,
            "click_id": click.click_id,
            "affiliate_id": click.affiliate,
            "visitor_id": click.browser,
            "browser_key": click.browser,
            "product_id": click.product,
            "address": click.address,
            "occurred_at": click.occurred_at(),
            "is_ordered": False,
            "is_seen": True,
        }
        for click in clicks
    ]
    device = {"affiliate_id": "a1", "identity_kind": "visitor", "identity_id": "b1"}
    seen = {"rule": "own_device", "first_at": START, "last_at": START}
    inputs = {
        "intermediate.int_affiliate__seen_clicks": table(rows, CLICKS),
        "intermediate.int_affiliate__own_identities": table([{**device, **seen}], OWN),
        "ledger.decisions": table([], DECISIONS),
        "seeds.bot_agents": table([], AGENTS),
        "seeds.data_centre_ranges": table([], RANGES),
    }
    with run(build.target, inputs, MODELS) as connection:
        found = connection.execute(
            "select click_id, validity_rule from intermediate.int_affiliate__judged_clicks"
        ).fetchall()
    assert len(found) == len(clicks)
    return dict(found)


def expected(clicks: Sequence[Click]) -> dict[str, str | None]:
    """Return the same by plain loops."""
    in_order = sorted(clicks, key=lambda one: (one.at, one.click_id))
    hours = Counter((one.address, one.occurred_at().replace(minute=0, second=0)) for one in clicks)
    minutes = Counter((one.affiliate, one.occurred_at().replace(second=0)) for one in clicks)
    crowded = crowds(in_order)
    result: dict[str, str | None] = {}
    for place, click in enumerate(in_order):
        is_again = any(
            before.at >= click.at - AGAIN
            for before in in_order[:place]
            if (before.browser, before.affiliate, before.product)
            == (click.browser, click.affiliate, click.product)
        )
        hour = click.occurred_at().replace(minute=0, second=0)
        if is_again:
            rule = "repeated"
        elif click.click_id in crowded:
            rule = "crowd"
        elif hours[click.address, hour] > PER_HOUR:
            rule = "address_velocity"
        elif minutes[click.affiliate, click.occurred_at().replace(second=0)] > PER_MINUTE:
            rule = "affiliate_velocity"
        elif (click.affiliate, click.browser) == ("a1", "b1"):
            rule = "own_device"
        else:
            rule = None
        result[click.click_id] = rule
    return result


def crowds(in_order: Sequence[Click]) -> set[str]:
    """Return the clicks from where more than BROWSERS came within LASTS seconds began, to its end.

    A browser is new unless it clicked at most LASTS seconds before.
    """
    found: set[str] = set()
    for group in {(one.affiliate, one.address) for one in in_order}:
        clicks = [one for one in in_order if (one.affiliate, one.address) == group]
        new = [
            place
            for place, click in enumerate(clicks)
            if not any(
                before.browser == click.browser and before.at >= click.at - LASTS
                for before in clicks[:place]
            )
        ]
        for number, place in enumerate(new[BROWSERS:]):
            began = clicks[new[number]].at
            if began >= clicks[place].at - LASTS:
                found |= {one.click_id for one in clicks[: place + 1] if one.at >= began}
    return found


# Times in steps of 15 seconds over an hour and a half of the clock, many of them equal.
a_click = st.tuples(
    st.integers(0, 360).map(lambda step: 15 * step),
    st.sampled_from(["b1", "b2", "b3", "b4", "b5", "b6"]),
    st.sampled_from(["a1", "a1", "a1", "a2"]),
    st.sampled_from(["p1", "p2"]),
    st.sampled_from(["h1", "h1", "h2"]),
)
# ... or a burst of them within some minutes
a_burst = st.tuples(st.integers(0, 4800), st.lists(a_click, min_size=4, max_size=14)).map(
    lambda given: [(given[0] + one[0] % 420, *one[1:]) for one in given[1]]
)
streams = st.tuples(st.lists(a_click, max_size=12), st.lists(a_burst, max_size=3)).map(
    lambda parts: [
        Click(f"k{number:02}", *one)
        for number, one in enumerate([*parts[0], *(click for burst in parts[1] for click in burst)])
    ]
)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(clicks=streams, order=st.randoms(use_true_random=False))
def test_verdicts_equal_plain_loops_in_any_order_of_arrival(
    small_shop: Build, clicks: list[Click], order: random.Random
) -> None:
    shuffled = list(clicks)
    order.shuffle(shuffled)
    assert verdicts(small_shop, shuffled) == expected(clicks)


def test_the_streams_reach_every_rule(small_shop: Build) -> None:
    many = [Click(f"m{n}", 60 + n, f"b{n % 2 + 5}", "a2", f"p{n}", f"h{n}") for n in range(6)]
    crowd = [Click(f"c{n}", 900 + 60 * n, f"b{n + 2}", "a1", "p1", "h20") for n in range(4)]
    hourly = [Click(f"h{n}", 1200 + 60 * n, "b7", f"a{n + 3}", "p1", "h21") for n in range(9)]
    others = [
        Click("again", 910, "b2", "a1", "p1", "h22"),
        Click("own", 0, "b1", "a1", "p1", "h23"),
        Click("fine", 0, "b8", "a9", "p1", "h24"),
    ]
    clicks = [*many, *crowd, *hourly, *others]
    found = verdicts(small_shop, clicks)
    assert found == expected(clicks)
    assert Counter(found.values()) == {
        "affiliate_velocity": 6,
        "crowd": 4,
        "address_velocity": 9,
        "repeated": 1,
        "own_device": 1,
        None: 1,
    }
