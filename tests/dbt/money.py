"""Give the small shop's documents currencies, payments and rates, and say by a plain loop what
they come to: written from the rules of docs/reference/marts.md, not from the models."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.dbt.streams import START, Row

LONDON = ZoneInfo("Europe/London")
# A week without trade in April, and no rate on weekends.
HOLIDAYS = {date(2011, 4, 18) + timedelta(days=day) for day in range(5)}


def with_money(rows: dict[str, list[Row]], seed: int) -> dict[str, list[Row]]:
    """Return the raw rows with currencies in orders, refunds and bills, and with payments."""
    chance = random.Random(seed)
    currencies = {
        row["order_id"]: chance.choice(["GBP", "EUR", "EUR", "USD"])
        for row in rows["raw_shop.orders"]
    }
    orders = [row | {"currency": currencies[row["order_id"]]} for row in rows["raw_shop.orders"]]
    refunds = [
        row | {"currency": currencies.get(row["order_id"], chance.choice(["GBP", "EUR"]))}
        for row in rows["raw_shop.refunds"]
    ]
    spend = [row | {"currency": chance.choice(["GBP", "USD"])} for row in rows["raw_shop.ad_spend"]]
    return rows | {
        "raw_shop.orders": orders,
        "raw_shop.refunds": [*refunds, *_refunds_in_parts(rows | {"raw_shop.orders": orders})],
        "raw_shop.ad_spend": spend,
        "raw_shop.fx_rates": list(_rates(chance)),
        "raw_shop.payments": list(_payments(chance, rows | {"raw_shop.orders": orders})),
    }


def _refunds_in_parts(rows: dict[str, list[Row]]) -> Iterator[Row]:
    """Give back every twelfth line piece by piece, so that nothing of it stays."""
    orders = {row["order_id"]: row for row in rows["raw_shop.orders"]}
    for line in rows["raw_shop.order_lines"][::12]:
        order = orders[line["order_id"]]
        for piece in range(line["quantity"]):
            yield {
                "refund_id": f"w{line['order_line_id']}-{piece}",
                "refund_document_id": f"W{line['order_id']}",
                "order_id": line["order_id"],
                "order_line_id": line["order_line_id"],
                "user_id": order["user_id"],
                "product_id": line["product_id"],
                "quantity": 1,
                "unit_price": line["unit_price"],
                "amount": line["unit_price"],
                "currency": order["currency"],
                "country": "France",
                "refunded_at": order["ordered_at"] + timedelta(days=30 + piece // 2),
            }


def _rates(chance: random.Random) -> Iterator[Row]:
    for day in (START.date() + timedelta(days=n) for n in range(-3, 200)):
        if day.weekday() < 5 and day not in HOLIDAYS:
            for currency, about in (("EUR", 87_000_000), ("USD", 62_000_000)):
                rate = Decimal(about + chance.randrange(2_000_000)).scaleb(-8)
                yield {"rate_date": day, "currency": currency, "rate": rate}


def _payments(chance: random.Random, rows: dict[str, list[Row]]) -> Iterator[Row]:
    totals = source_totals(rows)
    n = 0
    for order in rows["raw_shop.orders"]:
        total = totals[order["order_id"]]
        less = min(total, Decimal("1.005"))
        plan: list[tuple[str, str, Decimal]] = chance.choice(
            [
                [],
                [("payment", "settled", total)],
                [("payment", "settled", total)],
                [("payment", "failed", total), ("payment", "settled", total)],
                [("payment", "settled", less), ("payment", "settled", total - less)],
                [("payment", "settled", total + less)],
                [("payment", "settled", less)],
                [("payment", "pending", total)],
                [("payment", "settled", total), ("chargeback", "settled", total)],
                [
                    ("payment", "settled", total),
                    ("chargeback", "settled", less),
                    ("reversal", "settled", less),
                ],
            ]
        )
        for place, (kind, status, amount) in enumerate(plan):
            n += 1
            yield {
                "payment_id": f"y{n}",
                # one payment in ten is for an order that nobody knows
                "order_id": order["order_id"] if n % 10 else f"lost {n}",
                "kind": kind,
                "amount": amount,
                "currency": "GBP" if n % 13 == 0 else order["currency"],
                "status": status,
                "paid_at": order["ordered_at"] + timedelta(hours=30 * place - 1),
            }


def source_totals(rows: dict[str, list[Row]]) -> dict[str, Decimal]:
    """Return the sum of each order's lines in its own currency."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for line in rows["raw_shop.order_lines"]:
        totals[line["order_id"]] += line["quantity"] * Decimal(line["unit_price"])
    return totals


