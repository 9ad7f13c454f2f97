"""What happens in the shop, past its clock included: the common ground of its rows and visits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

# How far the history reaches beyond the clock: visits before an order come up to so long before.
AHEAD = timedelta(days=31)


@dataclass(frozen=True)
class History:
    """What happens in the shop until `horizon`, which is 31 days after `now`.

    Visits before an order that is still to come have already happened, so nothing here is cut at
    the clock; merges and corrections are not applied. Times are instants (UTC), prices DECIMAL in
    the order's currency.
    """

    now: datetime  # the shop's clock
    horizon: datetime
    opened: datetime  # midnight UTC of the day of the first document
    made_from: datetime | None  # from when orders and life are made up; None: never
    # user_id, country, birth_date, gender, created_at, marketing_consent
    users: pa.Table
    # user_id, merged_into, merged_at
    merges: pa.Table
    # order_id, user_id (the account used then, nullable), ordered_at, country, is_made,
    # visitor_id (nullable), coupon_code (nullable)
    orders: pa.Table
    # order_line_id, order_id, product_id, quantity, unit_price, entered_at
    order_lines: pa.Table
    # product_id, name, category, created_at
    products: pa.Table
    # product_id, valid_from, price
    prices: pa.Table
    # product_id, from_at, to_at
    stock_outs: pa.Table
    # affiliate_id, user_id (nullable), status, joined_at
    affiliates: pa.Table
    # product_id, other_product_id: bought together beyond chance, in made-up orders only
    pairs: pa.Table
