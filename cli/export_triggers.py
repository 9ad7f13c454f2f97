"""`warehouse export triggers` and `forget`: e-mails that are due, and whose names are erased."""

from pathlib import Path

import click

from cli.shared import as_json, examples, may_wait, print_json, settings_of


@click.command(
    epilog=examples(
        "warehouse export triggers --to triggers.jsonl",
        "warehouse export triggers --to once-more.jsonl --again 3",
    )
)
@click.option(
    "--to",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The file, ending in .jsonl; one that exists and holds something else is not replaced.",
)
@click.option(
    "--again",
    type=click.IntRange(min=1),
    metavar="BATCH",
    help="Write the file of this earlier batch once more.",
)
@click.option(
    "--after-restore",
    is_flag=True,
    help="Confirm that e-mails handed out after the backup that was restored were read back.",
)
@may_wait
@as_json
@click.pass_context
def triggers(
    ctx: click.Context,
    *,
    to: Path,
    again: int | None,
    after_restore: bool,
    wait: float,
    as_json: bool,
) -> None:
    """Write the trigger e-mails that are due in the published version to FILE, one JSON line each.

    They are recorded as a batch before the file is written, and are in no other batch: no trigger
    is handed out twice. Killed in between, the same command writes the same batch.
    """
    from warehouse.export import triggers as sending

    done = sending.export(settings_of(ctx), to, again=again, after_restore=after_restore, wait=wait)
    if as_json:
        print_json(done)
        return
    waiting = (
        f"; {done.held_back:,} wait for a version that knows what was sent meanwhile"
        if done.held_back
        else ""
    )
    if done.batch is None:
        nothing = f"nothing is due in {done.version}; no file is written"
        if done.last_batch is not None:
            nothing = (
                f"nothing new is due in {done.version}; {done.last_triggers:,} of batch"
                f" {done.last_batch} are handed out; `--again {done.last_batch}` writes the file"
                " again"
            )
        click.echo(f"{nothing}{waiting}")
        return
    known = "" if done.is_new else ", recorded before"
    click.echo(
        f"batch {done.batch}{known}: {done.triggers:,} triggers of {done.version} written to {to}"
        f"{waiting}"
    )


@click.command(epilog=examples("warehouse export forget --customer 4711"))
@click.option(
    "--customer",
    required=True,
    metavar="ID",
    help="The customer_id, as it was handed out: of merged accounts, one after the other.",
)
@may_wait
@as_json
@click.pass_context
def forget(ctx: click.Context, *, customer: str, wait: float, as_json: bool) -> None:
    """Erase a customer from the trigger e-mails that state keeps as handed out.

    Of each is kept that one of its kind left, with hashes that let it not leave again. Erase the
    customer in the shop, run the warehouse and remove older versions and backups as well.
    """
    from warehouse.export import forgetting

    done = forgetting.forget(settings_of(ctx), customer, wait=wait)
    if as_json:
        print_json(done)
        return
    if not done.batches:
        click.echo(f"no batch names customer {customer}: nothing was erased")
        return
    click.echo(f"triggers erased: {done.triggers:,}; batches changed: {done.batches:,}")
