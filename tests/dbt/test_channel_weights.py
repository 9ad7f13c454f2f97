"""The weights of the data-driven models are those of the published paths."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from tests.dbt.build import Build

pytestmark = pytest.mark.slow


def test_each_month_is_fitted_to_the_published_paths_of_its_90_days(small_shop: Build) -> None:
    """By Shapley each order counts equally for the channels of its path: a plain sum says it."""
    paths = small_shop.rows(
        """
        select orders.ordered_at, list(distinct touches.channel)
        from campaign.path_touchpoints as touches
        inner join campaign.paths as paths on touches.path_id = paths.path_id
        inner join core.orders as orders on paths.order_id = orders.order_id
        group by orders.order_id, orders.ordered_at
        """
    )
    months = {
        date(2011, month, 1): (date(2011, month, 1), date(2011, month + 1, 1))
        for (month,) in small_shop.rows("select distinct month(order_date) from core.orders")
    }
    expected: defaultdict[tuple[date, str], Fraction] = defaultdict(Fraction)
    for ordered_at, channels in paths:
        day = ordered_at.astimezone(ZoneInfo("Europe/London")).date()
        for period, (_, end) in months.items():
            if day < end and (end - day).days <= 90:
                for channel in channels:
                    expected[period, channel] += Fraction(1, len(channels))
    found = small_shop.rows(
        "select period, channel, effect from campaign.channel_weights where model = 'shapley'"
    )
    assert len(found) > 10
    tiny = Decimal("1e-12")
    assert {(period, channel): effect for period, channel, effect in found} == {
        key: (Decimal(value.numerator) / value.denominator).quantize(tiny)
        for key, value in expected.items()
    }
