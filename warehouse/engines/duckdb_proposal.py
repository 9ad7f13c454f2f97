"""Compute in DuckDB the entries that make what is posted equal to what is due."""

from datetime import date, datetime

import duckdb

_KEY = "affiliate_id, order_line_id, cause_type, cause_id, currency"
_LINE = "affiliate_id, order_line_id, currency"

# Each movement has one entry of expense, each maturity one of payable: their counts number the
# next ones.
_PROPOSAL = """
WITH posted AS (
  SELECT {key},
    sum(CASE WHEN account = 'commission_expense' THEN amount END) AS expense,
    sum(CASE WHEN account = 'affiliate_pending' THEN amount END) AS pending,
    sum(CASE WHEN account = 'affiliate_payable' THEN amount END) AS payable,
    count(CASE WHEN account = 'commission_expense' THEN 1 END) AS movements,
    count(CASE WHEN account = 'affiliate_payable' THEN 1 END) AS payables,
    count(CASE WHEN account = 'affiliate_payable' AND entry_type = 'maturity' THEN 1 END)
      AS maturities,
    max(rate) AS posted_rate, max(fx_rate) AS posted_fx_rate
  FROM {posted} GROUP BY ALL
),
balances AS (
  SELECT {line}, coalesce(sum(pending), 0) AS pending, coalesce(sum(payable), 0) AS payable,
    sum(movements) AS movements, sum(payables) AS payables, sum(maturities) AS maturities
  FROM posted WHERE order_line_id <> '(none)' GROUP BY ALL
),
terms AS (
  SELECT {line}, cause_id AS order_id, rate AS line_rate, fx_rate AS line_fx_rate, matures_at,
    matures_at <= $as_of AND held_since IS NULL AS is_mature
  FROM {due} WHERE cause_type = 'order'
),
lines AS (
  SELECT *, order_id IS NOT NULL AS is_due, coalesce(balances.pending, 0) AS pending_before,
    coalesce(balances.payable, 0) AS payable_before
  FROM terms FULL JOIN balances USING ({line})
),
differences AS (
  SELECT {key}, coalesce(due.amount, 0) - coalesce(posted.expense, 0) AS amount,
    coalesce(due.amount, 0) = 0 AS is_gone, coalesce(posted.movements, 0) AS number,
    coalesce(due.rate, posted.posted_rate) AS rate,
    coalesce(due.fx_rate, posted.posted_fx_rate) AS fx_rate,
    CASE WHEN coalesce(posted.movements, 0) = 0 THEN due.effective_at END AS own_time
  FROM {due} AS due FULL JOIN posted USING ({key})
  WHERE coalesce(due.amount, 0) <> coalesce(posted.expense, 0)
),
-- a line's commission is either pending or payable, as a whole: what changes it goes where it is
movements AS (
  SELECT differences.*, coalesce(own_time, $as_of) AS effective_at,
    CASE
      WHEN differences.order_line_id = '(none)' THEN 'affiliate_payable'
      WHEN (payable_before <> 0 OR (pending_before = 0 AND payables > 0))
        AND (is_mature OR NOT is_due) THEN 'affiliate_payable'
      ELSE 'affiliate_pending'
    END AS liability,
    CASE
      WHEN differences.order_line_id = '(none)' THEN 'adjustment'
      WHEN cause_type IN ('refund', 'chargeback') OR is_gone THEN 'reversal'
      WHEN coalesce(lines.movements, 0) = 0 THEN 'accrual'
      ELSE 'adjustment'
    END AS entry_type
  FROM differences LEFT JOIN lines USING ({line})
),
moved AS (
  SELECT {line}, max(effective_at) AS last_effective_at,
    sum(CASE WHEN liability = 'affiliate_pending' THEN amount ELSE 0 END) AS to_pending,
    sum(CASE WHEN liability = 'affiliate_payable' THEN amount ELSE 0 END) AS to_payable
  FROM movements WHERE order_line_id <> '(none)' GROUP BY ALL
),
maturities AS (
  SELECT {line}, order_id, line_rate, line_fx_rate, coalesce(maturities, 0) AS number,
    CASE
      WHEN is_mature AND coalesce(maturities, 0) = 0
        THEN greatest(matures_at, coalesce(last_effective_at, matures_at))
      ELSE $as_of
    END AS effective_at,
    CASE
      WHEN is_mature THEN pending_before - coalesce(to_pending, 0)
      ELSE coalesce(to_payable, 0) - payable_before
    END AS amount
  FROM lines LEFT JOIN moved USING ({line})
  WHERE is_due AND CASE
      WHEN is_mature THEN pending_before <> coalesce(to_pending, 0)
      ELSE payable_before <> coalesce(to_payable, 0)
    END
),
transactions AS (
  SELECT {key}, entry_type, 'commission_expense' AS debited, liability AS credited, amount, rate,
    fx_rate, effective_at, md5(concat_ws(chr(31), 'movement', {key}, number)) AS transaction_id
  FROM movements
  UNION ALL
  SELECT affiliate_id, order_line_id, 'order', order_id, currency, 'maturity',
    'affiliate_payable', 'affiliate_pending', amount, line_rate, line_fx_rate, effective_at,
    md5(concat_ws(chr(31), 'maturity', {line}, number))
  FROM maturities
),
entries AS (
  SELECT *, debited AS account, amount AS signed FROM transactions
  UNION ALL
  SELECT *, credited, -amount FROM transactions
)
SELECT md5(concat_ws(chr(31), transaction_id, account)) AS entry_id, transaction_id, account,
  affiliate_id, order_line_id, entry_type, CAST(signed AS DECIMAL(18, 2)) AS amount, currency,
  CAST(rate AS DECIMAL(18, 8)) AS rate, CAST(fx_rate AS DECIMAL(18, 8)) AS fx_rate, effective_at,
  CAST($posted_at AS TIMESTAMPTZ) AS posted_at,
  greatest(
    CAST(date_trunc('month', timezone($zone, effective_at)) AS DATE),
    CAST(CAST($closed_through AS DATE) + INTERVAL 1 MONTH AS DATE)
  ) AS period,
  cause_type, cause_id, CAST($as_of AS TIMESTAMPTZ) AS as_of, CAST($run_id AS VARCHAR) AS run_id
FROM entries
"""


def write(
    connection: duckdb.DuckDBPyConnection,
    *,
    into: str,
    due: str,
    posted: str,
    closed_through: date | None,
    as_of: datetime,
    posted_at: datetime,
    zone: str,
    run_id: str,
) -> int:
    """Replace the table `into` by the entries that are to be posted; return its row count."""
    query = _PROPOSAL.format(key=_KEY, line=_LINE, due=due, posted=posted)
    connection.execute(
        f"CREATE OR REPLACE TABLE {into} AS {query}",
        {
            "closed_through": closed_through,
            "as_of": as_of,
            "posted_at": posted_at,
            "zone": zone,
            "run_id": run_id,
        },
    )
    return len(connection.table(into))
