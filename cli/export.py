"""`warehouse export`: files for other services, from the published version."""

from pathlib import Path

import click

from cli.export_graph import check_graph, graph, interactions
from cli.export_lists import recommendations, related_products
from cli.export_triggers import forget, triggers
from cli.shared import as_json, examples, print_json, settings_of

# Written out, because --help must not import the warehouse; a test compares them with its own.
SEGMENTS = ("clicked-not-bought", "lapsed", "high-value")


@click.group()
def export() -> None:
    """Write files for other services from the published version, or lists back to the shop."""


export.add_command(related_products)
export.add_command(recommendations)
export.add_command(graph)
export.add_command(check_graph)
export.add_command(interactions)
export.add_command(triggers)
export.add_command(forget)


@export.command(
    epilog=examples(
        "warehouse export audience --segment clicked-not-bought --campaign newsletter --to a.csv",
        "warehouse export audience --segment lapsed --days 90 --to lapsed.jsonl",
        "warehouse export audience --segment high-value --to best.csv --json",
    )
)
@click.option(
    "--segment",
    required=True,
    type=click.Choice(SEGMENTS),
    help="Who: came by a campaign and did not order since; ordered, but not lately; or the fifth"
    " of the buyers that brought most.",
)
@click.option("--campaign", metavar="ID", help="The campaign, for clicked-not-bought.")
@click.option(
    "--days",
    type=click.IntRange(min=1, max=36_500),
    metavar="N",
    help="How many days before the version's as_of: 30 for clicked-not-bought, 60 for lapsed.",
)
@click.option(
    "--to",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file, ending in .csv or .jsonl; one that exists is replaced in one step.",
)
@click.option("--version", metavar="VERSION", help="An earlier version than the current one.")
@as_json
@click.pass_context
def audience(
    ctx: click.Context,
    segment: str,
    campaign: str | None,
    days: int | None,
    to: Path,
    version: str | None,
    as_json: bool,
) -> None:
    """Write the customers of a segment who agreed to marketing messages to FILE.

    The columns are customer_id and email_hash, the keyed hash of the address; the address itself is
    nowhere in the warehouse. A segment of fewer than 10 such customers is refused.
    """
    from warehouse.export import audience as audiences

    chosen = audiences.SEGMENTS[segment]
    if chosen.needs_campaign and not campaign:
        raise click.UsageError(f"--segment {segment} needs --campaign", ctx)
    if campaign and not chosen.needs_campaign:
        raise click.UsageError(f"--segment {segment} takes no --campaign", ctx)
    if days and chosen.days is None:
        raise click.UsageError(f"--segment {segment} takes no --days", ctx)
    done = audiences.export(
        settings_of(ctx), segment, to, campaign=campaign, days=days, version=version
    )
    click.echo(
        f"{done.exported:,} of {done.customers:,} customers written to {to},"
        f" {done.with_email_hash:,} with a hashed address;"
        f" {done.without_consent:,} did not agree to marketing (version {done.version})",
        err=True,
    )
    if as_json:
        print_json(done)
