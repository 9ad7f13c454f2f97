"""Bring the demo shop up, move it on, take it down, say how it is."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from shlex import quote
from typing import Any

from demo import database, settings
from demo.clickstream import click_items
from demo.orders_file import read_lines
from demo.parameters import Parameters, read
from demo.place import Place, sha256_of, text_of
from demo.state import Arguments, clock_after
from demo.stores import CLICKS, Progress, bring_up, change, connected
from extractors.errors import ConfigError
from localserver.processes import locked

LONGEST_STEP = timedelta(days=3650)
BIGGEST = 100  # of a made-up shop; its rows and items are made in memory


def _silent(_: str) -> None:
    return None


def up(
    directory: Path,
    orders: Path | None = None,
    clicks: Path | None = None,
    scale: float = 1,
    seed: int = 1,
    parameters: Path | None = None,
    progress: Progress = _silent,
) -> None:
    """Bring the shop up; with the same arguments again nothing changes, after a kill it goes on.

    `parameters` is a YAML file of what differs from the measured figures of demo/parameters.py.
    """
    place = Place(directory)
    if not 0 < scale <= BIGGEST:
        wrong = f"is above {BIGGEST}" if scale > BIGGEST else "is not above 0"
        size = "1 is the usual size, about 2,000 orders and 97,000 items"
        raise ConfigError(f"--scale {scale:g} {wrong}; {size}")
    arguments = Arguments(
        orders=sha256_of(orders) if orders else None,
        clicks=sha256_of(clicks) if clicks else None,
        scale=float(scale),
        seed=seed,
        parameters=(read(parameters) if parameters else Parameters()).as_dict(),
    )
    if place.arguments() is None:
        settings.refuse_foreign(place.directory)
    with locked(place.lock):
        # Files are read before anything is noted or started: a wrong one leaves no shop behind.
        is_first = place.arguments() is None
        lines = read_lines(orders) if orders and is_first else None
        views = list(click_items(clicks)) if clicks and is_first else None
        place.agree(arguments)
        if orders and arguments.orders and not place.part_names():
            progress("reading orders")
            first = read_lines(orders) if lines is None else lines
            place.write_first(arguments.orders, first)
        if clicks and not place.dynamodb.has_more(*CLICKS):
            place.dynamodb.write_more(*CLICKS, views or click_items(clicks))
        bring_up(place, arguments, progress)


def apply_orders(directory: Path, file: Path, progress: Progress = _silent) -> None:
    """Apply a further part of real orders to the shop as live changes; once per file.

    The clock moves on to after the last document of the file, and never back.
    """
    place, arguments = _existing(directory)
    name = sha256_of(file)
    # Before anything is started or made good: a wrong file changes nothing.
    lines = None if name in place.part_names() else read_lines(file)
    with locked(place.lock):
        old = bring_up(place, arguments, progress)
        if name in old.parts:
            progress(f"{file} was applied before: nothing to do")
            return
        lines = read_lines(file) if lines is None else lines
        place.write_next(name, lines)
        progress(f"applying {lines.num_rows:,} lines")
        now = max(old.now, clock_after(lines))
        change(place, arguments, old, replace(old, now=now, parts=(*old.parts, name)), progress)
        progress(f"the shop's clock is at {text_of(now)}")


def advance(directory: Path, by: timedelta, progress: Progress = _silent) -> None:
    """Move the shop's clock on by `by`, and let happen in its stores what happened meanwhile.

    A shop of real orders makes up its life from where its clock was at the first advance. Many
    short steps give the same shop as one long step.
    """
    if by <= timedelta():
        raise ConfigError("the clock only moves forwards: advance by at least 1 hour")
    if by > LONGEST_STEP:
        raise ConfigError(f"advance by {LONGEST_STEP.days:,} days at most")
    place, arguments = _existing(directory)
    with locked(place.lock):
        old = bring_up(place, arguments, progress)
        new = replace(old, now=old.now + by, made_from=old.made_from or old.now)
        progress(f"the shop goes on from {text_of(old.now)} to {text_of(new.now)}")
        change(place, arguments, old, new, progress)
        progress(f"the shop's clock is at {text_of(new.now)}")


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
            place.servers.stop()
    progress("deleted the demo shop" if delete else "stopped the demo shop; its data is kept")
    kept = sorted(path.name for path in place.home.iterdir()) if delete else []
    if kept:
        home = directory / place.home.name
        what = f"{home} stays, the warehouse's own: {', '.join(kept)}"
        progress(f"{what}; `rm -r {quote(str(home))}` removes it, published versions too")


def status(directory: Path) -> dict[str, Any]:
    """Return how the shop is: servers, clock, rows of each table; no password."""
    place, arguments = _existing(directory)
    servers, dynamodb = place.servers.status(database.NAME), place.dynamodb
    is_serving_items = dynamodb.is_running()
    rows: dict[str, int] = {}
    if servers["primary"]["running"]:
        with connected(place) as connection:
            rows = database.counts(connection)
    items = dynamodb.counts() if is_serving_items else {}
    return {
        "directory": str(place.directory),
        "made_from": "orders" if arguments.orders else "seed",
        "scale": arguments.scale,
        "seed": arguments.seed,
        "parts": len(place.part_names()),
        "clock": place.clock.read_text().strip() if place.clock.exists() else None,
        "postgres": servers["primary"],
        "standby": servers["standby"],
        "dynamodb": {
            "running": is_serving_items,
            "endpoint": dynamodb.endpoint,
            "items": str(dynamodb.directory),
        },
        "tables": [
            *({"source": "shop", "table": table, "rows": count} for table, count in rows.items()),
            *({"source": "activity", "table": table, "rows": n} for table, n in items.items()),
        ],
    }


def _existing(directory: Path) -> tuple[Place, Arguments]:
    place = Place(directory)
    return place, place.made_from()
