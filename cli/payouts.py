"""`warehouse payouts`: pay affiliates by files, and learn what became of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.shared import as_json, examples, may_wait, print_json, print_table, settings_of

if TYPE_CHECKING:
    from warehouse.config import Settings

A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(
    epilog=examples(
        "warehouse payouts export --to pay.csv",
        "warehouse payouts import results.csv",
        "warehouse payouts match results.csv",
        "warehouse payouts list",
    )
)
def payouts() -> None:
    """Pay affiliates what closed statements make payable, and record what became of it.

    Amounts come from what is posted, whatever version is shown.
    """


@payouts.command(
    epilog=examples(
        "warehouse payouts export --to pay.csv",
        "warehouse payouts export --to again.csv --batch 3",
    )
)
@click.option(
    "--to",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The file; one that exists and holds something else is not replaced.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv"]),
    default="csv",
    show_default=True,
    help="The form of the file.",
)
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    metavar="N",
    help="Write the file of this earlier batch again, with the same ids.",
)
@click.option(
    "--after-restore",
    is_flag=True,
    help="Confirm that payments exported after the backup that was restored are accounted for.",
)
@may_wait
@as_json
@click.pass_context
def export(
    ctx: click.Context,
    *,
    to: Path,
    form: str,  # noqa: ARG001  one form so far; the option leaves room for more
    batch: int | None,
    after_restore: bool,
    wait: float,
    as_json: bool,
) -> None:
    """Write what can be paid now to FILE, one payment per affiliate and currency.

    The payments are recorded as a batch before the file is written: what is in it is in no other
    batch, unless it fails. Killed in between, the same command writes the same batch.
    """
    settings = settings_of(ctx)

    from warehouse.ledger import payouts as paying

    done = paying.export(settings, to, batch=batch, after_restore=after_restore, wait=wait)
    if as_json:
        print_json(done)
        return
    if done.batch is None:
        click.echo(f"nothing can be paid now; no file is written: {_why_nothing(settings)}")
        return
    again = "" if done.is_new else ", recorded before"
    click.echo(f"batch {done.batch}{again}: {_count(len(done.payments))} written to {to}")
    totals: dict[str, Any] = {}
    for one in done.payments:
        totals[one.currency] = totals.get(one.currency, 0) + one.amount
    for currency, amount in sorted(totals.items()):
        click.echo(f"  {amount:,f} {currency}")


@payouts.command(
    "import",
    epilog=examples(
        "warehouse payouts import results.csv", "warehouse payouts import results.csv --json"
    ),
)
@click.argument("file", type=A_FILE)
@may_wait
@as_json
@click.pass_context
def import_(ctx: click.Context, file: Path, wait: float, as_json: bool) -> None:
    """Record what the payment provider says became of payments, and post the money that moved.

    FILE is CSV with the columns payout_id, status (paid or failed), amount, currency and paid_at.
    What failed can be paid again by the next batch; what failed after it was paid came back. A file
    may come as often as it likes. If one row cannot be, nothing of the file is imported.
    """
    settings = settings_of(ctx)

    from warehouse.ledger import results

    done = results.import_file(settings, file, wait)
    if as_json:
        print_json(done)
        return
    click.echo(
        f"{file}: {done.paid:,} paid, {done.failed:,} failed, {done.bounced:,} came back,"
        f" {done.known:,} known before"
    )


@payouts.command(
    epilog=examples(
        "warehouse payouts match results.csv", "warehouse payouts match results.csv --json"
    )
)
@click.argument("file", type=A_FILE)
@as_json
@click.pass_context
def match(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Compare our payments, the provider's FILE and the shop's refunds; tell each difference.

    Exit code 1 where one has no known cause. Nothing is changed.
    """
    settings = settings_of(ctx)

    from warehouse.ledger import matching

    found = matching.match(settings, file)
    if as_json:
        print_json(
            {
                "payments": found.payments,
                "rows": found.rows,
                "refunds": found.refunds,
                "unexplained": found.unexplained,
                "differences": [
                    {
                        "subject": one.subject,
                        "affiliate_id": one.affiliate_id,
                        "cause": one.cause,
                        "is_explained": one.is_explained,
                        "ours": one.ours,
                        "theirs": one.theirs,
                        "row": one.row,
                    }
                    for one in found.differences
                ],
            }
        )
    else:
        click.echo(
            f"{_count(found.payments)}, {_count(found.rows, 'row')} of {file} and"
            f" {_count(found.refunds, 'refund')} of lines with commission:"
            f" {_count(len(found.differences), 'difference')},"
            f" {found.unexplained:,} without a known cause"
        )
        if found.differences:
            print_table(
                ("about", "affiliate", "ours", "theirs", "row", "known", "cause"),
                (
                    (
                        one.subject,
                        one.affiliate_id,
                        one.ours,
                        one.theirs,
                        one.row,
                        one.is_explained,
                        one.text,
                    )
                    for one in found.differences
                ),
            )
    if found.unexplained:
        ctx.exit(1)


@payouts.command(
    "list",
    epilog=examples("warehouse payouts list", "warehouse payouts list --outcome open --json"),
)
@click.option(
    "--outcome",
    type=click.Choice(["open", "paid", "failed", "bounced"]),
    help="Only payments that ended like this.",
)
@as_json
@click.pass_context
def list_(ctx: click.Context, outcome: str | None, as_json: bool) -> None:
    """List all payments with their batch and how they ended."""
    settings = settings_of(ctx)

    from warehouse.ledger import payments

    found = [
        one
        for one in payments.payments(settings.state_directory).values()
        if outcome in {None, one.outcome}
    ]
    if as_json:
        print_json(found)
        return
    if not found:
        click.echo("no such payments")
        return
    print_table(
        ("payout", "batch", "affiliate", "amount", "currency", "statement", "outcome", "since"),
        (
            (
                one.payout_id,
                one.batch,
                one.affiliate_id,
                one.amount,
                one.currency,
                one.statement_number,
                one.outcome,
                one.at or one.exported_at,
            )
            for one in found
        ),
    )


def _why_nothing(settings: "Settings") -> str:
    from warehouse.ledger import payments, statements

    state = settings.state_directory
    under_way = [one for one in payments.payments(state).values() if one.outcome == "open"]
    if under_way:
        batches = ", ".join(str(number) for number in sorted({one.batch for one in under_way}))
        return (
            f"{_count(len(under_way))} of batch {batches} wait for the provider's results;"
            " `warehouse payouts export --batch` writes a file again, `import` takes the results"
        )
    if not statements.closed(state):
        return "no month is closed yet; `warehouse close-statements` makes what was earned payable"
    return (
        "what closed statements hold is paid, not due yet, less than the least payout, or of an"
        " affiliate who is not active; affiliate.payable tells which"
    )


def _count(number: int, what: str = "payment") -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
