"""What happens in the shop, past its clock included: the common ground of its rows and visits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyarrow as pa

from demo.scenarios import Scenarios

# How far the history reaches beyond the clock: visits before an order come up to so long before.
AHEAD = timedelta(days=31)


@dataclass(frozen=True)
class History:
    """What happens in the shop until `horizon`, which is 31 days after `now`.

    Visits before an order that is still to come have already happened, so nothing here is cut at
    the clock; merges are not applied, and order_lines hold what was bought, not what was typed
    wrong and corrected later. Times are instants (UTC), prices DECIMAL in the order's currency.

    users: user_id, country, birth_date, gender, created_at, marketing_consent.
    merges: user_id, merged_into, merged_at.
    orders: order_id, user_id (the account used then, nullable), ordered_at, country, is_made,
    visitor_id (nullable), coupon_code (nullable); test orders, which staff remove, are left out.
    order_lines: order_line_id, order_id, product_id, quantity, unit_price, entered_at.
    products: product_id, name, category, created_at. prices: product_id, valid_from, price.
    stock_outs: product_id, from_at, to_at. affiliates: affiliate_id, user_id (nullable), status
    (at `now`), joined_at. pairs: product_id, other_product_id, bought together beyond chance in
    made-up orders only.
    """

    now: datetime  # the shop's clock
    horizon: datetime
    opened: datetime  # midnight UTC of the day of the first document
    made_from: datetime | None  # from when orders and life are made up; None: never
    users: pa.Table
    merges: pa.Table
    orders: pa.Table
    order_lines: pa.Table
    products: pa.Table
    prices: pa.Table
    stock_outs: pa.Table
    affiliates: pa.Table
    pairs: pa.Table
    # What `orders.rows_of` cuts at the clock: rows with the times at which they change.
    life: Mapping[str, pa.Table] = field(default_factory=dict[str, pa.Table])
    # The planted cases for e-mail triggers, whose orders and people are among the above.
    scenarios: Scenarios | None = None
