"""Who is at work: the name that decisions are recorded under."""

import getpass
import socket


def who() -> str:
    """Return USER@HOST of this process."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
