"""What campaigns showed and brought: impressions, ad clicks, link clicks and landings."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from demo.activity.attributes import NULL, table_of
from demo.activity.campaigns import CHANNELS, PAID, TAGS, Campaign
from demo.activity.causes import Came
from demo.activity.columns import DAY, Flags, Millis, Places, chosen, ids, taken, times
from demo.activity.delivery import Deliveries, delivered, told
from demo.activity.sessions import Sessions
from demo.activity.shop_events import Happened
from demo.activity.tracked import Tracked
from demo.draws import Draws, Keys, derived
from demo.parameters import Parameters

pc: Any = pyarrow.compute

IMPRESSION, AD_CLICK, LINK_CLICK, LANDING = range(4)
KINDS = ("impression", "ad_click", "link_click", "landing_view")
AD_CLICK_SHARE = 0.95  # of landings that an ad brought: the others' beacon was blocked
DEVICES = ("desktop", "mobile", "tablet")
DEVICE_SHARES = (0.40, 0.52, 0.08)
AGES = (25, 35, 45, 55, 65)
AGE_BANDS = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
SOON = (1_000, 20_000)  # milliseconds until an event is received
# What programs call themselves; the search engine's robot looks at pages with advertisements, the
# tool follows links. Not all say what they are, and the oldest app says nothing at all.
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
TOOL = "python-requests/2.32.4"
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 15) Chrome/138.0 Mobile Safari/537.36",
    CRAWLER,
    TOOL,
)
HUMAN_AGENTS = 3
CRAWLED_SHARE = 0.02  # of impressions to browsers that never came; nothing else flags them
HONEST_TOOLS = 0.6  # of programs that visit
SILENT_SHARE = 0.03
# What people make of links: other case, blanks, an empty tag.
MESSY_SHARE = 0.05


@dataclass(frozen=True)
class Touches:
    """One element per event of a campaign; `visit` is the place of the visit it belongs to."""

    key: Keys
    kind: NDArray[np.int64]
    visit: Places
    at: Millis
    is_stranger: Flags  # shown to somebody who never came: a browser of its own


def touches(visits: Sessions, how: Came, seed: int, parameters: Parameters) -> Touches:
    """Return every event of a campaign around the visits, before any clock."""
    draws = Draws(seed, "touch", visits.key)
    channel = how.channel
    came = np.flatnonzero(channel != CHANNELS.index("direct"))
    is_paid = np.isin(channel, [CHANNELS.index(name) for name in PAID])
    clicked = np.flatnonzero(is_paid & (draws.uniform("ad click") < AD_CLICK_SHARE))
    click_at = visits.started - 1_000 - (3_000 * draws.uniform("click time")).astype(np.int64)
    shown_at = click_at - 5_000 - (55_000 * draws.uniform("shown time")).astype(np.int64)
    mailed = np.flatnonzero(channel == CHANNELS.index("email"))
    return _joined(
        [
            _touches(visits, LANDING, came, visits.started),
            _touches(visits, AD_CLICK, clicked, click_at),
            _touches(visits, IMPRESSION, clicked, shown_at),
            _touches(visits, LINK_CLICK, mailed, click_at),
            _unclicked(visits, clicked, draws, seed, parameters),
        ]
    )


def _touches(visits: Sessions, kind: int, chosen_visits: Places, at: Millis) -> Touches:
    count = len(chosen_visits)
    return Touches(
        key=derived(visits.key[chosen_visits], KINDS[kind]),
        kind=np.full(count, kind),
        visit=chosen_visits,
        at=at[chosen_visits],
        is_stranger=np.zeros(count, bool),
    )


def _unclicked(
    visits: Sessions, clicked: Places, draws: Draws, seed: int, parameters: Parameters
) -> Touches:
    """Return the logged impressions that nobody clicked: many for each that was clicked."""
    mean = (1 / parameters.click_through - 1) * parameters.logged_impressions
    spread = 2 * mean * draws.uniform("shown") + draws.uniform("shown rounded")
    counts = spread[clicked].astype(np.int64)
    visit = np.repeat(clicked, counts)
    number = np.arange(len(visit)) - np.repeat(np.cumsum(counts) - counts, counts)
    key = derived(visits.key[visit], "shown", number)
    shown = Draws(seed, "shown", key)
    before = (3 * DAY * shown.uniform("before")).astype(np.int64) + 60_000
    return Touches(
        key=key,
        kind=np.full(len(key), IMPRESSION),
        visit=visit,
        at=visits.started[visit] - before,
        is_stranger=shown.uniform("stranger") < 0.7,
    )


def _joined(parts: list[Touches]) -> Touches:
    return Touches(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Touches)
        )
    )


def campaign_events(
    visits: Sessions,
    how: Came,
    orders: Tracked,
    found: list[Campaign],
    events: Touches,
    now: int,
    seed: int,
    parameters: Parameters,
) -> Happened:
    """Return the items of `campaign_events`: every delivery that was received before `now`."""
    arrived = delivered(events.key, events.at, SOON, seed, parameters).until(now)
    event = arrived.event
    event_id = ids("e", events.key[event])
    said = told(events.key, events.at, seed, parameters)[event]
    columns: dict[str, pa.Array] = {
        "event_id": event_id,
        "received_at": times(arrived.received),
        "event_type": chosen(KINDS, events.kind[event]),
        "occurred_at": times(said),
    }
    visit = events.visit[event]
    columns |= _who(visits, orders, events, arrived)
    columns |= _campaign(how, found, events, visit, event, seed)
    columns |= _page(visits, how, orders, events, visit, event, seed)
    columns["user_agent"] = _agents(visits, events, event, seed)
    is_visit = (events.kind[event] == LANDING) | (events.kind[event] == LINK_CLICK)
    return Happened(
        "campaign_events",
        table_of(columns),
        event_id,
        visit,
        events.at[event],
        is_visit,
        np.zeros_like(is_visit),
    )


def _who(
    visits: Sessions, orders: Tracked, events: Touches, arrived: Deliveries
) -> dict[str, pa.Array]:
    """Return whose event it is: ids, country, age and gender as the advertiser knows them."""
    event, visit = arrived.event, events.visit[arrived.event]
    is_stranger = events.is_stranger[event]
    visitor = np.where(is_stranger, derived(events.key[event], "browser"), visits.visitor[visit])
    customer = np.where(is_stranger, -1, visits.customer[visit])
    # Only on the shop's own pages is somebody signed in, and never on the first click's ad.
    is_page = events.kind[event] == LANDING
    signed_in = is_page & (visits.signed_in[visit] < 0)
    order = visits.order[visit]
    year = events.at[event].astype("datetime64[ms]").astype("datetime64[Y]").astype(np.int64) + 1970
    band = np.searchsorted(AGES, year - orders.born[order], side="right")
    known = (customer >= 0) & (orders.born[order] > 0)
    return {
        "visitor_id": ids("v", visitor),
        "customer_id": taken(
            pa.array(orders.customers, pa.string()), np.where(signed_in, customer, -1)
        ),
        "country": taken(orders.country, order),
        "age_band": chosen(AGE_BANDS, np.where(known, band, -1)),
        "gender": taken(orders.gender, np.where(customer >= 0, order, -1)),
        "is_bot": pa.array(visits.is_bot[visit] & ~is_stranger),
    }


def _agents(visits: Sessions, events: Touches, event: Places, seed: int) -> pa.Array:
    """Return what the visitor's program calls itself, the same in all events of a browser."""
    visit, key = events.visit[event], events.key[event]
    browser = np.where(events.is_stranger[event], derived(key, "browser"), visits.visitor[visit])
    draws = Draws(seed, "agent of browser", browser)
    share = draws.uniform("program")
    is_program = visits.is_bot[visit] & ~events.is_stranger[event]
    agent = draws.integers("person", 0, HUMAN_AGENTS)
    agent[draws.uniform("silent") < SILENT_SHARE] = -1
    agent[events.is_stranger[event] & (share < CRAWLED_SHARE)] = AGENTS.index(CRAWLER)
    agent[is_program & (share < HONEST_TOOLS)] = AGENTS.index(TOOL)
    return chosen(AGENTS, agent)


