"""`warehouse decide`: what people decide about affiliates' clicks, lines and balances."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import click

from cli.shared import as_json, examples, may_wait, print_json, print_table, settings_of

Command = TypeVar("Command", bound=Callable[..., Any])


class Amount(click.ParamType):
    """An amount of money with at most two decimals, not 0."""

    name = "amount"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            amount = Decimal(value)
            is_amount = amount == round(amount, 2) and 0 < abs(amount) < Decimal(10) ** 12
        except (InvalidOperation, OverflowError):
            amount, is_amount = Decimal(0), False
        if not is_amount:
            self.fail(f"{value!r} is not an amount such as -12.50", param, ctx)
        return amount


class Pair(click.Option):
    """An option of two names, one of which has to be given."""

    def get_error_hint(self, ctx: click.Context | None) -> str:  # noqa: ARG002  click's signature
        return " or ".join(f"'{name}'" for name in (*self.opts, *self.secondary_opts))


class WithAmount(click.Command):
    """A command whose last argument is an amount: one below 0 is no option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        below = [
            place
            for place, text in enumerate(args)
            if re.fullmatch(r"-[\d.,]+", text) and args[place - 1] not in {"--reason", "--wait"}
        ]
        if "--" not in args:
            others = [text for place, text in enumerate(args) if place not in below]
            args = [*others, "--", *(args[place] for place in below)]
        return super().parse_args(ctx, args)


def _with_reason(command: Command) -> Command:
    """Give a command --reason, --wait and --json."""
    option = click.option(
        "--reason",
        required=True,
        metavar="TEXT",
        help="Why, for the record; it stands beside the author.",
    )
    return option(may_wait(as_json(command)))


@click.group(
    epilog=examples(
        "warehouse decide click c-123 --valid --reason 'asked the partner, a campaign mail'",
        "warehouse decide adjust ann -12.50 --reason 'double payment in March'",
        "warehouse decide list",
    )
)
def decide() -> None:
    """Decide about an affiliate's click, line or balance; each decision is kept with its reason.

    A decision is never changed or deleted: a later one about the same click takes its place, and
    amounts add up. The next `warehouse run` acts on it.
    """


@decide.command(
    "click",
    epilog=examples(
        "warehouse decide click c-123 --valid --reason 'asked the partner, a campaign mail'",
        "warehouse decide click c-124 --held --reason 'same device as c-123'",
    ),
)
@click.argument("click_id", metavar="CLICK")
@click.option(
    "--valid/--held",
    "is_valid",
    cls=Pair,
    required=True,
    help="Whether it counts, or is held.",
)
@_with_reason
@click.pass_context
def decide_click(
    ctx: click.Context, *, click_id: str, is_valid: bool, reason: str, wait: float, as_json: bool
) -> None:
    """Let a click count that a rule holds, or hold one that no rule does."""
    settings = settings_of(ctx)

    from warehouse.ledger import decisions, facts

    kind = "click_valid" if is_valid else "click_held"
    _tell(decisions.click(settings, click_id, kind, reason, wait), as_json)
    if not is_valid:
        for lines, amount, currency in facts.paid_by_click(settings, click_id):
            click.echo(
                f"{click_id} earned {amount} {currency} by {lines} order"
                f" line{'s' if lines > 1 else ''} that is paid already: the next run takes it back,"
                " and it is set off against what the affiliate earns next",
                err=True,
            )


@decide.command(
    cls=WithAmount,
    epilog=examples(
        "warehouse decide adjust ann 25 --reason 'bonus agreed on 3 March'",
        "warehouse decide adjust ann -12.50 --reason 'double payment in March'",
    ),
)
@click.argument("affiliate")
@click.argument("amount", type=Amount())
@_with_reason
@click.pass_context
def adjust(
    ctx: click.Context, *, affiliate: str, amount: Decimal, reason: str, wait: float, as_json: bool
) -> None:
    """Add AMOUNT to what AFFILIATE is owed, in their currency; below 0 takes it away.

    The same amount for the same reason is refused the second time.
    """
    settings = settings_of(ctx)

    from warehouse.ledger import decisions

    _tell(decisions.adjust(settings, affiliate, amount, reason, wait), as_json)


