"""`warehouse quarantine`: see, repair and discard the rows that raw cannot hold."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.shared import as_json, examples, print_json, print_table, settings_of, time_text

if TYPE_CHECKING:
    from warehouse.config import Settings
    from warehouse.load.rejected import Entry, Selection

_CHOICE = click.argument("chosen", nargs=-1, metavar="[ID|SOURCE[.TABLE]]...")
_REASON = click.option("--reason", metavar="REASON", help="Only rows that have this reason.")


@click.group(
    epilog=examples(
        "warehouse quarantine list",
        "warehouse quarantine show activity.carts --reason does_not_fit",
        "warehouse quarantine replay activity.carts",
        "warehouse quarantine discard 3f2a9c01 --why 'a test order'",
    )
)
def quarantine() -> None:
    """The rows that raw cannot hold: see, repair and discard them."""


@quarantine.command(
    "list", epilog=examples("warehouse quarantine list", "warehouse quarantine list shop --all")
)
@_CHOICE
@_REASON
@click.option("--all", "with_decided", is_flag=True, help="Also those that are decided.")
@as_json
@click.pass_context
def list_(
    ctx: click.Context,
    *,
    chosen: Sequence[str],
    reason: str | None,
    with_decided: bool,
    as_json: bool,
) -> None:
    """Count the rejected rows by table, reason and field, with an example of each.

    As the last run left them: it answers while a run is working. Without --all only open ones.
    """
    settings = settings_of(ctx)

    from warehouse.load import rejected

    decisions = () if with_decided else ("open",)
    selection = _selection(settings, chosen, reason, decisions)
    with rejected.reading(settings.state_directory) as file:
        groups = rejected.groups(file, selection)
    if as_json:
        print_json(groups)
        return
    if not groups:
        click.echo("no rejected rows" if with_decided else "no open rejected rows")
        return
    print_table(
        ("table", "cell", "reason", "field", "rows", "is", "first seen", "last seen", "example"),
        [
            (
                f"{group.source}.{group.entity}",
                group.cell,
                group.reason,
                group.field,
                group.rows,
                group.decision,
                time_text(group.first_seen_at),
                time_text(group.last_seen_at),
                f"{group.example_id} {group.example_key or ''}",
            )
            for group in groups
        ],
    )


@quarantine.command(
    epilog=examples(
        "warehouse quarantine show 3f2a9c01",
        "warehouse quarantine show activity.carts --reason no_route --json",
    )
)
@_CHOICE
@_REASON
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="How many to print; --json prints all.",
)
@as_json
@click.pass_context
def show(
    ctx: click.Context, *, chosen: Sequence[str], reason: str | None, limit: int, as_json: bool
) -> None:
    """Show rejected rows with what the source sent, personal columns left out.

    An ID shows that row whatever was decided, a name the open rows of a table. The first digits
    of an ID are enough.
    """
    settings = settings_of(ctx)

    from warehouse.load import rejected

    selection = _selection(settings, chosen, reason, () if _identities(chosen) else ("open",))
    with rejected.reading(settings.state_directory) as file:
        found = rejected.entries(file, selection)
    if as_json:
        print_json(found)
        return
    for entry in found[:limit]:
        _print_entry(entry)
    if len(found) > limit:
        click.echo(f"and {len(found) - limit:,} more; --limit {len(found)} shows them")
    if not found:
        click.echo("no open rejected rows")


@quarantine.command(
    epilog=examples(
        "warehouse quarantine replay",
        "warehouse quarantine replay activity.carts --reason does_not_fit",
        "warehouse quarantine replay 3f2a9c01 --why 'price declared as text'",
    )
)
@_CHOICE
@_REASON
@click.option("--why", metavar="TEXT", help="What was repaired, for the record.")
@as_json
@click.pass_context
def replay(
    ctx: click.Context,
    *,
    chosen: Sequence[str],
    reason: str | None,
    why: str | None,
    as_json: bool,
) -> None:
    """Load the rejected rows that fit by now; what still does not stays.

    For after a repair: a type, column or route in warehouse.yml, or a row at its source. Items of
    DynamoDB come from what was kept of them, tables of PostgreSQL are read and certified again.
    Without names all open rows; a discarded one only where its ID is given. Replaying again
    changes nothing. The next `warehouse run` publishes what was loaded.
    """
    from warehouse import config

    settings = settings_of(ctx)
    config.require_available(settings)
    selection = _selection(settings, chosen, reason, ())

    from cli.progress import reporter
    from orchestration import quarantine as orchestrated

    with reporter() as tell:
        done = orchestrated.replay(settings, selection, why, tell)
    if as_json:
        print_json(done)
        return
    for table in done:
        click.echo(
            f"{table.source}.{table.table} ({table.cell}): {table.replayed:,} replayed,"
            f" {table.superseded:,} superseded, {table.open:,} still rejected"
            + (f" ({', '.join(table.reasons)})" if table.reasons else "")
        )
        if table.advice:
            click.echo(f"  {table.advice}")
    if not done:
        click.echo("nothing to replay")


@quarantine.command(
    epilog=examples("warehouse quarantine discard 3f2a9c01 77b0d2e4 --why 'test orders'")
)
@click.argument("identities", nargs=-1, required=True, metavar="ID...")
@click.option("--why", required=True, metavar="TEXT", help="The reason, for the record.")
@as_json
@click.pass_context
def discard(ctx: click.Context, identities: Sequence[str], why: str, as_json: bool) -> None:
    """Mark rejected rows as not wanted; nothing is deleted, and the reason is kept.

    They no longer count as open, however often the source sends them again.
    """
    from warehouse import config

    settings = settings_of(ctx)
    config.require_available(settings)

    from orchestration import quarantine as orchestrated

    discarded = orchestrated.discard(settings, identities, why)
    if as_json:
        print_json(discarded)
        return
    for entry in discarded:
        click.echo(f"{entry.quarantine_id}: discarded")
    if not discarded:
        click.echo("all of them were discarded before")


def _identities(chosen: Sequence[str]) -> tuple[str, ...]:
    return tuple(one for one in chosen if re.fullmatch("[0-9a-f]{4,16}", one))


def _selection(
    settings: "Settings", chosen: Sequence[str], reason: str | None, decisions: tuple[str, ...]
) -> "Selection":
    """Return what the arguments mean; ConfigError for an unknown name."""
    from warehouse import config
    from warehouse.load.rejected import Selection

    identities = tuple(one for one in _identities(chosen) if one not in settings.sources)
    names = tuple(one for one in chosen if one not in identities)
    config.selection(settings, names)
    return Selection(names, identities, reason, decisions)


def _print_entry(entry: "Entry") -> None:
    field = f" {entry.field}" if entry.field else ""
    click.echo(f"{entry.quarantine_id}  {entry.source}.{entry.entity}  {entry.reason}{field}")
    click.echo(f"  cell     {entry.cell}")
    click.echo(f"  key      {entry.row_key or '-'}")
    click.echo(
        f"  seen     {time_text(entry.first_seen_at)} to {time_text(entry.last_seen_at)},"
        f" last by package {entry.load_id}" + (f", {entry.rows:,} rows" * (entry.rows > 1))
    )
    decided = f" {time_text(entry.decided_at)} by {entry.decided_by}" if entry.decided_at else ""
    click.echo(f"  is       {entry.decision}{decided}" + (f": {entry.why}" if entry.why else ""))
    partly = "" if entry.complete else "  (not the whole row)"
    click.echo(f"  payload  {entry.payload}{partly}")
