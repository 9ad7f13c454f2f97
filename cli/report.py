"""`warehouse report`: pages for managers, from a published version."""

from pathlib import Path

import click

from cli.shared import as_json, examples, print_json, settings_of, time_text

DOMAINS = ("campaign", "affiliate", "recommendation")


@click.command(
    epilog=examples(
        "warehouse report",
        "warehouse report affiliate --to /srv/reports",
        "warehouse report --version v000001 --to before",
    )
)
@click.argument("domains", nargs=-1, type=click.Choice(DOMAINS), metavar="[DOMAIN]...")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to write them; else the folder `report` in the warehouse's home.",
)
@click.option("--version", metavar="VERSION", help="An earlier version than the current one.")
@as_json
@click.pass_context
def report(
    ctx: click.Context,
    domains: tuple[str, ...],
    to: Path | None,
    version: str | None,
    as_json: bool,
) -> None:
    """Write HTML pages about campaigns, affiliates and recommendations; of all by default.

    Each page stands alone, without scripts and network: it can be sent by e-mail, printed, and read
    on a phone. `index.html` leads to them and says what vouches for the figures. The figures are of
    the last four weeks that were over, compared with the four before.
    """
    settings = settings_of(ctx)

    from warehouse.report import writing

    done = writing.write(settings, domains or DOMAINS, to or settings.home / "report", version)
    if as_json:
        print_json(done)
        return
    click.echo(f"version {done.version} as of {time_text(done.as_of)}:")
    for file in done.files:
        click.echo(file)
