"""`warehouse explain-commission`: why an order line earns an affiliate what it earns."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from cli.shared import as_json, examples, print_json, print_table, settings_of, time_text
from extractors.errors import AuditError


@click.command(
    "explain-commission",
    epilog=examples(
        "warehouse explain-commission 600217-1",
        "warehouse explain-commission 600217-1 --json",
        "warehouse sql 'select * from affiliate.conversions where reason is not null'",
    ),
)
@click.argument("order_line")
@as_json
@click.pass_context
def explain_commission(ctx: click.Context, order_line: str, as_json: bool) -> None:
    """Say whose ORDER_LINE is, by which click and window, and how its commission comes about.

    The amount is computed anew from what is printed, and the command fails where it differs; later
    movements are the entries of the ledger. All is of the current version: affiliate.conversions
    has the same in columns.
    """
    settings = settings_of(ctx)

    from warehouse.ledger import explanations

    found = explanations.read(settings, order_line)
    if found.line is not None:
        again = explanations.evaluate(found.line)
        if again != found.line["commission_amount"]:
            raise AuditError(
                f"the commission of {order_line} is {found.line['commission_amount']}, and what"
                f" explains it gives {again}: run `warehouse run --full-refresh` and report it"
            )
    if as_json:
        print_json({"version": found.version, "line": found.line, "movements": found.movements})
        return
    if found.line is None:
        last = found.movements[-1]["affiliate_id"]
        click.echo(
            f"no affiliate brings the order line {order_line} any more, as {found.version} knows"
            f" it: {last} did, until a click was held, an order corrected or a rule changed;"
            f" `warehouse decide list --affiliate {last}` lists what people decided"
        )
    else:
        for name, text in _facts(found.line):
            click.echo(f"{name:<12}{text}")
    if found.movements:
        click.echo()
        print_table(
            (
                "at",
                "affiliate",
                "what",
                "account",
                "amount",
                "currency",
                "month",
                "cause",
                "posted",
            ),
            (
                (
                    one["effective_at"],
                    one["affiliate_id"],
                    one["entry_type"],
                    one["account"],
                    one["amount"],
                    one["currency"],
                    f"{one['period']:%Y-%m}",
                    f"{one['cause_type']} {one['cause_id']}",
                    one["posted_at"] if one["is_posted"] else "with this version",
                )
                for one in found.movements
            ),
        )


def _facts(line: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "line", f"{line['order_line_id']} of order {line['order_id']}, {_at(line['ordered_at'])}"
    yield "affiliate", f"{line['affiliate_id']} by {line['attribution_rule']}"
    if line["coupon_code"]:
        yield "coupon", line["coupon_code"]
    if line["click_id"]:
        yield "click", f"{line['click_id']}, {_at(line['clicked_at'])}"
    ends = f"{line['window_hours']} hours to {_at(line['window_ends_at'])}"
    yield "window", f"{ends}, by the rule {line['window_rule']}"
    yield "status", line["status"] + (f": {line['reason']}" if line["reason"] else "")
    if line["self_referral_rule"]:
        yield "own order", line["self_referral_rule"]
    if line["plan_id"]:
        yield "plan", f"{line['plan_id']}, tier {line['tier']}{_tier(line)}"
    less = f"{line['line_amount']} less {line['discount_share']} of the order's discounts"
    vat = f", without {line['vat_rate'] * 100:f} % VAT" if line["vat_rate"] else ""
    yield "base", f"{line['base_amount']} {line['order_currency']}: {less}{vat}"
    yield "rate", f"{line['rate']} by the rule {line['rate_rule']}"
    if line["fx_rate"] is not None:
        yield "exchange", f"{line['fx_rate']} {line['currency']} per {line['order_currency']}"
        exact = line["base_amount"] * line["rate"] * line["fx_rate"]
        yield "exact", f"{exact:f} {line['currency']}"
    if line["cap_left"] is not None:
        yield "cap", f"leaves {line['cap_left']} {line['currency']}"
    yield "commission", f"{line['commission_amount']} {line['currency']}"
    yield "due", f"{line['due_amount']} {line['currency']} after refunds and chargebacks"
    held = f", held since {_at(line['held_since'])}" if line["held_since"] else ""
    yield "matures", f"{_at(line['matures_at'])}{held}"


def _tier(line: Mapping[str, Any]) -> str:
    if line["tier_statement"] is None:
        return ""
    return f" by the net sales {line['tier_sales']} of statement {line['tier_statement']}"


def _at(instant: Any) -> str:
    return time_text(instant)