def _campaign(
    how: Came, found: list[Campaign], events: Touches, visit: Places, event: Places, seed: int
) -> dict[str, pa.Array]:
    """Return the campaign and the tags of its link, which people sometimes spoil."""
    channel, campaign = how.channel[visit], how.campaign[visit]
    draws = Draws(seed, "tags", events.key[event])
    names = [item.utm_campaign for item in found]
    spoilt = [
        *names,
        *(name.upper() for name in names),
        *(f" {name} " for name in names),
        *("" for _ in names),
    ]
    how_spoilt = np.where(
        draws.uniform("messy") < MESSY_SHARE, draws.integers("how messy", 1, 4), 0
    )
    tag = np.where(campaign >= 0, campaign + how_spoilt * len(names), -1)
    sources = ["", *(source for source, _ in TAGS.values())]
    media = ["", *(medium for _, medium in TAGS.values())]
    upper = np.where(draws.uniform("source case") < MESSY_SHARE / 2, len(CHANNELS), 0)
    content = draws.integers("content", 0, 2)
    return {
        "campaign_id": chosen([item.campaign_id for item in found], campaign),
        "channel": chosen(CHANNELS, channel),
        "utm_source": chosen([*sources, *(text.capitalize() for text in sources)], channel + upper),
        "utm_medium": chosen(media, channel),
        "utm_campaign": chosen(spoilt, tag),
        "utm_content": chosen(("variant_a", "variant_b"), content),
        "utm_term": chosen(
            ("gift ideas",), np.where(channel == CHANNELS.index("paid_search"), 0, -1)
        ),
        "tags": chosen(
            ('{"M":{"variant":{"S":"a"},"test":{"BOOL":false}}}', '{"M":{"variant":{"S":"b"}}}'),
            np.where(draws.uniform("tags") < 0.1, content, -1),
        ),
    }


def _page(
    visits: Sessions,
    how: Came,
    orders: Tracked,
    events: Touches,
    visit: Places,
    event: Places,
    seed: int,
) -> dict[str, pa.Array]:
    """Return the page, the page before it and the device."""
    draws = Draws(seed, "landing", visits.key)
    wanted = orders.wanted[visits.order, 0]
    product = np.where(draws.uniform("product page") < 0.6, wanted, -1)[visit]
    pages = pc.binary_join_element_wise(
        "/products/", taken(pa.array(orders.products, pa.string()), product), ""
    )
    sources = [f'{{"S":"https://{source}/"}}' for source, _ in TAGS.values()]
    referrers = [NULL, *sources]
    # Mail programs tell no page before: NULL in one, no attribute at all in the other.
    is_mail = how.channel[visit] == CHANNELS.index("email")
    silent = np.where(Draws(seed, "mail", events.key[event]).uniform("silent") < 0.5, 0, -1)
    devices = Draws(seed, "device", visits.visitor).choices("device", DEVICE_SHARES)
    return {
        "landing_page": pc.fill_null(pages, "/"),
        "referrer": chosen(referrers, np.where(is_mail, silent, how.channel[visit])),
        "device": chosen(DEVICES, devices[visit]),
    }
