"""Show a folder of pages to this machine."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from extractors.errors import ConfigError


class Pages(SimpleHTTPRequestHandler):
    """Files of one folder, and not a line per request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
        """Say nothing: what was asked for is of nobody's interest."""


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of a folder on 127.0.0.1; ConfigError where the port is taken."""
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(Pages, directory=str(folder)))
    except OSError as error:
        raise _taken(port, error) from None


def require_port(port: int) -> None:
    """Raise ConfigError where a port of 127.0.0.1 is taken, before any work is done to serve it."""
    try:
        ThreadingHTTPServer(("127.0.0.1", port), Pages).server_close()
    except OSError as error:
        raise _taken(port, error) from None


def _taken(port: int, error: OSError) -> ConfigError:
    return ConfigError(
        f"port {port} of 127.0.0.1 cannot be used ({error.strerror}); name another with --port"
    )


def require_own(folder: Path) -> None:
    """Raise ConfigError where a folder holds anything but an earlier catalogue."""
    own = {"index.html", "manifest.json", "catalog.json"}
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: is a file; name a folder for the catalogue")
    if folder.is_dir() and (other := sorted({path.name for path in folder.iterdir()} - own)):
        raise ConfigError(
            f"{folder}: holds {other[0]}, which is no part of a catalogue; name an empty folder"
        )
