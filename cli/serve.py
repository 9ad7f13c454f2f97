"""`warehouse serve`: a PostgreSQL of the warehouse's own, where BI tools connect."""

import signal
import threading
from typing import TYPE_CHECKING

import click

from cli.shared import as_json, examples, print_json, settings_of
from extractors.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from warehouse.config import Settings


@click.command(
    epilog=examples(
        "warehouse serve                        # until Ctrl-C",
        "warehouse serve --detach --json        # in the background; prints the address",
        "warehouse serve --rotate-password      # readers need the new address from now on",
        "warehouse serve --stop",
    )
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Where it listens on 127.0.0.1; by default one that is free, and the same ever after.",
)
@click.option("--detach", is_flag=True, help="Leave it running in the background.")
@click.option("--stop", "stops", is_flag=True, help="Stop it.")
@click.option(
    "--delete",
    "deletes",
    is_flag=True,
    help="With --stop: remove its data, port and passwords too.",
)
@click.option(
    "--rotate-password", "rotates", is_flag=True, help="Give readers a new password first."
)
@as_json
@click.pass_context
def serve(
    ctx: click.Context,
    *,
    port: int | None,
    detach: bool,
    stops: bool,
    deletes: bool,
    rotates: bool,
    as_json: bool,
) -> None:
    """Let BI tools connect to the published version by PostgreSQL's protocol.

    Needs `publication.postgres: embedded`. It starts the server, or takes over one that a killed
    `serve` left, brings it the version that readers should see, and prints the address of the role
    `bi_reader`, which may only read. Versions published while it runs are shown there at once,
    others when it starts again.
    """
    settings = settings_of(ctx)
    if settings.publication.postgres != "embedded":
        raise ConfigError(
            f"{settings.path.name}: `warehouse serve` needs publication.postgres: embedded"
        )
    if stops and (port or detach or rotates):
        raise click.UsageError("--stop goes with --delete and --json alone", ctx)
    if deletes and not stops:
        raise click.UsageError("--delete goes with --stop", ctx)

    from warehouse.serve import embedded

    if stops:
        ran = embedded.stop(settings, deletes=deletes)
        if as_json:
            print_json({"stopped": ran})
        else:
            click.echo("stopped" if ran else "it did not run")
        return
    if rotates:
        embedded.rotate(settings)
    # From here on a SIGTERM ends it as Ctrl-C does: with the server stopped.
    over = threading.Event()
    if not detach:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
    _start(settings, port, as_json)
    if not detach:
        _wait(settings, over)


def _start(settings: "Settings", port: int | None, as_json: bool) -> None:
    from warehouse.publish import status, versions
    from warehouse.serve import embedded

    endpoint = embedded.start(settings, port)
    versions.catch_up(settings)
    shown = next(t for t in status.targets_of(settings) if t["name"] == "postgres")
    if as_json:
        print_json({"dsn": endpoint.dsn, "version": shown["version"]})
    else:
        click.echo(f"readers connect to {endpoint.dsn}")
        click.echo(f"they see {shown['version'] or 'nothing yet: nothing is published'}")
    if shown["problem"]:
        click.echo(f"target postgres: {shown['problem']}", err=True)


def _wait(settings: "Settings", over: threading.Event) -> None:
    """Wait for the end, which comes by a signal, or by a server that stopped."""
    from warehouse.serve import embedded

    server = embedded.server(settings)
    try:
        while not over.wait(1):
            if not server.is_running():
                raise SourceError(f"the embedded PostgreSQL stopped; its log is {server.log}")
    finally:
        embedded.stop(settings)
