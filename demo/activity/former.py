"""What visitors did around the shop's orders, as the items of the two DynamoDB tables.

Every item is drawn from the id of the order it surrounds: further orders change no earlier item,
and an item whose time the demo's clock has not reached yet is left out until it has.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from demo.campaigns import PAID, TAGS, Campaign
from demo.draws import Draws, key_of, keys_of
from demo.visits import Visit, visits_of

Item = dict[str, dict[str, Any]]

CHANNELS = {
    "direct": 0.20,
    "paid_search": 0.24,
    "paid_social": 0.16,
    "display": 0.06,
    "email": 0.14,
    "organic_search": 0.15,
    "referral": 0.05,
}
DEVICES = ("desktop", "mobile", "tablet")
AGE_BANDS = ((25, "18-24"), (35, "25-34"), (45, "35-44"), (55, "45-54"), (65, "55-64"))

QUERIES = ("lunch bag", "t-light holder", "cake stand", "christmas", "bunting", "mug", "cushion")

LATE_SHARE, DUPLICATE_SHARE = 0.01, 0.005


def activity_items(
    rows: Mapping[str, pa.Table], campaigns: list[Campaign], clock: datetime, seed: int
) -> dict[str, list[Item]]:
    """Return the items of `campaign_events` and `shop_activity` that exist at `clock`."""
    visits = list(visits_of(rows, seed))
    draws = Draws(seed, "visit", keys_of(visit.key for visit in visits))
    events: list[Item] = []
    activity: list[Item] = []
    for place, visit in enumerate(visits):
        session = _Session(visit, draws, place)
        events += session.campaign_events(campaigns)
        activity += session.shop_activity()
    now = _text(clock)
    return {
        "campaign_events": [item for item in events if item["received_at"]["S"] < now],
        "affiliate_clicks": [],
        "shop_activity": [item for item in activity if item["occurred_at"]["S"] < now],
    }


class _Session:
    """The items of one visit."""

    def __init__(self, visit: Visit, draws: Draws, place: int) -> None:
        self._visit = visit
        self._draws = draws
        self._place = place

    def _chance(self, purpose: str) -> float:
        return float(self._draws.uniform(purpose)[self._place])

    def _choice(self, purpose: str, shares: Iterable[float]) -> int:
        return int(self._draws.choices(purpose, shares)[self._place])

    def _id(self, kind: str) -> str:
        return f"{kind[0]}{key_of(f'{kind}/{self._visit.key}'):016x}"

    def campaign_events(self, campaigns: list[Campaign]) -> Iterator[Item]:
        """Yield what the campaign brought, deliveries that came late or twice included."""
        channel = tuple(CHANNELS)[self._choice("channel", CHANNELS.values())]
        if channel == "direct":
            return
        started = self._visit.started
        running = [
            item for item in campaigns if item.channel == channel and item.runs_on(started.date())
        ]
        campaign = running[int(self._chance("campaign") * len(running))] if running else None
        if campaign is None and channel not in ("organic_search", "referral"):
            return
        if channel in PAID and self._chance("impression") < 0.4:
            before = timedelta(seconds=20 + 4000 * self._chance("impression time"))
            yield from self._delivered("impression", started - before, channel, campaign)
        if channel in PAID and self._chance("click") < 0.9:
            clicked = started - timedelta(seconds=1 + 3 * self._chance("click time"))
            yield from self._delivered("ad_click", clicked, channel, campaign)
        if channel == "email":
            clicked = started - timedelta(seconds=1 + 2 * self._chance("click time"))
            yield from self._delivered("link_click", clicked, channel, campaign)
        yield from self._delivered("landing_view", started, channel, campaign)

    def _delivered(
        self, kind: str, at: datetime, channel: str, campaign: Campaign | None
    ) -> Iterator[Item]:
        visit = self._visit
        source, medium = TAGS[channel]
        product = str(visit.wanted[0]["product"])
        is_product_page = self._chance("page") < 0.6
        texts = {
            "event_id": self._id(kind),
            "event_type": kind,
            "occurred_at": _text(at),
            "visitor_id": visit.visitor,
            "customer_id": visit.customer,
            "campaign_id": campaign.campaign_id if campaign else None,
            "channel": channel,
            "utm_source": source,
            "utm_medium": medium,
            "utm_campaign": campaign.utm_campaign if campaign else None,
            "utm_content": f"variant_{'ab'[self._choice('content', (0.5, 0.5))]}",
            "utm_term": "gift ideas" if channel == "paid_search" else None,
            "landing_page": f"/products/{product}" if is_product_page else "/",
            "referrer": None if channel == "email" else f"https://{source}/",
            "device": DEVICES[self._choice("device", (0.55, 0.35, 0.1))],
            "country": visit.country,
            "age_band": _age_band(visit.birth_date, at),
            "gender": visit.gender,
        }
        item: Item = {name: {"S": value} for name, value in texts.items() if value is not None}
        item["is_bot"] = {"BOOL": visit.is_bot}
        delay = timedelta(seconds=1 + 19 * self._chance(f"{kind} delay"))
        if self._chance(f"{kind} late") < LATE_SHARE:
            delay = timedelta(minutes=5 + (3 * 24 * 60 - 5) * self._chance(f"{kind} lateness"))
        yield item | {"received_at": {"S": _text(at + delay)}}
        if self._chance(f"{kind} twice") < DUPLICATE_SHARE:
            again = timedelta(seconds=30 + 600 * self._chance(f"{kind} again"))
            yield item | {"received_at": {"S": _text(at + delay + again)}}

    def shop_activity(self) -> Iterator[Item]:
        """Yield searches, views and cart events in the order in which they happened."""
        visit = self._visit
        step = visit.started + timedelta(seconds=10 + 10 * self._chance("pace"))
        if visit.buys:
            if self._chance("search") < 0.3:
                yield self._search(step)
            for number, line in enumerate(visit.wanted):
                if number == 0 or self._chance("second") < 0.4:
                    yield self._view(number, step + timedelta(seconds=40 * number + 20))
                    added = step + timedelta(seconds=40 * number + 35)
                    yield self._cart(number, "add", added, line)
            yield self._cart(9, "checkout", step + timedelta(seconds=150), None)
        elif self._chance("view") < 0.6 or visit.customer is None:
            yield self._view(0, step)
            if self._chance("search") < 0.15:
                yield self._search(step + timedelta(seconds=25))
            if not visit.is_bot and self._chance("cart") < 0.12:
                yield self._cart(0, "add", step + timedelta(seconds=40), visit.wanted[0])

    def _item(self, prefix: str, name: str, at: datetime, fields: dict[str, Any]) -> Item:
        visit = self._visit
        texts = {
            "pk": f"VISITOR#{visit.visitor}",
            "sk": f"{prefix}#{_text(at)}#{name}",
            "type": prefix.lower(),
            "visitor_id": visit.visitor,
            "customer_id": visit.customer,
            "occurred_at": _text(at),
        }
        item: Item = {key: {"S": value} for key, value in texts.items() if value is not None}
        for key, value in fields.items():
            if value is not None:
                item[key] = {"S": value} if isinstance(value, str) else {"N": number_text(value)}
        return item

    def _view(self, number: int, at: datetime) -> Item:
        line = self._visit.wanted[number]
        name = self._id(f"view {number}")
        kind = "wishlist" if self._chance(f"wishlist {number}") < 0.06 else "view"
        product, price = str(line["product"]), line["price"]
        fields = {"event_id": name, "product_id": product, "event_type": kind, "price": price}
        return self._item("VIEW", name, at, fields)

    def _search(self, at: datetime) -> Item:
        product = str(self._visit.wanted[0]["product"])
        name = self._id("search")
        fields = {
            "search_id": name,
            "query": QUERIES[int(self._chance("query") * len(QUERIES))],
            "result_count": int(40 * self._chance("results")),
            "clicked_product_id": product if self._chance("clicked") < 0.7 else None,
        }
        return self._item("SEARCH", name, at, fields)

    def _cart(self, number: int, action: str, at: datetime, line: dict[str, Any] | None) -> Item:
        name = self._id(f"cart {number}")
        fields: dict[str, Any] = {"event_id": name, "cart_id": self._id("basket"), "action": action}
        if line is not None:
            fields |= {
                "product_id": str(line["product"]),
                "quantity": line["quantity"],
                "unit_price": line["price"],
            }
        return self._item("CART", name, at, fields)


def _text(at: datetime) -> str:
    """Return ISO-8601 UTC with three digits; text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number_text(value: Decimal | int) -> str:
    """Return a number as DynamoDB returns it: without an exponent or trailing zeros."""
    text = format(Decimal(value), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _age_band(birth_date: date | None, at: datetime) -> str | None:
    if birth_date is None:
        return None
    age = at.year - birth_date.year
    return next((band for limit, band in AGE_BANDS if age < limit), "65+")
