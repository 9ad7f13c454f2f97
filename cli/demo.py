"""`warehouse demo`: a small shop to read from, with real or made-up orders."""

from datetime import datetime, timedelta
from os import PathLike
from pathlib import Path

import click

from cli.shared import Instant, as_json, examples, print_json, print_table

FOLDER = click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where warehouse.yml and .env are written, and var/ is; else the current folder.",
)
FILE = click.Path(path_type=Path)


class Bucket(click.Path):
    """A folder to write to; an empty name, as of a variable that is not set, is refused."""

    def convert(
        self, value: str | PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | PathLike[str]:
        """Return the folder's path."""
        if value == "":
            self.fail("it is empty; name a folder", param, ctx)
        return super().convert(value, param, ctx)


@click.group(
    epilog=examples(
        "warehouse demo up                       # a made-up shop",
        "warehouse demo up --orders retail.csv   # the public Online Retail data",
        "warehouse demo advance --days 1         # a day passes in the shop",
        "warehouse demo orders september.parquet # further orders, as live changes",
        "warehouse demo down --delete            # stop it and remove all it wrote",
    )
)
def demo() -> None:
    """A whole small shop: an embedded PostgreSQL, a DynamoDB emulator, a clock of its own."""


@demo.command(
    epilog=examples(
        "warehouse demo up",
        "warehouse demo up --scale 0.1 --seed 7",
        "warehouse demo up --orders online_retail.xlsx --clicks e-shop_clothing_2008.csv.gz",
    )
)
@click.option(
    "--orders",
    type=FILE,
    metavar="FILE",
    help="Online Retail (UCI 352) as Parquet, CSV or XLSX; without it orders are made up.",
)
@click.option(
    "--clicks",
    type=FILE,
    metavar="FILE",
    help="The e-shop clickstream (UCI 553) as CSV or CSV.gz, put into shop_activity as views.",
)
@click.option(
    "--scale",
    type=float,
    default=1.0,
    show_default=True,
    metavar="N",
    help="Size of a made-up shop; with --orders how many of them get visits and clicks.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, metavar="N", help="Of what is drawn."
)
@click.option(
    "--parameters",
    type=FILE,
    metavar="FILE",
    help="YAML of what the shop is made after, such as late_events: 0.05; else as measured.",
)
@FOLDER
def up(
    orders: Path | None,
    clicks: Path | None,
    scale: float,
    seed: int,
    parameters: Path | None,
    directory: Path,
) -> None:
    """Start the shop, made on the first call and the same at every later one.

    Also writes warehouse.yml and .env, with which `warehouse run` reads it. With other arguments
    than before it changes nothing and asks for `demo down --delete` first.
    """
    from demo.shop import status as status_of
    from demo.shop import up as bring_up

    bring_up(directory, orders, clicks, scale, seed, parameters, progress=click.echo)
    _print_status(status_of(directory))
    click.echo("\nNext: `warehouse run` loads it and publishes a version")


@demo.command(
    epilog=examples("warehouse demo orders september.parquet", "warehouse demo orders later.csv")
)
@click.argument("file", type=FILE)
@FOLDER
def orders(file: Path, directory: Path) -> None:
    """Apply a further part of real orders to the running shop, as live changes.

    New documents, customers and products are inserted; what exists is updated only where the
    file changes it. The shop's clock moves on to after the last document.
    """
    from demo.shop import apply_orders

    apply_orders(directory, file, progress=click.echo)
    click.echo("Next: `warehouse run` loads what changed")


@demo.command(
    epilog=examples("warehouse demo advance --days 1", "warehouse demo advance --hours 6")
)
@click.option(
    "--days", type=click.IntRange(0, 3650), metavar="N", help="Days of 24 hours.  [default: 1]"
)
@click.option(
    "--hours", type=click.IntRange(0, 87_600), metavar="N", help="Hours, beside the days."
)
@FOLDER
def advance(days: int | None, hours: int | None, directory: Path) -> None:
    """Move the shop's clock on, and let happen what happens in a shop meanwhile.

    New orders, payments and visits, late events, refunds, price changes, corrections, deletions:
    all as live changes of the running stores. Thirty times one day is the same as thirty days.
    """
    from demo.shop import advance as go_on

    by = timedelta(days=1 if days is None and hours is None else days or 0, hours=hours or 0)
    go_on(directory, by, progress=click.echo)
    click.echo("Next: `warehouse run` loads what changed")


@demo.command(epilog=examples("warehouse demo lag 3600", "warehouse demo lag 0"))
@click.argument("seconds", type=click.IntRange(0), metavar="SECONDS")
@FOLDER
def lag(seconds: int, directory: Path) -> None:
    """Have the standby show each commit only SECONDS after it; 0 ends that and catches up.

    Seconds of the wall clock, not of the shop's.
    """
    from demo.replication import lag as delay

    delay(directory, seconds, progress=click.echo)
    click.echo("Next: `warehouse run` says how far it is complete, and `demo status` the lag")


@demo.command(epilog=examples("warehouse demo cut", "warehouse demo cut --directory DIR"))
@FOLDER
def cut(directory: Path) -> None:
    """Cut the standby off: it answers, but shows nothing that is committed from now on."""
    from demo.replication import cut as cut_off

    cut_off(directory, progress=click.echo)
    click.echo(
        "Next: `warehouse demo advance`, then `warehouse run` finds no orders of the new day"
    )


@demo.command(epilog=examples("warehouse demo join", "warehouse demo join --directory DIR"))
@FOLDER
def join(directory: Path) -> None:
    """Connect the standby again, and wait until it shows all that the primary has.

    Where the primary's log does not reach back far enough, the standby is copied anew. After
    `promote` this makes the old primary a fresh standby.
    """
    from demo.replication import join as connect

    connect(directory, progress=click.echo)
    click.echo("Next: `warehouse run` loads what was missing")


@demo.command(epilog=examples("warehouse demo promote", "warehouse demo promote --directory DIR"))
@FOLDER
def promote(directory: Path) -> None:
    """Fail over: the primary dies at once, the standby takes its place, at its own address.

    What the standby had not received (after `cut`) is lost: the shop's clock and items go back.
    """
    from demo.replication import promote as fail_over

    fail_over(directory, progress=click.echo)
    click.echo("Next: `warehouse demo join` makes the old primary a standby, or `warehouse run`")


@demo.command(
    epilog=examples(
        "warehouse demo export --to exports",
        "warehouse demo export --to exports --table shop_activity --from 2026-04-01T00:00:00Z",
    )
)
@click.option(
    "--to",
    required=True,
    type=Bucket(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder that stands for the S3 bucket; a second export beside others is fine.",
)
@click.option("--table", "tables", multiple=True, metavar="TABLE", help="Else all tables.")
@click.option(
    "--from",
    "since",
    type=Instant(),
    metavar="TIME",
    help="Only what changed from TIME (ISO 8601, with its zone) to the shop's clock.",
)
@FOLDER
def export(to: Path, tables: tuple[str, ...], since: datetime | None, directory: Path) -> None:
    """Write the DynamoDB tables as AWS exports them to S3: manifests, checksums, gzipped items.

    A full export holds what the tables hold at the shop's clock; with --from it is incremental, and
    each change comes with the item before and after it. Neither asks the emulator.
    """
    from demo.exports import export as write

    write(directory, to, tables, since, progress=click.echo)


@demo.command(epilog=examples("warehouse demo down", "warehouse demo down --delete"))
@click.option("--delete", is_flag=True, help="Also remove the shop's data and configuration.")
@FOLDER
def down(delete: bool, directory: Path) -> None:
    """Stop the shop; its data stay, unless --delete is given."""
    from demo.shop import down as take_down

    take_down(directory, delete, progress=click.echo)


@demo.command(epilog=examples("warehouse demo status", "warehouse demo status --json"))
@as_json
@FOLDER
def status(as_json: bool, directory: Path) -> None:
    """Show the shop's servers, its clock and the rows of each table."""
    from demo.shop import status as status_of

    found = status_of(directory)
    if as_json:
        print_json(found)
    else:
        _print_status(found)


def _standby_line(standby: object) -> str:
    if not isinstance(standby, dict):
        from demo.servers import NO_STANDBY

        return NO_STANDBY
    if not standby["running"]:
        return f"the standby is stopped; it was at {standby['address']}"
    line = f"the standby runs at {standby['address']}"
    if standby["state"] == "cut":
        line += ", cut off from the primary"
    if standby["delayed_s"]:
        line += f", shows each commit {standby['delayed_s']} s later"
    if standby["behind_bytes"]:
        line += f", {standby['behind_bytes']:,} bytes and {standby['replay_lag_s']:.0f} s behind"
    return line


def _print_status(found: dict[str, object]) -> None:
    for name, key in (("postgres", "address"), ("dynamodb", "endpoint")):
        server = found[name]
        if isinstance(server, dict):
            state = "runs at" if server["running"] else "is stopped; it was at"
            click.echo(f"{name} {state} {server[key]}")
    click.echo(_standby_line(found["standby"]))
    click.echo(f"the shop's clock is at {found['clock']}")
    tables = found["tables"]
    if isinstance(tables, list) and tables:
        click.echo()
        rows = [(table["source"], table["table"], table["rows"]) for table in tables]
        print_table(("source", "table", "rows"), rows)
