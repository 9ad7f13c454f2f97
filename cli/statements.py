"""`warehouse close-statements` and `warehouse statement`: what affiliates are owed, by month."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from cli.restate import Month
from cli.shared import as_json, examples, may_wait, print_json, print_table, settings_of

FIGURES = ("opening", "matured", "reversals", "adjustments", "payouts", "closing", "payable")


@click.command(
    "close-statements",
    epilog=examples(
        "warehouse close-statements --period 2026-03",
        "warehouse close-statements --period 2026-03 --wait 0 --json",
        "warehouse sql 'select * from affiliate.statements order by period, affiliate_id'",
    ),
)
@click.option(
    "--period",
    type=Month(),
    required=True,
    metavar="YYYY-MM",
    help="The month; the first that is open.",
)
@may_wait
@as_json
@click.pass_context
def close_statements(ctx: click.Context, period: date, wait: float, as_json: bool) -> None:
    """Close a month: number and freeze each affiliate's statement, from what is posted.

    A month can close from its end plus the longest hold of its plans, with a version as of then.
    Months close in their order, and what comes later counts in the next open one. Closing a month
    again changes nothing. `warehouse payouts export` then pays what is payable.
    """
    settings = settings_of(ctx)

    from warehouse.ledger import statements

    done = statements.close(settings, period, wait)
    if as_json:
        print_json(
            {"period": f"{period:%Y-%m}", "is_new": done.is_new, "statements": done.statements}
        )
        return
    count = len(done.statements)
    name = f"{count:,} statement{'s' * (count != 1)}"
    click.echo(f"{period:%Y-%m} is closed: {name}" if done.is_new else _known(period, name))
    if done.statements:
        _print(done.statements)


def _known(period: date, name: str) -> str:
    return f"{period:%Y-%m} was closed before and stays as it is: {name}"


def _print(rows: Any) -> None:
    print_table(
        ("number", "affiliate", *FIGURES, "currency", "due", "status"),
        (
            (
                row["statement_number"],
                row["affiliate_id"],
                *(row[name] for name in FIGURES),
                row["currency"],
                row["due_date"],
                row["status"],
            )
            for row in rows
        ),
    )


@click.command(
    epilog=examples(
        "warehouse statement S-2026-03-0001",
        "warehouse statement S-2026-03-0001 --to ann.html",
        "warehouse statement S-2026-03-0001 --json",
    )
)
@click.argument("number")
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it as one HTML page that reads on a phone and prints; a file there is replaced.",
)
@as_json
@click.pass_context
def statement(ctx: click.Context, number: str, to: Path | None, as_json: bool) -> None:
    """Show a closed statement with its lines, and check it against its content hash.

    Each line tells its order, rate, base and amount, and what moved later for the same order line.
    """
    settings = settings_of(ctx)

    from warehouse.ledger import statement_lines

    found = statement_lines.read(settings, number)
    if to is not None:
        from zoneinfo import ZoneInfo

        from warehouse.ledger import statement_page

        statement_page.write(found, to, ZoneInfo(settings.warehouse.reporting_time_zone))
        click.echo(f"{number} written to {to}", err=True)
    if as_json:
        print_json(found)
    elif to is None:
        _print([found.statement])
        click.echo()
        print_table(
            ("at", "what", "order", "line", "rate", "base", "amount", "moved later"),
            (
                (
                    line.effective_at,
                    line.entry_type,
                    line.order_id,
                    line.order_line_id,
                    line.rate,
                    line.base_amount,
                    line.amount,
                    line.later_amount,
                )
                for line in found.lines
            ),
        )
        click.echo(f"\ncontent hash {found.statement['content_hash']}, as its lines say")
