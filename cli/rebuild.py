"""`warehouse rebuild`: a side version from what raw knew at an instant."""

import re
from datetime import datetime
from typing import Any

import click

from cli.shared import Instant, as_json, examples, may_wait, print_json, settings_of, time_text


class Known(Instant):
    """An instant, or the name of a version."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and re.fullmatch(r"v\d{6,}", value):
            return value
        return super().convert(value, param, ctx)


@click.command(
    epilog=examples(
        "warehouse rebuild --known-at v000001",
        "warehouse rebuild --known-at 2011-09-01T00:00:00Z",
        "warehouse diff v000001 r000001",
        "warehouse rebuild --remove r000001",
    )
)
@click.option(
    "--known-at",
    type=Known(),
    metavar="INSTANT|VERSION",
    help="Use what had landed by then; of a version: when it was published.",
)
@click.option(
    "--as-of",
    type=Instant(),
    metavar="INSTANT",
    help="What the side version is for. By default that of the newest version published by then.",
)
@may_wait
@click.option("--remove", metavar="NAME", help="Remove a side version instead.")
@as_json
@click.pass_context
def rebuild(
    ctx: click.Context,
    *,
    known_at: datetime | str | None,
    as_of: datetime | None,
    wait: float,
    remove: str | None,
    as_json: bool,
) -> None:
    """Build a version aside from what raw knew at an instant, with the present models.

    It is audited like any version and has a name of its own, `r000001`, that `sql --version`,
    `diff` and `warehouse.open` take. Nothing is extracted, readers keep what they see, and it never
    becomes the current version. A failed audit (exit code 1) writes nothing.
    """
    if (known_at is None) == (remove is None):
        raise click.UsageError("give --known-at, or --remove", ctx)
    settings = settings_of(ctx)
    if remove is not None:
        from warehouse.publish import side

        side.remove(settings, remove)
        click.echo(f"removed {remove}", err=as_json)
        return
    from cli.progress import reporter
    from warehouse import config

    config.require_available(settings)

    from orchestration import rebuild as orchestrated

    assert known_at is not None
    with reporter() as tell:
        made = orchestrated.rebuild(settings, known_at, as_of=as_of, wait=wait, tell=tell)
    if as_json:
        print_json(made.to_dict())
        return
    click.echo(
        f"{made.version} as of {time_text(made.as_of)}, from what raw knew at"
        f" {time_text(made.known_at)}; readers keep what they see"
    )
    click.echo(
        f"  warehouse sql --version {made.version} compares it by hand, `warehouse diff` by key"
    )