class Money:
    """What the raw rows come to in the reporting currency."""

    def __init__(self, rows: dict[str, list[Row]]) -> None:
        """Read the raw rows."""
        self.rows = rows
        self.orders = {row["order_id"]: row for row in rows["raw_shop.orders"]}
        self.rates = {
            (row["rate_date"], row["currency"]): row["rate"] for row in rows["raw_shop.fx_rates"]
        }

    def rate(self, currency: str, at: datetime) -> Decimal:
        """Return the latest rate at or before the day of London."""
        day = at.astimezone(LONDON).date()
        if currency == "GBP":
            return Decimal(1)
        return next(
            self.rates[day - timedelta(days=age), currency]
            for age in range(8)
            if (day - timedelta(days=age), currency) in self.rates
        )

    def line_amounts(self) -> dict[str, Decimal]:
        """Return the reporting amount of each order line."""
        amounts: dict[str, Decimal] = {}
        for line in self.rows["raw_shop.order_lines"]:
            order = self.orders[line["order_id"]]
            rate = self.rate(order["currency"], order["ordered_at"])
            source = line["quantity"] * Decimal(line["unit_price"])
            amounts[line["order_line_id"]] = rounded(source * rate)
        return amounts

    def refund_amounts(self) -> dict[str, Decimal]:
        """Return the reporting amount of each refund line."""
        amounts: dict[str, Decimal] = {}
        so_far: dict[str, Decimal] = defaultdict(Decimal)
        in_time = sorted(
            self.rows["raw_shop.refunds"], key=lambda one: (one["refunded_at"], one["refund_id"])
        )
        for refund in in_time:
            order = self.orders.get(refund["order_id"])
            at = order["ordered_at"] if order else refund["refunded_at"]
            rate = self.rate(refund["currency"], at)
            # parts of a line together are worth what the line is
            whole = refund["order_line_id"] or refund["refund_id"]
            before = so_far[whole]
            so_far[whole] += Decimal(refund["amount"])
            amounts[refund["refund_id"]] = rounded(so_far[whole] * rate) - rounded(before * rate)
        return amounts

    def order_amounts(self) -> dict[str, Decimal]:
        """Return the sum of each order's rounded lines."""
        amounts = self.line_amounts()
        totals = dict.fromkeys(self.orders, Decimal(0))
        for line in self.rows["raw_shop.order_lines"]:
            totals[line["order_id"]] += amounts[line["order_line_id"]]
        return totals

    def paid_amounts(self) -> dict[str, Decimal]:
        """Return what stayed paid of each order: its whole price is worth its rounded lines."""
        prices, worth = source_totals(self.rows), self.order_amounts()
        paid = dict.fromkeys(self.orders, Decimal(0))
        for (order_id, currency), amount in self._settled().items():
            order = self.orders[order_id]
            rate = self.rate(currency, order["ordered_at"])
            price = prices[order_id]
            paid[order_id] += rounded(amount * rate)
            if currency == order["currency"] and amount >= price:
                paid[order_id] += worth[order_id] - rounded(price * rate)
        return paid

    def unknown_payments(self) -> dict[str, Decimal]:
        """Return what settled payments for unknown orders add, at the rate of their own day."""
        return {
            row["payment_id"]: rounded(signed(row) * self.rate(row["currency"], row["paid_at"]))
            for row in self.rows["raw_shop.payments"]
            if row["order_id"] not in self.orders and signed(row)
        }

    def _settled(self) -> dict[tuple[str, str], Decimal]:
        settled: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in self.rows["raw_shop.payments"]:
            if row["order_id"] in self.orders:
                settled[row["order_id"], row["currency"]] += signed(row)
        return settled


def signed(payment: dict[str, Any]) -> Decimal:
    """Return what a payment moved, in its currency."""
    if payment["status"] != "settled":
        return Decimal(0)
    return -payment["amount"] if payment["kind"] == "chargeback" else payment["amount"]


def rounded(amount: Decimal) -> Decimal:
    """Round half away from zero to 4 places."""
    return amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def status(due: Decimal, paid: Decimal) -> str:
    """Return the status of payment."""
    if paid == due:
        return "paid"
    if paid > due:
        return "overpaid"
    return "partial" if paid > 0 else "unpaid"
