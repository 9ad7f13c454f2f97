"""Which campaigns there are follows from the calendar alone."""

from datetime import date

import numpy as np

from demo.activity.campaigns import campaign_rows, campaigns, running

EPOCH = date(1970, 1, 1)


def test_a_season_brings_its_campaigns_and_ends_them() -> None:
    found = campaigns(date(2010, 12, 1), date(2011, 3, 1))

    assert [
        (item.campaign_id, item.started_on, item.ended_on) for item in found if item.ended_on
    ] == [
        ("winter-2010-social", date(2010, 12, 1), date(2011, 2, 28)),
        ("winter-2010-email", date(2010, 12, 1), date(2011, 2, 28)),
        ("spring-2011-social", date(2011, 3, 1), date(2011, 5, 31)),
        ("spring-2011-email", date(2011, 3, 1), date(2011, 5, 31)),
    ]


def test_a_longer_life_only_adds_campaigns() -> None:
    short, long = (campaigns(date(2026, 1, 1), date(2026, month, 1)) for month in (4, 12))

    assert long[: len(short)] == short


def test_the_shop_knows_no_campaign_before_its_first_day() -> None:
    found = campaigns(date(2026, 1, 1), date(2026, 7, 1))

    assert (
        "summer-2026-email"
        not in campaign_rows(found, date(2026, 5, 31))["campaign_id"].to_pylist()
    )
    assert "summer-2026-email" in campaign_rows(found, date(2026, 6, 1))["campaign_id"].to_pylist()


def test_visits_come_only_by_campaigns_that_run_and_never_by_the_worthless_one() -> None:
    found = campaigns(date(2026, 1, 1), date(2026, 7, 1))
    days = np.arange((date(2026, 1, 1) - EPOCH).days, (date(2026, 7, 1) - EPOCH).days)

    for channel in ("paid_search", "paid_social", "display", "email"):
        for draw in range(4):
            chosen = running(found, channel, days, np.full(len(days), draw))
            for day, place in zip(days.tolist(), chosen.tolist(), strict=True):
                item = found[place]
                assert item.channel == channel
                assert item.campaign_id != "retargeting"
                assert (item.started_on - EPOCH).days <= day
                assert item.ended_on is None or day <= (item.ended_on - EPOCH).days
    nobody = running(found, "referral", days, np.zeros(len(days), np.int64))
    assert set(nobody.tolist()) == {-1}
