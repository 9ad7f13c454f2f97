"""What can happen to the shop's standby: it lags, is cut off, joins again, takes over."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo import settings
from demo.place import Place
from demo.state import Arguments
from demo.stores import Progress, bring_up, follow_failover
from extractors.errors import ConfigError
from localserver.processes import locked

# PostgreSQL counts recovery_min_apply_delay in milliseconds, in 31 bits.
LONGEST_LAG = 24 * 24 * 60 * 60


def _silent(_: str) -> None:
    return None


def lag(directory: Path, seconds: int, progress: Progress = _silent) -> None:
    """Have the standby show each commit only `seconds` after it; 0 ends that and catches up."""
    if not 0 <= seconds <= LONGEST_LAG:
        allowed = f"0 to {LONGEST_LAG:,} (24 days)"
        raise ConfigError(f"a lag of {seconds:,} s is not allowed; name seconds from {allowed}")
    with _shop(directory) as (place, _):
        servers = place.servers
        servers.lag(seconds, progress)
        if servers.roles.is_cut:
            delay = f"a lag of {seconds} s" if seconds else "no lag"
            progress(f"{delay} will apply after `demo join`")
        elif not seconds:
            progress("the standby shows everything that the primary committed")


def cut(directory: Path, progress: Progress = _silent) -> None:
    """Cut the standby off from the primary: it goes on answering with what it has."""
    with _shop(directory) as (place, _):
        place.servers.cut()
        progress("the standby is cut off: it shows nothing new until `demo join`")


def join(directory: Path, progress: Progress = _silent) -> None:
    """Have both servers running and the standby follow; an old primary becomes the standby."""
    with _shop(directory) as (place, arguments):
        place.servers.uncut()
        bring_up(place, arguments, progress)
        progress("the standby follows the primary")


def promote(directory: Path, progress: Progress = _silent) -> None:
    """Fail over: the primary dies at once and the standby takes its place at its own address.

    What the standby had not received is lost, as with any asynchronous standby; the items and the
    clock go back with it.
    """
    with _shop(directory) as (place, arguments):
        servers = place.servers
        servers.promote(progress)
        settings.write(place.directory, place.addresses, arguments.seed)
        follow_failover(place, arguments, progress)
        progress(f"the primary is now at 127.0.0.1:{servers.primary.port}, and there is no standby")


@contextmanager
def _shop(directory: Path) -> Iterator[tuple[Place, Arguments]]:
    """Hold the shop's lock; ConfigError where there is no shop."""
    place = Place(directory)
    arguments = place.made_from()
    if not place.servers.folder.exists():
        raise ConfigError(f"no demo shop in {place.directory}; run `warehouse demo up` first")
    with locked(place.lock):
        yield place, arguments
