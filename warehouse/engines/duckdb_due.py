"""Compute in DuckDB what affiliates' commissions are due, movement by movement."""

from collections.abc import Sequence
from datetime import datetime

import duckdb

# Amounts are counted in whole numbers, so that nothing is rounded but the cents: a commission in
# 1/10^16 (base, rate and fx rate have 20 decimals together; the last four are rounded, so that the
# product with a line's amount fits 38 digits up to lines of 10^8), sales in 1/10^4.
_CENTS_OF_EXACT = 100_000_000_000_000

_DUE = """
WITH commissions AS (
  SELECT *,
    CAST(reporting_line_amount * 10000 AS HUGEINT) AS line_units,
    CAST(commission_amount * 100 AS HUGEINT) AS commission_cents,
    (CAST(base_amount * 10000 AS HUGEINT) * CAST(rate * 100000000 AS HUGEINT)
      * CAST(CAST(fx_rate AS DECIMAL(38, 8)) * 100000000 AS HUGEINT) + 5000) // 10000 AS product,
    CASE WHEN currency IN ({whole}) THEN 100 ELSE 1 END AS least_cents
  FROM {commissions} WHERE commission_amount <> 0
),
-- a cap or another rule may have made it less than base x rate x fx rate: that is shared out then
exact AS (
  SELECT *, CASE
      WHEN (product + {cents} * least_cents // 2) // ({cents} * least_cents) * least_cents
        = commission_cents THEN product
      ELSE commission_cents * {cents}
    END AS commission
  FROM commissions
),
refunded AS (
  SELECT exact.*, allocations.refund_id, refunds.refunded_at,
    CAST(sum(allocations.amount) OVER (
      PARTITION BY exact.order_line_id ORDER BY refunds.refunded_at, allocations.refund_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) * 10000 AS HUGEINT) AS units_after,
    CAST(allocations.amount * 10000 AS HUGEINT) AS units
  FROM exact
  INNER JOIN {allocations} AS allocations ON exact.order_line_id = allocations.order_line_id
  INNER JOIN {refunds} AS refunds ON allocations.refund_id = refunds.refund_id
),
shares AS (
  SELECT *,
    -- of no line more is left than was sold, whatever a refund below 0 would say
    CASE WHEN line_units > 0 THEN least(greatest(line_units - units_after, 0), line_units)
      ELSE 0 END AS left_after,
    CASE WHEN line_units > 0 THEN least(greatest(line_units - units_after + units, 0), line_units)
      ELSE 0 END AS left_before
  FROM refunded
),
-- of the whole sale the whole commission is due, whatever a share of it would round to
earned AS (
  SELECT *,
    {left_before} AS cents_before,
    {left_after} AS cents_after
  FROM shares
),
kept AS (
  SELECT order_line_id, sum(cents_before - cents_after) AS taken_cents FROM earned GROUP BY ALL
),
-- A chargeback that was won is followed by a reversal of its amount: of several the last one before
-- it that is not won yet, as brackets match.
moves AS (
  SELECT order_id, payment_id, paid_at, amount, kind = 'chargeback' AS is_taken
  FROM {payments} WHERE kind IN ('chargeback', 'reversal') AND status = 'settled'
),
{matched_by_amount},
{matched_by_time},
-- of those that were lost the first takes what is left
lost AS (
  SELECT order_id, payment_id, paid_at FROM matched_by_time WHERE is_taken AND NOT is_matched
  QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY paid_at, payment_id) = 1
),
movements AS (
  SELECT affiliate_id, order_line_id, 'order' AS cause_type, order_id AS cause_id, currency,
    commission_cents AS cents, rate, fx_rate, ordered_at AS effective_at, matures_at, held_since
  FROM exact
  UNION ALL
  SELECT affiliate_id, order_line_id, 'refund', refund_id, currency,
    cents_after - cents_before, rate, fx_rate, refunded_at, matures_at, held_since
  FROM earned WHERE cents_after <> cents_before
  UNION ALL
  SELECT affiliate_id, order_line_id, 'chargeback', payment_id, currency,
    coalesce(taken_cents, 0) - commission_cents, rate, fx_rate, paid_at, matures_at, held_since
  FROM exact INNER JOIN lost USING (order_id) LEFT JOIN kept USING (order_line_id)
  WHERE coalesce(taken_cents, 0) <> commission_cents
  UNION ALL
  SELECT affiliate_id, '(none)', 'decision', decision_id, currency,
    CAST(amount * 100 AS HUGEINT), NULL, NULL, effective_at, effective_at, NULL
  FROM {decisions}
  WHERE kind IN ('adjustment', 'write_off', 'forfeit') AND amount <> 0 AND effective_at <= $as_of
)
SELECT affiliate_id, order_line_id, cause_type, cause_id, currency,
  CAST(CAST(cents AS DECIMAL(38, 0)) * CAST(0.01 AS DECIMAL(3, 2)) AS DECIMAL(18, 2)) AS amount,
  CAST(rate AS DECIMAL(18, 8)) AS rate, CAST(fx_rate AS DECIMAL(18, 8)) AS fx_rate,
  effective_at, matures_at, held_since
FROM movements
"""


