"""What the shop's PostgreSQL holds, as a function of real orders, arguments and the clock.

`history_of` says what happens until a month after the clock, `rows_of` what of it the tables show
at the clock. Everything is drawn by entity, so a later clock only adds what happens meanwhile.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa

from demo.activity.devices import order_visitors
from demo.history import AHEAD, History
from demo.parameters import Parameters
from demo.rows import life
from demo.rows.addresses import addresses
from demo.rows.at_clock import shown
from demo.rows.catalogue import Catalogue, made_catalogue, real_catalogue
from demo.rows.columns import INSTANT, NEVER, pc, picked, seconds_of
from demo.rows.dated import Prices, StockOuts, price_list, stock_outs
from demo.rows.documents import document_rows, utc
from demo.rows.finance import affiliates, commission_plans, fx_rates
from demo.rows.goods import movements
from demo.rows.made_lines import planted_pairs
from demo.rows.made_shop import made_rows
from demo.rows.people import People, made_people, real_people, user_rows
from demo.rows.sales import sales
from demo.scenarios import planned

__all__ = ["OPENED", "history_of", "rows_of", "utc"]

# The first day of a made-up shop.
OPENED = datetime(2026, 1, 1, tzinfo=UTC)
# Numbers of made-up documents begin here: in a made-up shop, and among real orders.
FIRST_NUMBER, FIRST_NUMBER_AMONG_REAL = 600_001, 900_001
# The chance that an article in an odd position is sold out within 60 days.
STOCK_OUT_SHARE = 0.35


@dataclass(frozen=True)
class _Living:
    """What is made up: who buys, what there is to buy, from when on."""

    start: datetime
    people: People
    catalogue: Catalogue
    prices: Prices
    outs: StockOuts


def history_of(
    lines: pa.Table | None,
    first: pa.Table | None,
    now: datetime,
    made_from: datetime | None,
    seed: int,
    scale: float,
    parameters: Parameters,
) -> History:
    """Return what happens in the shop until 31 days after `now`.

    `lines` are all lines of real orders so far in the form of `orders_file.read_lines`, `first`
    those of the first part; without `first` the shop is a made-up one that opens on 2026-01-01.
    Without `made_from` nothing is made up among real orders.
    """
    horizon = now + AHEAD
    real = document_rows(lines, seed) if lines is not None and lines.num_rows else None
    firsts = document_rows(first, seed) if first is not None else None
    opened, start = OPENED, OPENED
    if firsts is not None:
        opened = _midnight((firsts["orders"], "ordered_at"), (firsts["refunds"], "refunded_at"))
        start = made_from
    living = _living(first, firsts, start, horizon, seed, scale, parameters) if start else None
    catalogue = living.catalogue if living else None
    products = life.products(
        real["products"] if real else None, catalogue, seed, seconds_of(start or opened)
    )
    prices = life.price_rows(products, catalogue, living.prices if living else None)
    outs = life.out_rows(catalogue, living.outs if living else None)
    plan = None
    if living is not None:
        articles = _articles(products, living.catalogue)
        plan = planned(articles, prices, outs, living.start, horizon, seed, parameters)
    people = (
        living.people if living else real_people(seed, _users(firsts), scale, NEVER, parameters)
    )
    partners = affiliates(people, seed, scale, seconds_of(opened))
    made = None
    if living is not None:
        made = made_rows(
            living.people,
            living.catalogue,
            living.prices,
            living.outs,
            partners.coupons(),
            seed,
            scale,
            living.start,
            horizon,
            FIRST_NUMBER if firsts is None else FIRST_NUMBER_AMONG_REAL,
            parameters,
        )
    cases = document_rows(plan.lines, seed) if plan and plan.lines.num_rows else None
    sold = sales(real, cases, made, seed, parameters)
    sold["orders"] = _with_visitors(sold["orders"], seed, scale, parameters)
    given = [user_rows(people, seed) if firsts is None else None]
    given += [real["users"] if real else None, plan.users if plan else None]
    users = life.users([rows for rows in given if rows is not None], people)
    lives_from = seconds_of(start) if start else None
    stock = {"products": products, **sold}
    rows = {
        **stock,
        "users": users,
        "merges": people.merges(),
        "addresses": addresses(users, seed, lives_from),
        "prices": prices,
        "movements": movements(
            stock, outs, firsts, catalogue, seed, scale, lives_from, opened, now, parameters
        ),
        "affiliates": partners.rows(),
        "commission_plans": commission_plans(partners, seconds_of(opened), parameters),
        "fx_rates": fx_rates(seed, seconds_of(opened), seconds_of(horizon)),
    }
    pairs = _pairs(living, seed, parameters)
    happened = _history(rows, outs, now, horizon, opened, made_from, pairs)
    return replace(happened, scenarios=plan)


def _users(documents: dict[str, pa.Table] | None) -> pa.Table:
    assert documents is not None
    return documents["users"]


def rows_of(history: History) -> dict[str, pa.Table]:
    """Return every table of PostgreSQL but campaigns and ad_spend as it stands at `history.now`.

    Columns are those of SHOP_TABLES; rows are sorted by key.
    """
    return shown(dict(history.life), history.now.astimezone(UTC).isoformat())


def _midnight(*documents: tuple[pa.Table, str]) -> datetime:
    """Return the midnight UTC before the earliest document."""
    times = [pc.min(table.column(name)).as_py() for table, name in documents if table.num_rows]
    return min(times).replace(hour=0, minute=0, second=0, microsecond=0)


def _living(
    first: pa.Table | None,
    firsts: dict[str, pa.Table] | None,
    start: datetime,
    horizon: datetime,
    seed: int,
    scale: float,
    parameters: Parameters,
) -> _Living:
    at, until = seconds_of(start), seconds_of(horizon)
    if first is None or firsts is None:
        people = made_people(seed, scale, at, until, parameters)
        catalogue = made_catalogue(seed, scale, at)
    else:
        people = real_people(seed, firsts["users"], scale, at, parameters)
        catalogue = real_catalogue(seed, first, firsts["products"], at)
    prices = price_list(catalogue, seed, at, until)
    outs = stock_outs(catalogue, seed, at, until, STOCK_OUT_SHARE)
    return _Living(start, people, catalogue, prices, outs)


def _articles(products: pa.Table, catalogue: Catalogue) -> pa.Table:
    """Return product_id, name, created_at and discontinued_at of what customers look for."""
    is_article = pc.is_in(products.column("product_id"), pa.array(catalogue.ids, pa.string()))
    found = products.filter(is_article).select(["product_id", "name", "created_at", "ended_at"])
    return found.rename_columns(["product_id", "name", "created_at", "discontinued_at"])


def _with_visitors(orders: pa.Table, seed: int, scale: float, parameters: Parameters) -> pa.Table:
    """Add visitor_id: of orders from a browser that the shop knows."""
    shares = {
        True: parameters.tracked_made,
        False: min(1.0, parameters.tracked_real * scale),
    }
    found = pa.nulls(orders.num_rows, pa.string())
    for is_made, share in shares.items():
        visitors = order_visitors(orders, seed, parameters, share)
        is_here = pc.and_(pc.equal(orders.column("is_made"), is_made), orders.column("has_browser"))
        found = pc.if_else(is_here.combine_chunks(), visitors, found)
    return orders.append_column("visitor_id", found)


def _history(
    rows: dict[str, pa.Table],
    outs: pa.Table,
    now: datetime,
    horizon: datetime,
    opened: datetime,
    made_from: datetime | None,
    pairs: pa.Table,
) -> History:
    orders, affiliates = rows["orders"], rows["affiliates"]
    moment = pa.scalar(now, INSTANT)
    is_closed, is_suspended = (
        pc.fill_null(pc.less_equal(affiliates.column(name), moment), False)
        for name in ("closed_at", "suspended_at")
    )
    status = pc.if_else(is_closed, "closed", pc.if_else(is_suspended, "suspended", "active"))
    people = ["user_id", "country", "birth_date", "gender", "created_at", "marketing_consent"]
    bought = ["order_id", "user_id", "ordered_at", "country", "is_made", "visitor_id"]
    lines = ["order_line_id", "order_id", "product_id", "quantity", "unit_price", "entered_at"]
    # What staff tried and removed again is no order of anybody's.
    real = orders.filter(pc.is_null(orders.column("deleted_at")))
    kept = pc.is_in(rows["order_lines"].column("order_id"), real.column("order_id"))
    return History(
        now=now,
        horizon=horizon,
        opened=opened,
        made_from=made_from,
        users=rows["users"].select(people),
        merges=rows["merges"],
        orders=real.select([*bought, "coupon_code"]),
        order_lines=rows["order_lines"].filter(kept).select(lines),
        products=rows["products"].select(["product_id", "name", "category", "created_at"]),
        prices=rows["prices"],
        stock_outs=outs,
        affiliates=affiliates.select(["affiliate_id", "user_id"])
        .append_column("status", status)
        .append_column("joined_at", affiliates.column("joined_at")),
        pairs=pairs,
        life=rows,
    )


def _pairs(living: _Living | None, seed: int, parameters: Parameters) -> pa.Table:
    if living is None:
        nobody = pa.array([], pa.string())
        return pa.table({"product_id": nobody, "other_product_id": nobody})
    ids = pa.array(living.catalogue.ids, pa.string())
    firsts, seconds = planted_pairs(living.catalogue, seed, parameters)
    return pa.table({"product_id": picked(ids, firsts), "other_product_id": picked(ids, seconds)})
