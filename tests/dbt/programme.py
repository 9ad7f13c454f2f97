"""A small affiliate programme of literal rows, through the models of commissions as compiled."""

from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb

from tests.dbt.build import Build
from tests.dbt.test_channel_rules import compiled

MODELS = (
    *("rules", "orders", "lines", "terms", "coupon_orders", "order_keys", "click_prints"),
    "buyer_clicks",
    *("partner_prints", "programme", "order_partners"),
    *("cart_lines", "order_windows", "voiding_touches", "candidates", "kept_lines", "sources"),
    "repeats",
    *("exclusions", "line_rates", "earnings", "amounts", "order_caps", "month_caps"),
    *("extensions", "disputes", "commissions"),
)
FILLED = ("seeds.affiliate_rules", "intermediate.int_core__numbers")
Row = dict[str, Any]


def at(text: str) -> datetime:
    """Return an instant of 2011 from `month-day hour:minute`, UTC."""
    return datetime.strptime(f"2011-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


class Programme:
    """What the models read; affiliates a1 (GBP), a2 (EUR) and one plan for all: 10 %, 30 days."""

    def __init__(self, build: Build, filled: Collection[str] = ()) -> None:
        """Take the tables' columns, the rules as shipped and what is `filled` from a build."""
        self.build = build
        self.connection = duckdb.connect()
        self.connection.execute("attach ':memory:' as build; use build; set timezone = 'UTC'")
        self.connection.execute(f"attach '{build.database}' as source (read_only)")
        tables = self.connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where database_name = 'source'"
            " and schema_name in ('staging', 'intermediate', 'seeds', 'ledger')"
        ).fetchall()
        made = {f"intermediate.int_affiliate__{model}" for model in MODELS}
        for schema in ("staging", "intermediate", "seeds", "ledger"):
            self.connection.execute(f"create schema {schema}")
        for (name,) in tables:
            if name not in made:
                rows = "" if name in {*FILLED, *filled} else " limit 0"
                self.connection.execute(f"create table {name} as from source.{name}{rows}")
        self.connection.execute("detach source")
        for affiliate, currency in (("a1", "GBP"), ("a2", "EUR")):
            self.add(
                "staging.stg_affiliate__affiliates",
                affiliate_id=affiliate,
                status="active",
                status_since=at("01-01 00:00"),
                joined_at=at("01-01 00:00"),
                payout_currency=currency,
            )
        self.plan("default")

    def add(self, table: str, **values: Any) -> None:
        """Insert a row; columns that are not named are NULL."""
        names = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        self.connection.execute(
            f"insert into {table} ({names}) values ({marks})", [*values.values()]
        )

    def plan(self, name: str, **values: Any) -> None:
        """Add a commission plan."""
        usual: Row = {"tier": 1, "rate": "0.1", "window_days": 30, "hold_days": 30}
        usual["valid_from"] = at("01-01 00:00")
        self.add("staging.stg_affiliate__commission_plans", **{**usual, "plan_id": name, **values})

    def rule(self, name: str, value: str, **values: Any) -> None:
        """Let a rule hold: for all in place of the row as shipped, else in front of it."""
        if not values:
            self.connection.execute(
                "update seeds.affiliate_rules set value = ? where rule = ?", [value, name]
            )
        else:
            self.add("seeds.affiliate_rules", rule=name, value=value, **values)

    def click(self, name: str, affiliate: str, when: str, **values: Any) -> None:
        """Add a valid click of visitor v1."""
        usual = {"visitor_id": "v1", "validity": "valid", "occurred_at": at(when)}
        self.add(
            "intermediate.int_affiliate__judged_clicks",
            **{**usual, "click_id": name, "affiliate_id": affiliate, **values},
        )

    def order(self, name: str, when: str, lines: Row | None = None, **values: Any) -> None:
        """Add an order of visitor v1 and customer c1 with lines `<name>-1` … of article and price.

        The article `discount` is a line of that kind.
        """
        usual = {"visitor_id": "v1", "customer_id": "c1", "status": "shipped", "currency": "GBP"}
        facts = {**usual, **values}
        coupon, rate = facts.pop("coupon_code", None), facts.pop("rate", "1")
        ordered = at(when)
        currency = facts["currency"]
        dated = {"order_id": name, "ordered_at": ordered}
        self.add("staging.stg_shop__orders", **dated, currency=currency, coupon_code=coupon)
        self.add(
            "intermediate.int_core__orders",
            **dated,
            order_date=ordered.date(),
            **{"is_counted": facts["status"] != "cancelled", "is_first_order": True, **facts},
        )
        self.add(
            "intermediate.int_finance__order_rates",
            order_id=name,
            currency=currency,
            rate_date=ordered.date(),
            rate=rate,
        )
        for number, (product, amount) in enumerate((lines or {"mug": "100"}).items(), 1):
            self.add(
                "intermediate.int_core__order_lines",
                **dated,
                order_line_id=f"{name}-{number}",
                cell="main",
                customer_id=facts["customer_id"],
                product_id=product,
                product_code=product,
                line_kind="discount" if product == "discount" else "product",
                quantity=1,
                currency=currency,
                source_amount=amount,
                line_amount=Decimal(amount) * Decimal(rate),
                order_date=ordered.date(),
            )

    def cancel(self, name: str) -> None:
        """Cancel an order."""
        self.connection.execute(
            "update intermediate.int_core__orders set status = 'cancelled', is_counted = false"
            " where order_id = ?",
            [name],
        )

    def product(self, name: str, category: str | None = None, **values: Any) -> None:
        """Add an article."""
        usual = {"is_commissionable": True}
        self.add(
            "staging.stg_shop__products",
            **{**usual, "product_id": name, "category": category, **values},
        )

    def commissions(self) -> dict[str, Row]:
        """Run the models, and return their rows by order line."""
        for model in MODELS:
            name = f"int_affiliate__{model}"
            self.connection.execute(
                f"create or replace table intermediate.{name} as {compiled(self.build, name)}"
            )
        found = self.connection.execute("from intermediate.int_affiliate__commissions")
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        assert len({row["order_line_id"] for row in rows}) == len(rows)
        return {row["order_line_id"]: row for row in rows}

    def earned(self) -> dict[str, tuple[str, str]]:
        """Return whose each line is, and what it earns, or why nothing."""
        return {
            line: (row["affiliate_id"], row["reason"] or str(row["commission_amount"]))
            for line, row in self.commissions().items()
        }
