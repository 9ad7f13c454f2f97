"""Bring the demo shop up, apply further orders to it, take it down, say how it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa

from demo import database, settings
from demo.activity import Item
from demo.clickstream import click_items
from demo.content import Content, changes
from demo.generate import made_lines
from demo.orders_file import read_lines
from demo.place import START_OVER, Arguments, Place, sha256_of
from demo.processes import locked
from demo.tables import DYNAMODB_TABLES
from extractors.errors import ConfigError, SourceError

Progress = Callable[[str], None]

# Part of the name of the items' version: raise it when the same orders get other items.
ITEMS_FORMAT = 1

# The table and the name of the file of items that come from `--clicks`.
CLICKS = ("shop_activity", "clicks")


def _silent(_: str) -> None:
    return None


def up(
    directory: Path,
    orders: Path | None = None,
    clicks: Path | None = None,
    scale: float = 1,
    seed: int = 1,
    progress: Progress = _silent,
) -> None:
    """Bring the shop up; with the same arguments again nothing changes, after a kill it goes on."""
    place = Place(directory)
    if scale <= 0:
        raise ConfigError(f"--scale {scale:g} is not above 0; 1 is the usual size")
    arguments = Arguments(
        orders=sha256_of(orders) if orders else None,
        clicks=sha256_of(clicks) if clicks else None,
        scale=float(scale),
        seed=seed,
    )
    if place.arguments() is None:
        settings.refuse_foreign(place.directory)
    with locked(place.lock):
        # Files are read before anything is noted or started: a wrong one leaves no shop behind.
        is_first = place.arguments() is None
        lines = read_lines(orders) if orders and is_first else None
        views = list(click_items(clicks)) if clicks and is_first else None
        place.agree(arguments)
        if not place.part_names():
            name = arguments.orders or f"made{sha256(repr(arguments).encode()).hexdigest()}"
            progress("reading orders" if orders else "making up orders")
            if lines is None:
                lines = read_lines(orders) if orders else made_lines(seed, scale)
            place.write_first(name, lines)
        if clicks and not place.dynamodb.has_more(*CLICKS):
            place.dynamodb.write_more(*CLICKS, views or click_items(clicks))
        _bring_up(place, arguments, progress)


def apply_orders(directory: Path, file: Path, progress: Progress = _silent) -> None:
    """Apply a further part of real orders to the shop as live changes; once per file."""
    place, arguments = _existing(directory)
    name = sha256_of(file)
    with locked(place.lock):
        _bring_up(place, arguments, progress)
        applied = place.part_names()
        if name in applied:
            progress(f"{file} was applied before: nothing to do")
            return
        lines = read_lines(file)
        before = place.lines()
        old = Content(before, arguments)
        new = Content(pa.concat_tables([before, lines]).combine_chunks(), arguments)
        place.write_next(name, lines)
        progress(f"applying {lines.num_rows:,} lines")
        with _connected(place) as connection:
            changed = changes(old.rows, new.rows)
            written = database.apply(connection, changed, [*applied, name], new.clock)
        for table, (inserted, updated) in written.items():
            if inserted or updated:
                progress(f"{table}: {inserted:,} new, {updated:,} changed")
        place.settle([*applied, name])
        _apply_items(place, arguments, old.items(), new.items(), progress)
        place.advance_clock(new.clock)
        progress(f"the shop's clock is at {place.clock.read_text().strip()}")


def down(directory: Path, delete: bool = False, progress: Progress = _silent) -> None:
    """Stop the shop's servers; `delete` also removes all that the demo wrote."""
    place = Place(directory)
    if not place.folder.exists():
        progress(f"no demo shop in {place.directory}")
        return
    with locked(place.lock):
        place.dynamodb.stop()
        if delete:
            place.delete()
            settings.remove(place.directory)
        else:
            place.postgres.stop()
    progress("deleted the demo shop" if delete else "stopped the demo shop; its data is kept")


