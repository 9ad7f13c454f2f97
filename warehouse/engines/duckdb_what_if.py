"""Compute commissions anew in DuckDB beside a build database that stays as it is."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from extractors.naming import literal, quoted

_PLANS = """
CREATE TABLE {table} (plan_id VARCHAR, affiliate_id VARCHAR, category VARCHAR, tier INTEGER,
  tier_min_sales DECIMAL(18, 4), rate DECIMAL(18, 8), window_days INTEGER, hold_days INTEGER,
  valid_from TIMESTAMPTZ, valid_to TIMESTAMPTZ)
"""
_LINES = """
CREATE TABLE {into} AS
SELECT order_line_id, affiliate_id, commissions.currency, commission_amount,
  CAST(coalesce(due.amount, 0) AS DECIMAL(18, 2)) AS due_amount
FROM {commissions} AS commissions
LEFT JOIN (
  SELECT order_line_id, affiliate_id, sum(amount) AS amount FROM {due} GROUP BY ALL
) AS due USING (order_line_id, affiliate_id)
WHERE ordered_at >= timezone($zone, CAST($first AS TIMESTAMP))
  AND ordered_at < timezone($zone, CAST($before AS TIMESTAMP))
"""
# A line that falls to another affiliate goes from the one and comes to the other.
_DIFFERENCES = """
WITH lines AS (
  SELECT affiliate_id, currency,
    coalesce(old.commission_amount, 0) AS old_commission, coalesce(old.due_amount, 0) AS old_due,
    coalesce(new.commission_amount, 0) AS new_commission, coalesce(new.due_amount, 0) AS new_due
  FROM {old} AS old FULL JOIN {new} AS new USING (order_line_id, affiliate_id, currency)
)
SELECT affiliate_id, currency, count(*),
  count(*) FILTER (WHERE old_commission <> new_commission OR old_due <> new_due),
  CAST(sum(old_commission) AS DECIMAL(18, 2)), CAST(sum(new_commission) AS DECIMAL(18, 2)),
  CAST(sum(old_due) AS DECIMAL(18, 2)), CAST(sum(new_due) AS DECIMAL(18, 2))
FROM lines GROUP BY ALL ORDER BY ALL
"""


@contextmanager
def beside(database: Path, aside: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the file `aside`, new and of the same name, with the build database as `built`.

    Compiled models name their database, so that they find the tables here that `lay` shows them,
    and what they make is written here.
    """
    with duckdb.connect(str(aside)) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
        connection.execute(f"ATTACH {literal(str(database))} AS built (READ_ONLY)")
        yield connection


def lay(connection: duckdb.DuckDBPyConnection, tables: Iterable[tuple[str, str]]) -> None:
    """Show tables (schema, name) of `built` here, as far as it has them."""
    has = set(
        connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'built'"
            " UNION ALL SELECT schema_name, view_name FROM duckdb_views()"
            " WHERE database_name = 'built'"
        ).fetchall()
    )
    for table in tables:
        if table in has:
            make(connection, "view", table, f"SELECT * FROM built.{quoted(*table)}")


def make(
    connection: duckdb.DuckDBPyConnection, kind: str, table: tuple[str, str], query: str
) -> None:
    """Make a `table` or `view` here by a query, in place of what there was."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(table[0])}")
    _drop(connection, table)
    connection.execute(f"CREATE {kind} {quoted(*table)} AS {query}")


def replace_plans(
    connection: duckdb.DuckDBPyConnection, table: tuple[str, str], rows: Sequence[Sequence[Any]]
) -> None:
    """Replace the plans here by others, given in the order of `ledger.plans_file.FIELDS`."""
    _drop(connection, table)
    connection.execute(_PLANS.format(table=quoted(*table)))
    marks = ", ".join("?" for _ in rows[0])
    connection.executemany(f"INSERT INTO {quoted(*table)} VALUES ({marks})", rows)


def plans(
    connection: duckdb.DuckDBPyConnection, table: tuple[str, str], fields: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Return these fields of the plans, from the first that began on."""
    return connection.execute(
        f"SELECT {', '.join(fields)} FROM {quoted(*table)} ORDER BY valid_from, plan_id"
    ).fetchall()


def values(
    connection: duckdb.DuckDBPyConnection, column: str, *tables: tuple[str, str]
) -> set[str]:
    """Return the values of a column in tables."""
    return {
        value
        for table in tables
        for (value,) in connection.execute(
            f"SELECT DISTINCT {column} FROM {quoted(*table)} WHERE {column} IS NOT NULL"
        ).fetchall()
    }


def keep_lines(
    connection: duckdb.DuckDBPyConnection,
    into: str,
    *,
    commissions: str,
    due: str,
    first: date,
    before: date,
    zone: str,
) -> None:
    """Keep what each line ordered from `first` to the day before `before` (`zone`) brings."""
    connection.execute(
        _LINES.format(into=into, commissions=commissions, due=due),
        {"first": first, "before": before, "zone": zone},
    )


def differences(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> list[tuple[Any, ...]]:
    """Return affiliate, currency, lines, changed lines, commissions and dues, old before new."""
    return connection.execute(_DIFFERENCES.format(old=old, new=new)).fetchall()


def _drop(connection: duckdb.DuckDBPyConnection, table: tuple[str, str]) -> None:
    found = connection.execute(
        "SELECT table_type FROM information_schema.tables WHERE table_catalog = current_database()"
        " AND table_schema = ? AND table_name = ?",
        table,
    ).fetchone()
    if found:
        kind = "VIEW" if found[0] == "VIEW" else "TABLE"
        connection.execute(f"DROP {kind} {quoted(*table)}")