def _matched(name: str, moves: str, key: str) -> str:
    """Return the CTEs that match each reversal with the last open chargeback of the same key.

    A chargeback opens a level that the reversal which stands next on it closes.
    """
    order = "ORDER BY paid_at, is_taken DESC, payment_id"
    return f"""{name}_levels AS (
  SELECT order_id, payment_id, paid_at, amount, is_taken,
    sum(CASE WHEN is_taken THEN 1 ELSE -1 END) OVER (
      PARTITION BY {key} {order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) + CASE WHEN is_taken THEN 0 ELSE 1 END AS level
  FROM {moves}
),
{name} AS (
  SELECT order_id, payment_id, paid_at, amount, is_taken,
    CASE
      WHEN is_taken THEN NOT coalesce(lead(is_taken) OVER same_level, true)
      ELSE coalesce(lag(is_taken) OVER same_level, false)
    END AS is_matched
  FROM {name}_levels WINDOW same_level AS (PARTITION BY {key}, level {order})
)"""


def _share(units: str) -> str:
    """Return the commission of what is left of a line in cents, rounded half away from zero.

    A currency without cents has whole hundreds of them.
    """
    part, whole = f"(commission * {units})", f"(line_units * {_CENTS_OF_EXACT} * least_cents)"
    return (
        f"CASE WHEN {units} = 0 THEN 0 WHEN {units} = line_units THEN commission_cents ELSE"
        f" ({part} // {whole} + CASE WHEN 2 * ({part} % {whole}) >= {whole} THEN 1 ELSE 0 END)"
        " * least_cents END"
    )


def write(
    connection: duckdb.DuckDBPyConnection,
    *,
    into: str,
    commissions: str,
    allocations: str,
    refunds: str,
    payments: str,
    decisions: str,
    as_of: datetime,
    whole: Sequence[str],
) -> int:
    """Replace the table `into` by what is due, read from the named tables; return its row count."""
    query = _DUE.format(
        commissions=commissions,
        allocations=allocations,
        refunds=refunds,
        payments=payments,
        decisions=decisions,
        cents=_CENTS_OF_EXACT,
        whole=", ".join(f"'{currency}'" for currency in whole),
        matched_by_amount=_matched("matched_by_amount", "moves", "order_id, amount"),
        matched_by_time=_matched(
            "matched_by_time", "(FROM matched_by_amount WHERE NOT is_matched)", "order_id"
        ),
        left_before=_share("left_before"),
        left_after=_share("left_after"),
    )
    connection.execute(f"CREATE OR REPLACE TABLE {into} AS {query}", {"as_of": as_of})
    return len(connection.table(into))
