"""`warehouse rollback` and `warehouse publish`: choose the version that readers see."""

from typing import TYPE_CHECKING

import click

from cli.shared import as_json, examples, print_json, settings_of, time_text

if TYPE_CHECKING:
    from warehouse.publish.versions import Version


@click.command(epilog=examples("warehouse rollback", "warehouse rollback v000003"))
@click.argument("version", required=False)
@as_json
@click.pass_context
def rollback(ctx: click.Context, version: str | None, as_json: bool) -> None:
    """Show an earlier version at once, or a later one again, and hold it there.

    VERSION is the one before the current by default. Runs go on building and auditing, and
    readers keep seeing it, until `warehouse publish --resume`.
    """
    settings = settings_of(ctx)

    from warehouse.publish import versions

    _print_shown(versions.rollback(settings, version), "held until `publish --resume`", as_json)


@click.command(epilog=examples("warehouse publish --resume"))
@click.option("--resume", is_flag=True, required=True, help="End a hold.")
@as_json
@click.pass_context
def publish(ctx: click.Context, resume: bool, as_json: bool) -> None:  # noqa: ARG001  required
    """Show the newest version again after a rollback."""
    settings = settings_of(ctx)

    from warehouse.publish import versions

    _print_shown(versions.resume(settings), "the newest", as_json)


def _print_shown(version: "Version", why: str, as_json: bool) -> None:
    if as_json:
        print_json(version.to_dict())
    else:
        click.echo(f"readers see {version.version} as of {time_text(version.as_of)} ({why})")
