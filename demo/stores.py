"""Make the shop's stores hold a state: load them, change them live, go on after a kill.

PostgreSQL comes first, and its one transaction decides what the state is; items, the answers and
the clock's file follow it, each as soon as it is seen to lag. So a kill leaves the old state or the
new one, and the next command makes the rest of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from demo import database, settings, truth
from demo.changes import changes
from demo.content import Content
from demo.orders import OPENED
from demo.place import START_OVER, Place, text_of
from demo.state import MADE_NOW, Arguments, State, clock_after
from extractors.errors import ConfigError, SourceError

Progress = Callable[[str], None]

# The table and the name of the file of items that come from `--clicks`.
CLICKS = ("shop_activity", "clicks")


@contextmanager
def connected(place: Place) -> Iterator[psycopg.Connection]:
    """Connect to the shop's database; SourceError where that or a statement fails."""
    try:
        with psycopg.connect(place.postgres.dsn(database.NAME)) as connection:
            yield connection
    except psycopg.Error as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(f"the shop's PostgreSQL: {reason} (log: {place.postgres.log})") from error


def bring_up(place: Place, arguments: Arguments, progress: Progress) -> State:
    """Start the servers, load what is empty, make good what a kill left; return the state."""
    place.servers.start(progress)
    postgres = place.postgres
    if postgres.cluster != postgres.directory:
        progress(
            f"PostgreSQL's data is in {postgres.cluster}: user nobody cannot enter this folder"
        )
    database.create_database(postgres.dsn())
    with connected(place) as connection:
        state = _kept_state(place, connection, progress)
        content: Content | None = None
        if state is None:
            state = _first_state(place, arguments)
            progress("making up the shop" if arguments.orders is None else "mapping the orders")
            content = Content(arguments, state, place.lines)
            rows = content.rows()
            progress("loading the shop's tables")
            database.load(connection, rows, state)
            del rows  # at scale 10 a hundred megabytes, which the items need more
    _follow(place, arguments, state, content, progress)
    settings.write(place.directory, place.addresses, arguments.seed)
    return state


def follow_failover(place: Place, arguments: Arguments, progress: Progress) -> None:
    """Bring items, answers and clock to what the new primary holds; a standby is not made."""
    with connected(place) as connection:
        state = _kept_state(place, connection, progress)
    if state is not None:
        _serve_items(place, arguments, state, None, progress)
        place.note(state)


def change(place: Place, arguments: Arguments, old: State, new: State, progress: Progress) -> None:
    """Change the running stores from one state to another, as live inserts, updates, deletes."""
    before = Content(arguments, old, place.lines).rows()
    content = Content(arguments, new, place.lines)
    changed = changes(before, content.rows())
    del before
    progress("changing the shop's tables")
    with connected(place) as connection:
        written = database.apply(connection, changed, new)
    for table, counts in written.items():
        said = zip(counts, ("new", "changed", "deleted"), strict=True)
        if any(counts):
            progress(f"{table}: " + ", ".join(f"{count:,} {what}" for count, what in said if count))
    place.settle(new.parts)
    _follow(place, arguments, new, content, progress)


def _kept_state(place: Place, connection: psycopg.Connection, progress: Progress) -> State | None:
    """Return the state that PostgreSQL holds, if any, with the parts on disk made to fit it.

    Says what a failover lost, again until everything followed it.
    """
    state = database.state(connection)
    place.settle(state.parts if state else ())
    if state is None:
        return None
    noted = place.noted()
    lost = "what the standby had not received is lost"
    if noted and noted.now > state.now:
        times = f"from {text_of(noted.now)} to {text_of(state.now)}"
        progress(f"{lost}: the shop's clock goes back {times}, and its items follow")
    elif noted and not set(noted.parts) <= set(state.parts):
        progress(f"{lost}: orders that `demo orders FILE` applies again")
    place.drop_lost(state.parts)
    if list(state.parts) != place.part_names():
        raise ConfigError(f"{place.parts} and PostgreSQL differ; {START_OVER}")
    return state


def _first_state(place: Place, arguments: Arguments) -> State:
    """Return the state to load: the opening one, unless PostgreSQL's data of a later one got lost.

    That happens where they are in the system's temporary folder (see PostgresServer.cluster).
    """
    parts = tuple(place.part_names())
    times = [clock_after(place.lines(part)) for part in parts]
    if arguments.orders is None:
        times.append(MADE_NOW)
    noted = place.noted()
    made_from = OPENED if arguments.orders is None else None
    if noted is not None:
        times.append(noted.now)
        made_from = noted.made_from
    return State(max(times), made_from, parts)


def _follow(
    place: Place, arguments: Arguments, state: State, content: Content | None, progress: Progress
) -> None:
    """Make items, answers and the clock's file those of the state that PostgreSQL holds."""
    _serve_items(place, arguments, state, content, progress)
    place.servers.settle(progress)
    place.note(state)


def _serve_items(
    place: Place, arguments: Arguments, state: State, content: Content | None, progress: Progress
) -> None:
    """Write the items' files when they are of another state, and have them served."""
    dynamodb, version = place.dynamodb, state.version(arguments)
    if dynamodb.version != version or not place.truth.exists():
        progress("making up visits, clicks and carts")
        if arguments.clicks and not dynamodb.has_more(*CLICKS):
            raise ConfigError(f"{dynamodb.directory}: the clicks are gone; {START_OVER}")
        content = content or Content(arguments, state, place.lines)
        # Before the items, whose version then vouches for the answers too.
        truth.write(place.truth, content.truth())
        for table, (put, deleted) in dynamodb.update(version, content.items()).items():
            if put or deleted:
                progress(f"{table}: {put:,} items put, {deleted:,} deleted")
    if dynamodb.is_running() and dynamodb.served != version:
        dynamodb.stop()
    if not dynamodb.is_running():
        progress("starting the DynamoDB emulator")
    dynamodb.start()
