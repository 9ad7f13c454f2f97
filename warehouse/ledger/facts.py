"""Read what closing and paying go by, beside the ledger, from the newest version that there is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from extractors.errors import ConfigError
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.ledger.closing import Terms
from warehouse.publish import versions

TERMS = (
    "SELECT affiliate_id, name, affiliate_status, currency, minimum_payout, payout_term"
    " FROM affiliate.payable WHERE currency = payout_currency"
)
OPEN = (
    "SELECT affiliate_id, period, max(closable_at), sum(net_sales) FROM affiliate.statements"
    " WHERE status = 'open' GROUP BY affiliate_id, period"
)
PAID_BY_CLICK = (
    "SELECT count(*), sum(due_amount), currency FROM affiliate.conversions"
    " WHERE click_id = ? AND status = 'paid' GROUP BY currency ORDER BY currency"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """The affiliates' terms, and the open months with net sales, as of a version.

    A rollback changes what is shown, never this: the newest version counts, whatever is shown.
    """

    version: str
    as_of: datetime
    terms: Mapping[str, Terms]
    closable_at: Mapping[date, datetime]
    net_sales: Mapping[date, Mapping[str, Decimal]]


def newest(settings: Settings) -> Facts:
    """Return the facts of the newest version, shown or held back; ConfigError without one."""
    with opened(settings) as (record, connection):
        terms = connection.execute(TERMS).fetchall()
        months = connection.execute(OPEN).fetchall()
    closable_at: dict[date, datetime] = {}
    net_sales: dict[date, dict[str, Decimal]] = {}
    for affiliate, period, at, sales in months:
        closable_at[period] = at
        net_sales.setdefault(period, {})[affiliate] = sales
    return Facts(
        record["version"],
        datetime.fromisoformat(record["as_of"]),
        {row[0]: Terms(*row) for row in terms},
        closable_at,
        net_sales,
    )


def paid_by_click(settings: Settings, click_id: str) -> list[tuple[int, Decimal, str]]:
    """Return what a click earned that is paid already: order lines, amount and its currency."""
    with opened(settings) as (_, connection):
        return connection.execute(PAID_BY_CLICK, [click_id]).fetchall()


def affiliate_of_click(settings: Settings, click_id: str) -> str:
    """Return whose link was clicked, by the newest version; ConfigError for an unknown click."""
    with opened(settings) as (record, connection):
        found = connection.execute(
            "SELECT affiliate_id FROM affiliate.clicks WHERE click_id = ?", [click_id]
        ).fetchone()
    if found is None:
        raise ConfigError(
            f"version {record['version']} knows no affiliate click {click_id!r}; `warehouse sql"
            ' "select click_id, affiliate_id, validity_rule from affiliate.clicks where validity'
            " <> 'valid'\"` lists those that are held"
        )
    return found[0]


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Mapping[str, Any], duckdb.DuckDBPyConnection]]:
    """Open the newest version, shown or held back, with its record in state."""
    record = next(versions.publications(settings), None)
    if record is None:
        raise ConfigError("nothing is published yet; run `warehouse run` first")
    name = record["version"]
    path = versions.version_path(settings.published_directory, name)
    if not path.is_file():
        raise ConfigError(f"the file of {name} is gone; `warehouse run` makes a new version")
    with duckdb_engine.published_database(path) as connection:
        try:
            yield record, connection
        except duckdb.CatalogException:
            raise ConfigError(
                f"version {name} has no affiliate statements: an older release made it; run"
                " `warehouse run` first"
            ) from None
