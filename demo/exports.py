"""Export the demo shop's DynamoDB tables as AWS does, without asking the emulator."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from demo import dynamodb_export
from demo.content import Content
from demo.dynamodb_export import Export
from demo.place import Place, text_of
from demo.state import MADE_NOW, Arguments, State, clock_after
from demo.tables import DYNAMODB_TABLES
from extractors.errors import ConfigError
from localserver.processes import locked

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    return None


def export(
    directory: Path,
    to: Path,
    tables: Collection[str] = (),
    since: datetime | None = None,
    progress: Progress = _silent,
) -> None:
    """Export `tables` (else all) as they are at the shop's clock into `to`, the bucket.

    With `since`, an instant, the export is incremental: what changed between then and the clock,
    with the images from before and after. ConfigError for an unknown table, for a time outside the
    shop's, and where the files do not hold the state of the shop.
    """
    unknown = sorted(set(tables) - DYNAMODB_TABLES.keys())
    if unknown:
        message = f"--table {unknown[0]}: no such table"
        raise ConfigError(f"{message}; the demo has {', '.join(DYNAMODB_TABLES)}")
    place = Place(directory)
    arguments, state = place.arguments(), place.noted()
    if arguments is None or state is None:
        raise ConfigError(f"no demo shop in {place.directory}; run `warehouse demo up` first")
    with locked(place.lock):
        dynamodb = place.dynamodb
        if dynamodb.version != state.version(arguments):
            raise ConfigError(f"{dynamodb.directory} lags; run `warehouse demo up` first")
        earlier = None
        if since is not None:
            earlier = _content_at(place, arguments, state, since).items()
        for table in tables or DYNAMODB_TABLES:
            before = None if earlier is None else dynamodb.with_more(table, earlier[table])
            items = dynamodb.items(table)
            try:
                one = Export(to.resolve(), table, state.now, since)
                count = dynamodb_export.write(one, items, before)
            except OSError as error:
                reason = error.strerror or type(error).__name__
                message = f"--to {to}: {reason}; name a folder that can be written"
                raise ConfigError(message) from error
            what = "items" if since is None else "changes"
            progress(f"{table}: {count:,} {what} in {to / one.key}")


def _content_at(place: Place, arguments: Arguments, state: State, at: datetime) -> Content:
    """Return what the shop held at an earlier time of its clock.

    A file of orders counts from the first midnight after its last document on.
    """
    clocks = [clock_after(place.lines(part)) for part in state.parts]
    opening = MADE_NOW if arguments.orders is None else clocks[0]
    if not opening <= at <= state.now:
        message = f"--from {text_of(at)} is outside the shop's time"
        raise ConfigError(f"{message}; it goes from {text_of(opening)} to {text_of(state.now)}")
    parts = tuple(part for part, clock in zip(state.parts, clocks, strict=True) if clock <= at)
    is_living = state.made_from is not None and state.made_from < at
    made_from = state.made_from if is_living else None
    return Content(arguments, replace(state, now=at, made_from=made_from, parts=parts), place.lines)
