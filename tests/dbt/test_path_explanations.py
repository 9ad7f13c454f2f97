"""Every touchpoint is explained for each order within reach, as a plain loop does it."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest

from tests.dbt.build import Build

pytestmark = pytest.mark.slow

LOOKBACK = timedelta(days=30)


class Step(NamedTuple):
    """A session or an order of one customer or visitor, by time; an order comes last."""

    at: datetime
    rank: int
    name: str
    identity: str
    campaign: tuple[str, str] | None


def steps_of(build: Build) -> dict[str | None, list[Step]]:
    """Return the sessions and counted orders of each key, in order."""
    steps: dict[str | None, list[Step]] = defaultdict(list)
    for key, at, rank, name, session, channel, campaign in build.rows(
        "select path_key, started_at, source_rank, event_id, session_id, channel, campaign_id"
        " from intermediate.int_core__sessions"
    ):
        steps[key].append(Step(at, rank, name, session, (channel, campaign)))
    for key, at, order in build.rows(
        "select path_key, ordered_at, order_id from intermediate.int_campaign__conversions"
    ):
        steps[key].append(Step(at, 7, order, order, None))
    return {key: sorted(each) for key, each in steps.items()}


def explained(steps: list[Step]) -> list[tuple[str | None, str, str]]:
    """Return (order, touchpoint, rule) of all touches of one key."""
    found: list[tuple[str | None, str, str]] = []
    open_path: list[Step] = []
    waiting: list[Step] = []

    def close(path: list[Step], order: str | None) -> None:
        for place, touch in enumerate(path, start=1):
            is_same = place < len(path) and path[place].campaign == touch.campaign
            rule = "transform_exposure" if is_same else "considered"
            found.append((order, touch.identity, rule))

    def leave(touches: list[Step]) -> None:
        for touch in touches:
            if open_path and touch.at - open_path[-1].at > LOOKBACK:
                close(open_path, None)
                open_path.clear()
            open_path.append(touch)

    before: list[Step] = []
    for step in steps:
        if step.campaign is not None:
            waiting.append(step)
            continue
        reached = [touch for touch in waiting if touch.at >= step.at - LOOKBACK]
        early = waiting[: len(waiting) - len(reached)]
        found += [(step.identity, touch.identity, "before_lookback") for touch in early]
        found += [
            (step.identity, touch.identity, "claimed_by_earlier_order")
            for touch in before
            if touch.at >= step.at - LOOKBACK
        ]
        # an order begins a new path, of touches without an order too
        leave(early)
        close(open_path, None)
        open_path.clear()
        close(reached, step.identity)
        if not reached:
            found.append((step.identity, "(none)", "no_touch"))
        before += waiting
        waiting = []
    leave(waiting)
    close(open_path, None)
    return found


def test_the_small_shop_is_explained_as_by_a_plain_loop(small_shop: Build) -> None:
    expected: list[tuple[str | None, str, str]] = []
    for key, steps in steps_of(small_shop).items():
        if key is None:
            expected += [(step.identity, "(none)", "nobody_known") for step in steps]
        else:
            expected += explained(steps)
    found = small_shop.rows("select order_id, touchpoint_id, rule from campaign.path_explanations")
    assert Counter(found) == Counter(expected)
    assert len({rule for _, _, rule in found}) == 6


def test_what_took_the_place_of_a_touch_is_named(small_shop: Build) -> None:
    wrong = small_shop.rows(
        """
        select explained.path_id, explained.touchpoint_id
        from campaign.path_explanations as explained
        left join campaign.path_explanations as other
            on explained.path_id = other.path_id and explained.decided_by_id = other.touchpoint_id
        left join core.orders as orders on explained.decided_by_id = orders.order_id
        where
            (
                explained.rule = 'transform_exposure'
                and (
                    other.touchpoint_id is null
                    or other.campaign_id <> explained.campaign_id
                    or other.occurred_at < explained.occurred_at
                )
            )
            or (
                explained.rule = 'claimed_by_earlier_order'
                and (
                    orders.order_id is null
                    or orders.ordered_at not between explained.occurred_at and explained.ordered_at
                )
            )
        """
    )
    assert wrong == []
