"""Write the customers of a segment to a file, for a service that addresses them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from extractors.errors import ConfigError
from warehouse.config import Settings
from warehouse.export import files
from warehouse.publish import versions
from warehouse.publish.reader import Published, open_published

COLUMNS = ("customer_id", "email_hash")
# As campaign.audience_daily: a file of fewer people says what one of them did.
MINIMUM_GROUP_SIZE = 10


@dataclass(frozen=True, slots=True)
class Segment:
    """Who belongs to a segment, as a query for their `customer_id`, and what it asks for.

    The query may name `$campaign` and `$since`, the instant `days` before the version's as_of.
    """

    meaning: str
    query: str
    needs_campaign: bool = False
    days: int | None = None


SEGMENTS = {
    "clicked-not-bought": Segment(
        "came by the campaign in the last days and did not order since",
        """
        select touchpoints.customer_id
        from campaign.touchpoints as touchpoints
        left join core.orders as orders
            on touchpoints.customer_id = orders.customer_id
            and orders.is_counted
            and orders.ordered_at >= touchpoints.occurred_at
        where touchpoints.campaign_id = $campaign
            and touchpoints.occurred_at >= $since
            and touchpoints.customer_id is not null
        group by touchpoints.customer_id
        having count(orders.order_id) = 0
        """,
        needs_campaign=True,
        days=30,
    ),
    "lapsed": Segment(
        "ordered once, but not in the last days",
        "select customer_id from core.customers where last_order_at < $since",
        days=60,
    ),
    "high-value": Segment(
        "are the fifth of the buyers that brought most",
        "select customer_id from core.customers where monetary_quintile = 5",
    ),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: how many belong to the segment, and how many of these may be addressed."""

    version: str
    as_of: datetime
    segment: str
    campaign: str | None
    days: int | None
    customers: int
    without_consent: int
    exported: int
    with_email_hash: int
    file: Path


def export(
    settings: Settings,
    segment: str,
    to: Path,
    *,
    campaign: str | None = None,
    days: int | None = None,
    version: str | None = None,
) -> Exported:
    """Write `customer_id` and `email_hash` of the segment's customers who agreed to marketing.

    ConfigError where they are too few, and nothing is written then.
    """
    chosen = SEGMENTS[segment]
    files.check(to)
    days = chosen.days if days is None else days
    with open_published(version, settings.path) as published:
        record = versions.record_of(settings, published.version)
        if record is None:
            raise ConfigError(f"version {published.version} does not exist (any more)")
        as_of = datetime.fromisoformat(record["as_of"])
        values = {"campaign": campaign, "since": as_of - timedelta(days=days or 0)}
        if campaign is not None:
            _require_campaign(published, campaign)
        named = {name: value for name, value in values.items() if f"${name}" in chosen.query}
        found = published.execute(
            "select segment.customer_id, members.email_hash, members.customer_id is not null"
            f" from ({chosen.query}) as segment"
            " left join campaign.audience_members as members using (customer_id)"
            " order by segment.customer_id",
            named,
        ).fetchall()
    addressed = [(customer, email_hash) for customer, email_hash, agreed in found if agreed]
    if len(addressed) < MINIMUM_GROUP_SIZE:
        raise ConfigError(
            f"segment {segment}: fewer than {MINIMUM_GROUP_SIZE} customers who agreed to marketing;"
            " a file of so few would tell what one of them did. Nothing is written; take more days,"
            " or another campaign or segment"
        )
    files.write(to, COLUMNS, addressed)
    return Exported(
        published.version,
        as_of,
        segment,
        campaign,
        days,
        len(found),
        len(found) - len(addressed),
        len(addressed),
        sum(email_hash is not None for _, email_hash in addressed),
        to,
    )


def _require_campaign(published: Published, campaign: str) -> None:
    """Raise ConfigError where no visit came by the campaign, naming those that some did."""
    query = "select distinct campaign_id from campaign.touchpoints where campaign_id <> '(none)'"
    known = sorted(name for (name,) in published.execute(query).fetchall())
    if campaign not in known:
        raise ConfigError(
            f"no visit came by campaign {campaign!r}; there are {', '.join(known) or 'none'}"
        )
