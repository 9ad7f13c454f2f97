"""`warehouse export related-products` and `recommendations`: to files, or back to the shop."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.shared import Command, as_json, examples, print_json, settings_of

if TYPE_CHECKING:
    from warehouse.config import Settings
    from warehouse.export.lists import ListKind, Source

DYNAMODB = "dynamodb://"


def _options(command: Command) -> Command:
    """Give a command what both kinds of lists take."""
    for option in (
        click.option(
            "--to",
            required=True,
            metavar="PLACE",
            help="dynamodb://TABLE, or a file ending in .csv or .jsonl.",
        ),
        click.option(
            "--version", metavar="VERSION", help="An earlier version than the current one."
        ),
        click.option(
            "--grace",
            type=click.IntRange(min=0),
            metavar="MINUTES",
            help="How long superseded items stay; else exports.dynamodb.grace_minutes.",
        ),
        click.option(
            "--create-table", is_flag=True, help="Make the table, on demand, where there is none."
        ),
        click.option(
            "--dry-run", is_flag=True, help="Count what would be written and what it costs."
        ),
        as_json,
    ):
        command = option(command)
    return command


@click.command(
    "related-products",
    epilog=examples(
        "warehouse export related-products --to related.jsonl",
        "warehouse export related-products --to dynamodb://recommendations --dry-run",
        "warehouse export related-products --to dynamodb://recommendations",
    ),
)
@_options
@click.pass_context
def related_products(ctx: click.Context, **given: Any) -> None:
    """Write each product's related products to a file, or to a DynamoDB table the shop reads.

    In the table, only lists that changed are written; then a pointer turns to the new set, so that
    readers see the old set whole, or the new one. An export that was killed is gone on with.
    """
    _export(ctx, "related-products", **given)


@click.command(
    epilog=examples(
        "warehouse export recommendations --to recommendations.csv",
        "warehouse export recommendations --to dynamodb://recommendations --grace 120",
    )
)
@_options
@click.pass_context
def recommendations(ctx: click.Context, **given: Any) -> None:
    """Write each customer's recommendations to a file, or to a DynamoDB table the shop reads.

    In the table, only lists that changed are written; then a pointer turns to the new set, so that
    readers see the old set whole, or the new one. An export that was killed is gone on with.
    """
    _export(ctx, "recommendations", **given)


def _export(
    ctx: click.Context,
    name: str,
    *,
    to: str,
    version: str | None,
    grace: int | None,
    create_table: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    from warehouse.export import files, lists

    table = to.removeprefix(DYNAMODB)
    is_table = to.startswith(DYNAMODB)
    if is_table and not table:
        raise click.UsageError(f"--to {to}: name the table, as dynamodb://recommendations", ctx)
    if not is_table and "://" in to:
        raise click.UsageError(
            f"--to {to.partition('://')[0]}://: no such scheme; name dynamodb://TABLE, or a file"
            " ending in .csv or .jsonl",
            ctx,
        )
    if not is_table:
        if grace is not None or create_table or dry_run:
            raise click.UsageError(
                "--grace, --create-table and --dry-run are for dynamodb://TABLE", ctx
            )
        files.check(Path(to))
    settings = settings_of(ctx)
    source = lists.opened(settings, version)
    with source.published:
        kind = lists.KINDS[name]
        names = lists.columns(source, kind)
        if is_table:
            write = partial(_to_table, grace=grace, create_table=create_table, dry_run=dry_run)
            write(settings, source, kind, table, as_json)
            return
        rows = files.write(Path(to), names, lists.rows(source, kind))
    click.echo(f"{rows:,} rows written to {to} (version {source.version})", err=True)
    if as_json:
        print_json({"version": source.version, "as_of": source.as_of, "rows": rows, "file": to})


def _to_table(
    settings: "Settings",
    source: "Source",
    kind: "ListKind",
    table: str,
    as_json: bool,
    *,
    grace: int | None,
    create_table: bool,
    dry_run: bool,
) -> None:
    """Write the lists to the table, or say what that would do, and print it."""
    from extractors.dynamodb.client import dynamodb_client
    from extractors.dynamodb.writing import ItemTable
    from extractors.errors import ConfigError
    from warehouse.export import lists, write_back

    place = settings.dynamodb_export()
    if place is None:
        raise ConfigError(
            f"{settings.path}: there is not just one DynamoDB source to take the region from; say"
            " exports.dynamodb.region"
        )
    items = ItemTable(dynamodb_client(*place, attempts=2), table)
    is_new = items.check(create=create_table, dry_run=dry_run)
    facts = write_back.Facts(kind.name, kind.key, source.version, source.as_of)
    contents = partial(lists.contents, source, kind)
    if dry_run:
        done = write_back.price(items, facts, contents)
    else:
        minutes = settings.exports.dynamodb.grace_minutes if grace is None else grace
        done = write_back.write_back(
            items,
            facts,
            contents,
            home=settings.home,
            grace=timedelta(minutes=minutes),
            tell=_progress(table),
        )
    if is_new:
        made = "would be created" if dry_run else "created"
        click.echo(f"table {table} {made}, billed on demand", err=True)
    verb = "would be written" if dry_run else "written"
    click.echo(
        f"{done.changed:,} of {done.lists:,} lists {verb} to {table}, {done.removed:,} removed,"
        f" {done.write_units:,} write units (version {source.version},"
        f" readers see set {done.set})",
        err=True,
    )
    if as_json:
        print_json(done)


def _progress(table: str) -> Callable[[int, int], None]:
    """Return what tells of the progress, each time a tenth more is done."""
    told = [0]

    def tell(done: int, of: int) -> None:
        tenth = 10 * done // max(of, 1)
        if tenth > told[0] and of > 1000:
            told[0] = tenth
            click.echo(f"{table}: {done:,} of {of:,} items written", err=True)

    return tell
