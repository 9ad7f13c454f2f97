"""Start, recognise and end server processes, and choose ports they can keep."""

import errno
import fcntl
import os
import pwd
import signal
import socket
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from extractors.errors import ConfigError

# Below every usual ephemeral range (Linux 32768.., macOS 49152..): a port that a server keeps
# across restarts must not be handed out to somebody's outgoing connection meanwhile.
FIRST_PORT, LAST_PORT = 20000, 29999


@dataclass(frozen=True, slots=True)
class OtherUser:
    """The unprivileged user a server runs as when root starts it."""

    uid: int
    gid: int


def server_user() -> OtherUser | None:
    """Return `nobody` for root (PostgreSQL refuses to run as root), else None: ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        message = "root cannot run PostgreSQL and this system has no user `nobody`"
        raise ConfigError(f"{message}; run it as an ordinary user") from error
    return OtherUser(entry.pw_uid, entry.pw_gid)


def run_as(user: OtherUser | None, command: list[str], timeout: float = 120) -> tuple[int, str]:
    """Return exit code and output of a command run by `user` with a small environment."""
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    uid, gid = (user.uid, user.gid) if user else (None, None)
    done = subprocess.run(
        command,
        cwd="/",
        env=environment,
        user=uid,
        group=gid,
        extra_groups=[] if user else None,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=timeout,
    )
    return done.returncode, done.stdout.strip()


def can_enter(user: OtherUser | None, folder: Path) -> bool:
    """Return whether `user` can reach the files of `folder`; asked of the system, not of bits."""
    if user is None:
        return True
    return run_as(user, ["/bin/sh", "-c", 'test -x "$0"', str(folder)])[0] == 0


def working_directory(pid: int) -> Path | None:
    """Return the working directory of a live process; None when it is gone or not ours to see."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        pass
    if Path("/proc/self").exists():
        return None
    found = subprocess.run(
        ["/usr/sbin/lsof", "-a", "-p", str(pid), "-d", "cwd", "-Fn"],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line[1:] for line in found.stdout.splitlines() if line.startswith("n")]
    return Path(lines[0]) if lines else None


def runs_in(pid: int, folder: Path) -> bool:
    """Return whether `pid` is a live process whose working directory is `folder`.

    A pid alone says nothing: after a kill or a reboot it may belong to any other program.
    """
    found = working_directory(pid)
    return found is not None and found == folder.resolve()


def is_gone(pid: int) -> bool:
    """Return whether a process has ended and given back its ports; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        pass
    if Path("/proc/self").exists():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def end(pid: int, folder: Path, first: signal.Signals, patience: float = 30) -> None:
    """End the process `pid` that runs in `folder`: `first`, then SIGKILL after `patience`."""
    for number, seconds in ((first, patience), (signal.SIGKILL, 10.0)):
        if not runs_in(pid, folder):
            break
        os.kill(pid, number)
        wait_until(lambda: is_gone(pid), seconds)
    # It leaves its folder a moment before its ports.
    wait_until(lambda: is_gone(pid), 1)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Return whether `condition` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_free(port: int) -> bool:
    """Return whether 127.0.0.1:`port` can be listened on now."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def refuse_taken(port: int, server: str, note: Path) -> None:
    """Raise unless a server can listen on the port it keeps, noted in the file `note`."""
    # One that was killed just now may hold it a moment longer.
    if not wait_until(lambda: is_free(port), 3):
        message = f"port {port} of {server} in {note.parent} is taken"
        raise ConfigError(f"{message}; end the program there, or remove {note}")


def free_port(name: str, tried: frozenset[int] = frozenset()) -> int:
    """Return a free port, the search starting where `name` says, so that servers rarely meet."""
    count = LAST_PORT - FIRST_PORT + 1
    start = zlib.crc32(name.encode()) % count
    for step in range(count):
        port = FIRST_PORT + (start + step) % count
        if port not in tried and is_free(port):
            return port
    message = f"no free port on 127.0.0.1 between {FIRST_PORT} and {LAST_PORT}"
    raise ConfigError(f"{message}; end a program that listens there")


def kept_port(path: Path) -> int | None:
    """Return the port written in `path`, or None when there is none yet."""
    try:
        text = path.read_text().strip()
    except FileNotFoundError:
        return None
    if not text.isdigit():
        raise ConfigError(f"{path}: not a port number; remove the file to choose a new port")
    return int(text)


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only its owner can read, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`, so that two commands do not start one server twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