def status(directory: Path) -> dict[str, Any]:
    """Return how the shop is: servers, clock, rows of each table; no password."""
    place, arguments = _existing(directory)
    postgres, dynamodb = place.postgres, place.dynamodb
    running = {"postgres": postgres.is_running(), "dynamodb": dynamodb.is_running()}
    rows: dict[str, int] = {}
    if running["postgres"]:
        with _connected(place) as connection:
            rows = database.counts(connection)
    items = dynamodb.counts() if running["dynamodb"] else {}
    return {
        "directory": str(place.directory),
        "made_from": "orders" if arguments.orders else "seed",
        "scale": arguments.scale,
        "seed": arguments.seed,
        "parts": len(place.part_names()),
        "clock": place.clock.read_text().strip() if place.clock.exists() else None,
        "postgres": {
            "running": running["postgres"],
            "address": f"postgresql://{postgres.user}@127.0.0.1:{postgres.port}/{database.NAME}",
            "data": str(postgres.data),
        },
        "dynamodb": {
            "running": running["dynamodb"],
            "endpoint": dynamodb.endpoint,
            "items": str(dynamodb.directory),
        },
        "tables": [
            *({"source": "shop", "table": table, "rows": count} for table, count in rows.items()),
            *({"source": "activity", "table": table, "rows": n} for table, n in items.items()),
        ],
    }


@contextmanager
def _connected(place: Place) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(place.postgres.dsn(database.NAME)) as connection:
            yield connection
    except psycopg.Error as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(f"the shop's PostgreSQL: {reason} (log: {place.postgres.log})") from error


def _existing(directory: Path) -> tuple[Place, Arguments]:
    place = Place(directory)
    arguments = place.arguments()
    if arguments is None or not place.part_names():
        raise ConfigError(f"no demo shop in {place.directory}; run `warehouse demo up` first")
    return place, arguments


def _bring_up(place: Place, arguments: Arguments, progress: Progress) -> None:
    """Make everything agree with the applied parts; each step looks at what is there already."""
    postgres = place.postgres
    if not postgres.is_running():
        progress("starting PostgreSQL")
    postgres.start()
    if postgres.cluster != postgres.directory:
        progress(
            f"PostgreSQL's data is in {postgres.cluster}: user nobody cannot enter this folder"
        )
    database.create_database(postgres.dsn())
    with _connected(place) as connection:
        applied = database.parts(connection)
        place.settle(applied)
        names = place.part_names()
        content = Content(place.lines(), arguments)
        if not applied:
            progress("loading the shop's tables")
            database.load(connection, content.rows, names, content.clock)
        elif applied != names:
            raise ConfigError(f"{place.parts} and PostgreSQL differ; {START_OVER}")
        clock = database.clock(connection)
    _serve_items(place, arguments, content, progress)
    place.advance_clock(clock)
    settings.write(
        place.directory, postgres.dsn(database.NAME), place.dynamodb.endpoint, arguments.seed
    )


def _serve_items(place: Place, arguments: Arguments, content: Content, progress: Progress) -> None:
    """Write the items' files when they are of other orders, and have them served."""
    dynamodb, version = place.dynamodb, _items_version(arguments, place.part_names())
    if dynamodb.version != version:
        progress("making up visits, clicks and carts")
        if arguments.clicks and not dynamodb.has_more(*CLICKS):
            raise ConfigError(f"{dynamodb.directory}: the clicks are gone; {START_OVER}")
        dynamodb.write(version, content.items())
    if dynamodb.is_running() and dynamodb.served != version:
        dynamodb.stop()
    if not dynamodb.is_running():
        progress("starting the DynamoDB emulator")
    dynamodb.start()


def _items_version(arguments: Arguments, parts: list[str]) -> str:
    return sha256(repr((ITEMS_FORMAT, arguments, parts)).encode()).hexdigest()


def _apply_items(
    place: Place,
    arguments: Arguments,
    old: dict[str, list[Item]],
    new: dict[str, list[Item]],
    progress: Progress,
) -> None:
    """Write the files first: after a kill the next command finds them newer than what is served."""
    dynamodb = place.dynamodb
    dynamodb.write(_items_version(arguments, place.part_names()), new)
    for table, names in DYNAMODB_TABLES.items():
        before, after = (
            {tuple(item[name]["S"] for name in names): item for item in items[table]}
            for items in (old, new)
        )
        put = [item for key, item in after.items() if before.get(key) != item]
        delete = [item for key, item in before.items() if key not in after]
        dynamodb.apply(table, put, delete)
        progress(f"{table}: {len(put):,} new")
    dynamodb.mark_served()
