"""`warehouse export graph`, `check-graph`, `interactions`: for Amazon Neptune and Personalize."""

from pathlib import Path

import click

from cli.shared import as_json, examples, print_json, settings_of

# Written out, because --help must not import the warehouse; a test compares them with its own.
FORMATS = ("gremlin", "opencypher")


@click.command(
    epilog=examples(
        "warehouse export graph --to graph",
        "warehouse export graph --to graph --format opencypher --file-mb 100",
    )
)
@click.option(
    "--to",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder; an earlier graph in it is replaced whole.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="gremlin",
    show_default=True,
    help="The loader's format; both can be queried with either language.",
)
@click.option(
    "--file-mb",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    metavar="MB",
    help="About how large a file may be: Neptune loads several at once.",
)
@click.option("--version", metavar="VERSION", help="An earlier version than the current one.")
@as_json
@click.pass_context
def graph(
    ctx: click.Context, to: Path, form: str, file_mb: int, version: str | None, as_json: bool
) -> None:
    """Write customers, products and what is between them as Neptune bulk-load CSV.

    Customers bought, carted, wished, clicked and viewed products; customers have neighbours of like
    taste; products are related. Visitors whom nobody knows are left out. The folder is checked
    against the loader's rules before it takes its name.
    """
    from warehouse.export import graph as graphs

    done = graphs.export(settings_of(ctx), to, form, file_mb * 1_000_000, version)
    click.echo(
        f"{sum(done.vertices.values()):,} vertices and {sum(done.edges.values()):,} edges in"
        f" {done.files:,} files written to {to} (version {done.version})",
        err=True,
    )
    if as_json:
        print_json(done)


@click.command("check-graph", epilog=examples("warehouse export check-graph graph"))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@as_json
def check_graph(folder: Path, as_json: bool) -> None:
    """Check a folder of CSV files against the rules of Neptune's bulk loader.

    Exit code 1 with the first problems by file and line: headers, unique ids, ends of edges, types,
    UTF-8, RFC 4180. It follows the documents of both formats; it is not the loader.
    """
    from warehouse.export import neptune_check

    checked = neptune_check.require_valid(folder)
    click.echo(
        f"{folder}: {sum(checked.vertices.values()):,} vertices and"
        f" {sum(checked.edges.values()):,} edges, as the loader wants them",
        err=True,
    )
    if as_json:
        print_json({"vertices": checked.vertices, "edges": checked.edges})


@click.command(
    epilog=examples(
        "warehouse export interactions --to interactions.csv",
        "warehouse export interactions --to interactions.csv --with-anonymous",
    )
)
@click.option(
    "--to",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file, ending in .csv; one that exists is replaced in one step.",
)
@click.option(
    "--with-anonymous", is_flag=True, help="Also of visitors whom nobody knows, by visitor id."
)
@click.option(
    "--consented", is_flag=True, help="Only of customers who agreed to marketing messages."
)
@click.option("--version", metavar="VERSION", help="An earlier version than the current one.")
@as_json
@click.pass_context
def interactions(
    ctx: click.Context,
    to: Path,
    with_anonymous: bool,
    consented: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """Write interactions with products as Amazon Personalize imports them.

    The columns are USER_ID, ITEM_ID, TIMESTAMP (epoch seconds), EVENT_TYPE and EVENT_VALUE (the
    interaction's weight), oldest first; only those of known customers unless told otherwise.
    """
    from warehouse.export import personalize

    if with_anonymous and consented:
        raise click.UsageError("--consented knows nothing of visitors: drop --with-anonymous", ctx)
    done = personalize.export(
        settings_of(ctx), to, anonymous=with_anonymous, consented=consented, version=version
    )
    click.echo(
        f"{done.rows:,} interactions written to {to}, {done.left_out:,} left out"
        f" (version {done.version})",
        err=True,
    )
    if as_json:
        print_json(done)
