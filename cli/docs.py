"""`warehouse docs`: the catalogue of the published tables, as a folder or on a port."""

from pathlib import Path

import click

from cli.shared import as_json, examples, print_json, settings_of


@click.command(
    epilog=examples(
        "warehouse docs --serve                 # on http://127.0.0.1:8080, until Ctrl-C",
        "warehouse docs --output ./catalogue    # a folder: open its index.html",
        "warehouse docs --version v000001 --output ./before",
    )
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where to write it; by default the folder `docs` in the warehouse's home.",
)
@click.option("--version", metavar="VERSION", help="An earlier version than the current one.")
@click.option("--serve", "serves", is_flag=True, help="Show it on a port, until Ctrl-C.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    metavar="PORT",
    help="With --serve: where on 127.0.0.1; 0 takes one that is free.",
)
@as_json
@click.pass_context
def docs(
    ctx: click.Context,
    *,
    output: Path | None,
    version: str | None,
    serves: bool,
    port: int,
    as_json: bool,
) -> None:
    """Write the catalogue: every published table and column, what it means, and its lineage.

    It is one page that needs no network, and holds names, types and descriptions, no rows.
    """
    import warehouse
    from cli.pages import require_own, require_port

    settings = settings_of(ctx)
    # Before dbt is imported and the page built, which takes seconds.
    if serves:
        require_port(port)
    folder = output or settings.home / "docs"
    require_own(folder)
    warehouse.open(version, settings.path).close()

    from orchestration import catalogue

    built = catalogue.build(settings, folder, version)
    if as_json:
        print_json({"folder": built.folder, "version": built.version, "tables": built.tables})
    else:
        click.echo(f"{built.tables} tables of {built.version}: {built.folder / 'index.html'}")
    if serves:
        _serve(built.folder, port)


def _serve(folder: Path, port: int) -> None:
    """Show the folder to this machine alone, until Ctrl-C or SIGTERM."""
    import signal

    from cli.pages import server

    with server(folder, port) as shown:
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
        click.echo(f"http://127.0.0.1:{shown.server_port} (Ctrl-C ends it)", err=True)
        try:
            shown.serve_forever()
        except KeyboardInterrupt:
            click.echo("ended", err=True)
