"""`warehouse replay-commissions`: what affiliates would have earned under other plans."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.shared import (
    Day,
    as_json,
    examples,
    may_wait,
    print_json,
    print_table,
    settings_of,
    time_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.replay_commissions import Difference


@click.command(
    "replay-commissions",
    epilog=examples(
        "warehouse replay-commissions --write-plans plans.csv",
        "warehouse replay-commissions --plans plans.csv --from 2026-03-01 --to 2026-06-01",
        "warehouse replay-commissions --plans plans.csv --from 2026-03-01 --to 2026-06-01 --json",
    ),
)
@click.option(
    "--plans",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="All plans that would have held: CSV with the columns that --write-plans writes.",
)
@click.option(
    "--from",
    "first",
    type=Day(),
    metavar="YYYY-MM-DD",
    help="The first day of the orders that are compared, in the reporting time zone.",
)
@click.option(
    "--to",
    "before",
    type=Day(),
    metavar="YYYY-MM-DD",
    help="The day after the last one.",
)
@click.option(
    "--write-plans",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the plans in force into FILE instead, to change them there.",
)
@may_wait
@as_json
@click.pass_context
def replay_commissions(
    ctx: click.Context,
    *,
    plans: Path | None,
    first: date | None,
    before: date | None,
    write_plans: Path | None,
    wait: float,
    as_json: bool,
) -> None:
    """Compare what affiliates earn under the plans in force and under those of a FILE.

    The clicks, orders, rules and refunds of the newest build are judged again under either: windows
    and holds count, too, so that a line may fall to another affiliate. Tiers go by the statements
    as they were closed. Nothing is posted or published, and the state stays as it is.
    """
    asked = (plans, first, before)
    if (write_plans is None) != all(asked) or (write_plans is not None and any(asked)):
        raise click.UsageError("give --plans, --from and --to, or --write-plans", ctx)
    if first and before and first >= before:
        raise click.UsageError(f"--to {before} is not after --from {first}", ctx)
    settings = settings_of(ctx)

    from orchestration import replay_commissions as orchestrated

    if write_plans is not None:
        count = orchestrated.write_plans(settings, write_plans, wait=wait)
        click.echo(f"{count} plans written to {write_plans}", err=as_json)
        return
    assert plans is not None
    assert first is not None
    assert before is not None
    found = orchestrated.replay(settings, plans, first=first, before=before, wait=wait)
    if as_json:
        print_json(
            {
                "as_of": found.as_of,
                "from": first,
                "to": before,
                "affiliates": [one.to_dict() for one in found.differences],
            }
        )
        return
    click.echo(
        f"lines ordered from {first} to before {before}, as of {time_text(found.as_of)};"
        " due after refunds and chargebacks"
    )
    _print_differences(found.differences)


def _print_differences(found: "Sequence[Difference]") -> None:
    totals: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for one in found:
        figures = (one.due_in_force, one.due_replayed, one.difference)
        totals[one.currency] = [a + b for a, b in zip(totals[one.currency], figures, strict=True)]
    print_table(
        ("affiliate", "lines", "changed", "due in force", "due replayed", "difference", ""),
        [
            *(
                (
                    one.affiliate_id,
                    one.lines,
                    one.changed_lines,
                    one.due_in_force,
                    one.due_replayed,
                    one.difference,
                    one.currency,
                )
                for one in found
            ),
            *(
                (
                    "all",
                    sum(one.lines for one in found if one.currency == currency),
                    sum(one.changed_lines for one in found if one.currency == currency),
                    *figures,
                    currency,
                )
                for currency, figures in sorted(totals.items())
            ),
        ],
    )
