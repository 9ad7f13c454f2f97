"""What can happen to the shop's standby: it lags, is cut off, joins again, takes over."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from demo import settings
from demo.place import Place
from demo.processes import locked
from demo.servers import Servers
from extractors.errors import ConfigError

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    return None


def lag(directory: Path, seconds: int, progress: Progress = _silent) -> None:
    """Have the standby show each commit only `seconds` after it; 0 ends that and catches up."""
    with _servers(directory) as servers:
        servers.lag(seconds, progress)
        if not seconds:
            progress("the standby shows everything that the primary committed")


def cut(directory: Path, progress: Progress = _silent) -> None:
    """Cut the standby off from the primary: it goes on answering with what it has."""
    with _servers(directory) as servers:
        servers.cut()
        progress("the standby is cut off: it shows nothing new until `demo join`")


def join(directory: Path, progress: Progress = _silent) -> None:
    """Have both servers running and the standby follow; an old primary becomes the standby."""
    with _servers(directory) as servers:
        servers.join(progress)
        _write_addresses(directory)
        progress("the standby follows the primary")


def promote(directory: Path, progress: Progress = _silent) -> None:
    """Fail over: the primary dies at once and the standby takes its place at its own address.

    What the standby had not received is lost, as with any asynchronous standby.
    """
    with _servers(directory) as servers:
        servers.promote(progress)
        _write_addresses(directory)
        progress(f"the primary is now at 127.0.0.1:{servers.primary.port}, and there is no standby")


def _write_addresses(directory: Path) -> None:
    place = Place(directory)
    arguments = place.arguments()
    if arguments is not None:
        settings.write(place.directory, place.addresses, arguments.seed)


@contextmanager
def _servers(directory: Path) -> Iterator[Servers]:
    """Hold the shop's lock; ConfigError where there is no shop."""
    place = Place(directory)
    if place.arguments() is None or not place.servers.folder.exists():
        raise ConfigError(f"no demo shop in {place.directory}; run `warehouse demo up` first")
    with locked(place.lock):
        yield place.servers
