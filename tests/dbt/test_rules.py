"""Every rule of the models holds on the small shop, and in dbt's own unit tests."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.dbt.build import Build
from tests.dbt.reference import counted, events_of, last_touches, resolved, sessions_of
from tests.dbt.streams import Row

pytestmark = pytest.mark.slow


def test_each_unit_test_passes(small_shop: Build) -> None:
    ended = small_shop.dbt("test", "--select", "test_type:unit")
    assert ended.returncode == 0, ended.stdout
    assert len(small_shop.results()) >= 27


def test_the_last_touch_of_each_order_equals_a_plain_loop(
    small_shop: Build, streams: dict[str, list[Row]]
) -> None:
    events = resolved(events_of(streams))
    expected = last_touches(sessions_of(events), events, streams)
    found = small_shop.rows(
        """
        select attribution.order_id, sessions.source_rank, sessions.event_id
        from campaign.attribution as attribution
        left join intermediate.int_core__sessions as sessions
            on attribution.touchpoint_id = sessions.session_id
        where attribution.model = 'last_touch'
        """
    )
    assert {order: (rank, name) if name else None for order, rank, name in found} == expected
    assert set(expected) == counted(streams)
    assert len([touch for touch in expected.values() if touch]) > 20


def test_a_later_as_of_is_told_only_where_something_waits(small_shop: Build) -> None:
    assert small_shop.rows(
        "select sum(waiting_rows), min(next_due_at) from intermediate.int_meta__waiting"
    ) == [(0, None)]


def test_stock_at_the_end_of_each_day_equals_a_plain_loop_over_movements(
    small_shop: Build, streams: dict[str, list[Row]]
) -> None:
    london = ZoneInfo("Europe/London")
    expected: dict[tuple[str, date], int] = {}
    for product in ("p1", "p2", "p3"):
        moved = [m for m in streams["raw_shop.inventory_movements"] if m["product_id"] == product]
        days = [m["moved_at"].astimezone(london).date() for m in moved]
        day, last = min(days), date(2011, 12, 1)
        while day <= last:
            expected[product, day] = sum(
                m["quantity"] for m, moved_on in zip(moved, days, strict=True) if moved_on <= day
            )
            day += timedelta(days=1)
    found = small_shop.rows("select product_id, inventory_date, on_hand from core.inventory_daily")
    assert {(product, day): on_hand for product, day, on_hand in found} == expected
    assert small_shop.rows("from audit.assert_stock_equals_the_count_of_the_shop") == []


def test_price_and_stock_of_a_product_are_those_at_as_of(
    small_shop: Build, streams: dict[str, list[Row]]
) -> None:
    prices = sorted(streams["raw_shop.product_prices"], key=lambda row: row["valid_from"])
    listed = {row["product_id"]: row["list_price"] for row in streams["raw_shop.products"]}
    current = listed | {row["product_id"]: row["price"] for row in prices}
    on_hand = {row["product_id"]: row["on_hand"] for row in streams["raw_shop.inventory"]}
    on_hand["p4"] = None  # counted by the shop, and never moved
    found = small_shop.rows("select product_id, current_price, on_hand from core.products")
    assert {product: (price, units) for product, price, units in found} == {
        product: (price, on_hand.get(product)) for product, price in current.items()
    }


def test_an_event_that_names_what_no_source_holds_is_counted_and_stays(
    small_shop: Build, streams: dict[str, list[Row]]
) -> None:
    events = streams["raw_activity.campaign_events"]
    views = streams["raw_activity.product_events"]
    unknown = {(row["event_id"], "k3") for row in events if row["campaign_id"] == "k3"}
    unknown |= {(row["event_id"], "gone") for row in views if row["product_id"] == "gone"}
    found = small_shop.rows(
        "select row_key, unknown_id from intermediate.int_meta__unknown_references"
    )
    assert (set(found), len(found)) == (unknown, len(unknown))
    # k3 has no channel of its own: it is nobody's, and its key is never empty
    assert small_shop.rows(
        "select channel, sum(landing_views) from campaign.activity_daily"
        " where campaign_id = 'k3' group by channel"
    ) == [
        (
            "(unknown)",
            sum(
                row["campaign_id"] == "k3" and row["event_type"] == "landing_view" for row in events
            ),
        )
    ]
    seen = sum(row["visitor_id"] is not None or row["customer_id"] is not None for row in views)
    assert small_shop.rows("select sum(product_view_count) from core.sessions") == [(seen,)]


def test_the_calendar_holds_the_whole_year_and_iso_weeks(small_shop: Build) -> None:
    [(days, week)] = small_shop.rows(
        "select count(*), max(case when date_day = date '2011-01-02' then iso_week end)"
        " from core.calendar where year = 2011"
    )
    assert (days, week) == (365, 52)


def test_order_times_stay_as_they_were(small_shop: Build, streams: dict[str, list[Row]]) -> None:
    expected: dict[str, datetime] = {
        row["order_id"]: row["ordered_at"] for row in streams["raw_shop.orders"]
    }
    assert dict(small_shop.rows("select order_id, ordered_at from core.orders")) == expected