@decide.command(
    epilog=examples("warehouse decide forfeit ann --reason 'terms broken, closed on 3 March'")
)
@click.argument("affiliate")
@_with_reason
@click.pass_context
def forfeit(ctx: click.Context, *, affiliate: str, reason: str, wait: float, as_json: bool) -> None:
    """Take away all that is payable to AFFILIATE now; what is in an open payout batch stays.

    What is still in its hold is not touched: decide again when it has become payable.
    """
    settings = settings_of(ctx)

    from warehouse.ledger import decisions

    _tell(decisions.forfeit(settings, affiliate, reason, wait), as_json)


@decide.command(
    "write-off",
    epilog=examples("warehouse decide write-off ann --reason 'left owing 4.10 a year ago'"),
)
@click.argument("affiliate")
@_with_reason
@click.pass_context
def write_off(
    ctx: click.Context, *, affiliate: str, reason: str, wait: float, as_json: bool
) -> None:
    """Let go of what AFFILIATE owes: their negative balance becomes 0."""
    settings = settings_of(ctx)

    from warehouse.ledger import decisions

    _tell(decisions.write_off(settings, affiliate, reason, wait), as_json)


@decide.command(
    epilog=examples("warehouse decide extend 536365-4 --days 30 --reason 'return is on its way'")
)
@click.argument("order_line", metavar="ORDER_LINE")
@click.option(
    "--days",
    type=click.IntRange(min=1, max=366),
    required=True,
    metavar="N",
    help="How many days longer it is held.",
)
@_with_reason
@click.pass_context
def extend(
    ctx: click.Context, *, order_line: str, days: int, reason: str, wait: float, as_json: bool
) -> None:
    """Hold what ORDER_LINE earned for some days longer; once, and only while it is held."""
    settings = settings_of(ctx)

    from warehouse.ledger import decisions

    _tell(decisions.extend(settings, order_line, days, reason, wait), as_json)


@decide.command("list", epilog=examples("warehouse decide list", "warehouse decide list --json"))
@click.option("--affiliate", metavar="ID", help="Only decisions about this affiliate.")
@as_json
@click.pass_context
def list_(ctx: click.Context, affiliate: str | None, as_json: bool) -> None:
    """List all decisions, oldest first, with who decided and why."""
    settings = settings_of(ctx)

    from warehouse.ledger import decisions

    found = [
        one
        for one in decisions.decided(settings.state_directory)
        if affiliate in {None, one["affiliate_id"]}
    ]
    if as_json:
        print_json([_shown(one) for one in found])
        return
    if not found:
        click.echo("nothing was decided yet")
        return
    print_table(
        ("decision", "what", "affiliate", "about", "decided at", "by", "reason"),
        (
            (
                one["decision_id"],
                one["kind"],
                one["affiliate_id"],
                _about(one),
                one["decided_at"],
                one["author"],
                one["reason"],
            )
            for one in found
        ),
    )


def _about(one: dict[str, Any]) -> str:
    if one["amount"] is not None:
        return f"{one['amount']} {one['currency']}"
    if one["days"] is not None:
        return f"{one['order_line_id']}, {one['days']} days"
    return one["click_id"]


SHOWN = (
    *("decision_id", "kind", "affiliate_id", "click_id", "order_line_id", "amount", "currency"),
    *("days", "effective_at", "decided_at", "author", "reason"),
)


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    return {name: one[name] for name in SHOWN}


def _tell(one: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(_shown(one))
        return
    click.echo(
        f"{one['decision_id']}: {one['kind']} of {one['affiliate_id']}, {_about(one)};"
        " the next `warehouse run` acts on it"
    )
