"""`warehouse serve`: a PostgreSQL of the warehouse's own, where BI tools connect."""

import itertools
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
        "warehouse serve --detach --reader finance   # prints the address of that reader",
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
    "--reader",
    metavar="NAME",
    help="Print the address of this one of publication.readers instead of bi_reader's.",
)
@click.option(
    "--rotate-password", "rotates", is_flag=True, help="Give that reader a new password first."
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
    reader: str | None,
    rotates: bool,
    as_json: bool,
) -> None:
    """Let BI tools connect to the published version by PostgreSQL's protocol.

    Needs `publication.postgres: embedded`. It starts the server, or takes over one that a killed
    `serve` left, brings it the version that readers should see, and prints the address of the role
    `bi_reader`, which may only read. Versions published while it runs are shown there at once,
    others when it starts again.

    With --reader and --rotate-password it also gives a reader of a PostgreSQL that others run a
    password, where the publisher may: it is printed once and kept nowhere.
    """
    settings = settings_of(ctx)
    if stops and (port or detach or rotates or reader):
        raise click.UsageError("--stop goes with --delete and --json alone", ctx)
    if deletes and not stops:
        raise click.UsageError("--delete goes with --stop", ctx)

    from warehouse.engines.postgres_catalog import READER
    from warehouse.serve import embedded, readers

    if stops:  # whatever the configuration says by now
        ran = embedded.stop(settings, deletes=deletes)
        if as_json:
            print_json({"stopped": ran})
        else:
            click.echo("stopped" if ran else "it did not run")
        return
    role = readers.require_reader(settings, reader) if reader else READER
    if settings.publication.postgres != "embedded":
        _let_in(settings, reader if rotates and not (port or detach) else None, as_json)
        return
    if rotates:
        embedded.rotate(settings, role)
    # From here on a SIGTERM ends it as Ctrl-C does: with the server stopped.
    over = threading.Event()
    if not detach:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
    _start(settings, port, role, as_json)
    if not detach:
        _wait(settings, over)


def _let_in(settings: "Settings", reader: str | None, as_json: bool) -> None:
    """Give a reader of a server that others run a new password, and print its address."""
    from warehouse.publish import postgres_target
    from warehouse.serve import readers

    if reader is None or settings.publication.postgres is None:
        raise ConfigError(
            f"{settings.path.name}: `warehouse serve` needs publication.postgres: embedded; at"
            " another server it only gives a reader a password, by --reader NAME --rotate-password"
        )

    _show_version(settings, readers.let_in(postgres_target.address(settings), reader), as_json)


def _start(settings: "Settings", port: int | None, role: str, as_json: bool) -> None:
    from warehouse.serve import embedded

    embedded.start(settings, port, lambda line: click.echo(line, err=True))
    _show_version(settings, embedded.endpoint(settings, role).dsn, as_json)


def _show_version(settings: "Settings", dsn: str, as_json: bool) -> None:
    """Bring the server what readers should see, and print an address to see it at."""
    from warehouse.publish import status, versions

    versions.catch_up(settings)
    shown = next(t for t in status.targets_of(settings) if t["name"] == "postgres")
    if as_json:
        print_json({"dsn": dsn, "version": shown["version"]})
    else:
        click.echo(f"readers connect to {dsn}")
        click.echo(f"they see {shown['version'] or 'nothing yet: nothing is published'}")
    if shown["problem"]:
        click.echo(f"target postgres: {shown['problem']}", err=True)


def _wait(settings: "Settings", over: threading.Event) -> None:
    """Wait for the end, which comes by a signal, or by a server that stopped."""
    from warehouse.serve import embedded

    server = embedded.server(settings)
    try:
        for second in itertools.count(1):
            if over.wait(1):
                return
            if not server.is_running():
                raise SourceError(f"the embedded PostgreSQL stopped; its log is {server.log}")
            if second % 60 == 0:
                embedded.end_overlong(settings)
    finally:
        embedded.stop(settings)
