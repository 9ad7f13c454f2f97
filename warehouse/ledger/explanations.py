"""Explain what an order line earns an affiliate, so that anybody can compute it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import warehouse
from extractors.errors import ConfigError
from warehouse.config import Settings
from warehouse.ledger.currencies import smallest

CENT, BASE = Decimal("0.01"), Decimal("0.0001")
LINE = "SELECT * FROM affiliate.conversions WHERE order_line_id = ?"
OF_ORDER = (
    "SELECT order_line_id FROM affiliate.conversions WHERE order_id = ?"
    " ORDER BY length(order_line_id), order_line_id"
)
SOLD = (
    "SELECT order_line_id = ? AS is_line FROM core.order_lines WHERE ? IN (order_line_id, order_id)"
    " ORDER BY is_line DESC LIMIT 1"
)
# One row per posting: the account on the other side only mirrors it.
MOVEMENTS = """
SELECT effective_at, posted_at, entry_type, account, -amount AS amount, currency, period,
  cause_type, cause_id, affiliate_id, posted_at IS NOT NULL AS is_posted
FROM affiliate.commission_ledger
WHERE order_line_id = ? AND account <> 'commission_expense' AND entry_type <> 'maturity'
  OR order_line_id = ? AND account = 'affiliate_payable' AND entry_type = 'maturity'
ORDER BY effective_at, entry_type, entry_id
"""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A row of affiliate.conversions, and the entries of the ledger for its line.

    `line` is None where no affiliate brings the line any more, and entries tell of one who did.
    Movements are above 0 where the affiliate gains; a maturity says what became payable.
    """

    version: str
    line: Mapping[str, Any] | None
    movements: list[dict[str, Any]]


def read(settings: Settings, order_line_id: str) -> Explanation:
    """Read the explanation of a line from the current version, ConfigError where it has none."""
    with warehouse.open(config=settings.path) as published:
        lines = _rows(published, LINE, [order_line_id])
        movements = _rows(published, MOVEMENTS, [order_line_id, order_line_id])
        if not lines and not movements:
            raise _unexplained(published, order_line_id)
        return Explanation(published.version, lines[0] if lines else None, movements)


def _unexplained(published: Any, name: str) -> ConfigError:
    """Return why there is no explanation: an order, a line that nobody brought, or neither."""
    brought = [row["order_line_id"] for row in _rows(published, OF_ORDER, [name])]
    if brought:
        return ConfigError(
            f"{name} is an order; name one of its lines that an affiliate brought:"
            f" {', '.join(brought)}"
        )
    sold = _rows(published, SOLD, [name, name])
    if not sold:
        return ConfigError(
            f"{published.version} knows no order line {name}; `warehouse sql 'select order_line_id"
            " from affiliate.conversions'` lists those that an affiliate brought"
        )
    what = "order line" if sold[0]["is_line"] else "order"
    return ConfigError(
        f"no affiliate brought the {what} {name} in {published.version}: it has no affiliate's"
        " coupon, and before it is no click that counts within its window; held clicks are in"
        " affiliate.clicks, where validity <> 'valid'"
    )


def evaluate(line: Mapping[str, Any]) -> Decimal:
    """Compute the commission of a line anew from what explains it, in the payout currency.

    The amount less its share of discounts and without VAT, to 4 places, is the base; base, rate
    and rate of exchange are multiplied exactly and rounded once, half away from zero, to cents (to
    whole units where a currency has none); a cap leaves at most so much. Of an affiliate whom the
    shop has deleted stands what was posted.
    """
    if line["reason"] is not None:
        return Decimal("0.00")
    if line["rate_rule"] == "posted":
        return line["uncapped_amount"]
    # base, rate and rate of exchange have 20 decimals together
    with localcontext(prec=60):
        paid = max(line["line_amount"] - line["discount_share"], Decimal(0))
        base = (paid / (1 + line["vat_rate"])).quantize(BASE, ROUND_HALF_UP)
        exact = base * line["rate"] * line["fx_rate"]
        amount = exact.quantize(smallest(line["currency"]), ROUND_HALF_UP).quantize(CENT)
    return amount if line["cap_left"] is None else min(amount, line["cap_left"])


def _rows(published: Any, query: str, values: list[Any]) -> list[dict[str, Any]]:
    result = published.execute(query, values)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
