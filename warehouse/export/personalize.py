"""Write interactions as Amazon Personalize imports them.

Source: "Item interactions dataset schema requirements" in the Amazon Personalize developer guide.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from warehouse.config import Settings
from warehouse.export import files, lists

COLUMNS = ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE")
_ROWS = 20_000  # read at once

# Its ECOMMERCE recipes want events called View and Purchase; the others keep this style.
_QUERY = """
select
    {user},
    interactions.product_id,
    cast(floor(epoch(interactions.occurred_at)) as bigint),
    case interactions.kind
        when 'view' then 'View' when 'purchase' then 'Purchase' when 'cart' then 'AddToCart'
        when 'wishlist' then 'AddToWishlist' when 'search_click' then 'SearchClick'
        else interactions.kind
    end,
    interactions.weight
from recommendation.interactions as interactions
{joined}
where {user} is not null
order by interactions.occurred_at, interactions.interaction_id
"""
_CONSENT = (
    "inner join campaign.audience_members as members"
    " on interactions.customer_id = members.customer_id"
)

# Not `order …`, which is one purchase of nobody.
_ANYBODY = (
    "case when interactions.customer_id is not null then interactions.customer_id"
    " when interactions.actor_key like 'visitor %' then interactions.actor_key end"
)


@dataclass(frozen=True, slots=True)
class ExportedInteractions:
    """What was written: rows of how many people and products, and what was left out."""

    version: str
    as_of: datetime
    rows: int
    left_out: int
    file: Path


def export(
    settings: Settings,
    to: Path,
    *,
    anonymous: bool = False,
    consented: bool = False,
    version: str | None = None,
) -> ExportedInteractions:
    """Write the interactions of known customers, oldest first.

    `anonymous` adds those of visitors whom nobody knows, by the visitor's id; `consented` keeps
    only customers who agreed to marketing messages.
    """
    files.check(to, (".csv",))
    source = lists.opened(settings, version)
    with source.published as published:
        lists.require(source, ("recommendation", "interactions"))
        if consented:
            lists.require(source, ("campaign", "audience_members"))
        user = "interactions.customer_id"
        if anonymous:
            user = _ANYBODY
        query = _QUERY.format(user=user, joined=_CONSENT if consented else "")
        cursor = published.cursor()
        ((total,),) = cursor.execute("select count(*) from recommendation.interactions").fetchall()
        cursor.execute(query)
        rows = (row for batch in iter(lambda: cursor.fetchmany(_ROWS), []) for row in batch)
        written = files.write(to, COLUMNS, rows)
        cursor.close()
    return ExportedInteractions(source.version, source.as_of, written, total - written, to)
