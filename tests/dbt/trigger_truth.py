"""Judge each planted case for a trigger e-mail at the moment at which the demo shop's answer holds.

A published version judges all cases by its own as_of, when most have expired. So the models, as dbt
compiled them, are run again for each case on what the build database holds of its customer and
product by then.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from demo.scenario_rows import TOO_LATE

MODELS = [
    f"int_recommendation__{name}"
    for name in (
        *("looks", "cart_leftovers", "searched_products", "restocks", "price_drops"),
        *("trigger_evidence", "trigger_contacts", "triggers", "trigger_facts"),
    )
]
MART = "recommendation__email_triggers"
AS_OF = re.compile(r"cast\('[0-9-]{10} [0-9:.]+\+00' as timestamptz\)")
VISITORS = "visitor_id in (select visitor_id from {})"
CUSTOMERS = "customer_id in (select customer_id from {})"
PRODUCTS = "product_id in (select product_id from {})"
# Each input: which of its rows are about a case, and which were there at a time.
INPUTS = {
    "seeds.trigger_rules": ("true", "true"),
    "seeds.blocked_categories": ("true", "true"),
    "ledger.trigger_outbox": (CUSTOMERS, "exported_at <= $as_of"),
    "staging.stg_activity__product_events": (VISITORS, "occurred_at <= $as_of"),
    "staging.stg_activity__cart_events": (VISITORS, "occurred_at <= $as_of"),
    "staging.stg_activity__searches": (VISITORS, "occurred_at <= $as_of"),
    "staging.stg_activity__trigger_sends": (CUSTOMERS, "sent_at <= $as_of"),
    "staging.stg_shop__customers": (CUSTOMERS, "true"),
    "staging.stg_shop__products": (PRODUCTS, "true"),
    "staging.stg_shop__inventory": (PRODUCTS, "valid_from <= $as_of"),
    "staging.stg_shop__product_prices": (PRODUCTS, "valid_from <= $as_of"),
    "intermediate.int_core__session_events": (VISITORS, "occurred_at <= $as_of"),
    "intermediate.int_core__customer_aliases": (CUSTOMERS, "true"),
    "intermediate.int_recommendation__matched_queries": ("true", "true"),
    # nothing on sale is planted
    "intermediate.int_recommendation__sale_offers": ("false", "true"),
    "intermediate.int_core__orders": (CUSTOMERS, "ordered_at <= $as_of"),
    "intermediate.int_core__order_lines": (PRODUCTS, "true"),
}
# What still holds at a time has no end then.
ENDING = ("staging.stg_shop__inventory", "staging.stg_shop__product_prices")
STILL = "replace (case when valid_to <= $as_of then valid_to end as valid_to)"


@dataclass(frozen=True, slots=True)
class Judged:
    """What the mart says of a case."""

    kind: str
    customer_id: str | None
    product_id: str
    evidence_id: str
    status: str
    suppressed_by: str | None


class Judge:
    """The models, to be run for one case after another.

    `build` and `truth` are attached to the connection; `cases` are rows of `truth.triggers` with
    visitor_id. What the build holds of them is copied once: it is a small part of it.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, compiled: Path, cases: list[dict[str, Any]]
    ) -> None:
        self._connection = connection
        self._queries = {model: _compiled(compiled, model) for model in (*MODELS, MART)}
        connection.execute("attach ':memory:' as planted; attach ':memory:' as judged")
        for database in ("planted", "judged"):
            for schema in ("seeds", "ledger", "staging", "intermediate"):
                connection.execute(f"create schema {database}.{schema}")
        self._name("planted", cases)
        for name, (about, _) in INPUTS.items():
            theirs = about.format("planted.named")
            connection.execute(
                f"create table planted.{name} as select * from build.{name} where {theirs}"
            )

    def of(self, case: dict[str, Any]) -> list[Judged]:
        """Return what the mart would say of the case's visitor when the answer is right.

        That is when the e-mail comes due, or when its evidence reached the store where it is late.
        """
        as_of = case["due_at"]
        if case["reason"] == "expired":
            as_of = max(as_of, case["looked_at"] + TOO_LATE)
        self._name("judged", [case])
        for name, (about, by_then) in INPUTS.items():
            columns = f"* {STILL}" if name in ENDING else "*"
            theirs = about.format("judged.named")
            query = f"select {columns} from planted.{name} where {theirs} and {by_then}"
            values = {"as_of": as_of} if "$" in query else {}
            self._connection.execute(f"create or replace table judged.{name} as {query}", values)
        for model in MODELS:
            name = f"judged.intermediate.{model}"
            self._connection.execute(f"create or replace table {name} as {self._sql(model, as_of)}")
        found = self._connection.execute(
            "select kind, customer_id, product_id, evidence_id, status, suppressed_by"
            f" from ({self._sql(MART, as_of)}) order by all"
        ).fetchall()
        return [Judged(*row) for row in found]

    def _name(self, database: str, cases: list[dict[str, Any]]) -> None:
        """Say whose rows are copied to a database."""
        columns = ("visitor_id", "customer_id", "product_id")
        self._connection.execute(
            f"create or replace table {database}.named"
            f" ({', '.join(f'{name} varchar' for name in columns)})"
        )
        self._connection.executemany(
            f"insert into {database}.named values (?, ?, ?)",
            [[case[name] for name in columns] for case in cases],
        )

    def _sql(self, model: str, as_of: datetime) -> str:
        sql = self._queries[model].replace('"build".', '"judged".')
        return AS_OF.sub(f"timestamptz '{as_of.isoformat()}'", sql)


def _compiled(folder: Path, model: str) -> str:
    # a model's unit tests are compiled under its YAML
    [path] = (p for p in folder.rglob(f"{model}.sql") if p.parent.suffix != ".yml")
    return path.read_text(encoding="utf-8")
