"""`warehouse run`: everything from the sources to the next version."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import click

from cli.shared import (
    Instant,
    as_json,
    examples,
    may_wait,
    print_json,
    print_table,
    settings_of,
    time_text,
)
from cli.status import print_lagging

if TYPE_CHECKING:
    from orchestration.run import RunResult
    from warehouse.config import Settings


@click.command(
    epilog=examples(
        "warehouse run",
        "warehouse run --select shop --select activity.campaign_events",
        "warehouse run --full-refresh shop.orders",
        "warehouse run --as-of 2011-09-01T00:00:00Z --json",
    )
)
@click.option(
    "--select",
    multiple=True,
    metavar="SOURCE[.TABLE]",
    help="Read only these; may be repeated. Without it every table is read.",
)
@click.option(
    "--full-refresh",
    multiple=True,
    metavar="SOURCE[.TABLE]",
    help="Read these whole again instead of what changed; may be repeated.",
)
@click.option(
    "--as-of",
    type=Instant(),
    metavar="INSTANT",
    help="What the version is for: nothing later is in it. By default the full hour that all"
    " sources are complete up to.",
)
@may_wait
@as_json
@click.pass_context
def run(
    ctx: click.Context,
    *,
    select: Sequence[str],
    full_refresh: Sequence[str],
    as_of: datetime | None,
    wait: float,
    as_json: bool,
) -> None:
    """Extract, load, certify, build, audit and publish.

    The same Dagster job that the schedule runs, in this process. When nothing is new it publishes
    nothing. Killed at any point, it is simply run again.
    """
    from warehouse import config

    settings = settings_of(ctx)
    config.require_available(settings)
    config.selection(settings, [*select, *full_refresh])

    from cli.progress import reporter
    from orchestration import run as orchestrated

    with reporter() as tell:
        result = orchestrated.run(
            settings, select=select, full_refresh=full_refresh, as_of=as_of, wait=wait, tell=tell
        )
    if as_json:
        print_json(result.to_dict())
    else:
        _print_summary(result)
        print_lagging(result.targets, result.held or result.version)
    if as_of and result.published and not result.held:
        warn_if_earlier(settings)


def warn_if_earlier(settings: "Settings") -> None:
    """Say that readers now see less than before, where a version is of an earlier time."""
    from warehouse.publish import versions

    newest, *former = islice(versions.publications(settings), 2)
    for record in former:
        if datetime.fromisoformat(newest["as_of"]) < datetime.fromisoformat(record["as_of"]):
            click.echo(
                f"warning: readers now see nothing after {time_text(newest['as_of'])};"
                f" {record['version']} was as of {time_text(record['as_of'])}:"
                f" `warehouse rollback {record['version']}` shows it again, and a run without"
                " --as-of publishes all there is",
                err=True,
            )


def _print_summary(result: "RunResult") -> None:
    if result.tables:
        click.echo()
        print_table(
            ("table", "cell", "mode", "read", "new", "changed", "deleted", "certificate"),
            [
                (
                    f"{table['source']}.{table['entity']}",
                    table["cell"],
                    table["mode"],
                    table["rows"],
                    table["inserted"],
                    table["updated"],
                    table["deleted"],
                    table["certificate"],
                )
                for table in result.tables
            ],
        )
        if result.rejected:
            click.echo(
                f"{result.rejected:,} rejected row{'s are' if result.rejected > 1 else ' is'} open;"
                " `warehouse quarantine list` says why"
            )
        click.echo()
    as_of = time_text(result.as_of)
    if not result.published:
        shown = f" (readers see {result.held}, held)" if result.held else ""
        click.echo(f"nothing new: {result.version} stays the version as of {as_of}{shown}")
    elif result.held:
        click.echo(
            f"{result.version} as of {as_of} is built and audited; readers keep {result.held}"
            " until `warehouse publish --resume`"
        )
    else:
        click.echo(f"published {result.version} as of {as_of}")
