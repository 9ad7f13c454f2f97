"""The writer lease: only its holder opens the build database."""

import contextlib
import fcntl
import itertools
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extractors.errors import SourceError

LOCK_FILE = "writer.lock"


@dataclass(frozen=True, slots=True)
class Lease:
    """A held lease; pass `descriptor` to every child that opens the build database.

    The lock belongs to the open file, so it is free only when the holder and every child that
    inherited the descriptor are dead.
    """

    descriptor: int

    def record_child(self, pid: int | None) -> None:
        """Write down the child that may outlive a killed holder (None: it has ended)."""
        _write_holder(self.descriptor, child=pid)


def _started(pid: int) -> str | None:
    """Return the start time of a live process (it tells a reused pid), None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else fields[19]


def _process(pid: int | None) -> dict[str, Any] | None:
    return None if pid is None else {"pid": pid, "started": _started(pid)}


def _write_holder(descriptor: int, child: int | None = None) -> None:
    document = {
        **(_process(os.getpid()) or {}),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "child": _process(child),
    }
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(document).encode(), 0)


def holder(home: Path) -> dict[str, Any] | None:
    """Return what the lease file says of its last holder, None when nobody ever held it."""
    try:
        return json.loads((home / LOCK_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def is_held(home: Path) -> bool:
    """Return whether anybody, or a child of theirs, holds the writer lease now."""
    try:
        descriptor = os.open(home / LOCK_FILE, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _alive(process: dict[str, Any] | None) -> bool:
    if not process or process.get("started") is None:
        return False
    return _started(process["pid"]) == process["started"]


def _has_open(pid: int, path: Path) -> bool:
    wanted = path.stat()
    with contextlib.suppress(OSError):  # it is gone, or another user's
        for descriptor in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):  # closed meanwhile
                if os.path.samestat(descriptor.stat(), wanted):
                    return True
    return False


def _end_orphan(home: Path) -> None:
    """End the child of a holder that was killed: its work is repeated by the next run anyway."""
    last = holder(home)
    if not last or last.get("host") != socket.gethostname() or _alive(last):
        return
    child: dict[str, Any] | None = last.get("child")
    # A pid may be given out again within the hundredth of a second that start times are told in.
    if child and _alive(child) and _has_open(child["pid"], home / LOCK_FILE):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child["pid"], signal.SIGTERM)


@contextlib.contextmanager
def hold(
    home: Path, *, wait: float = 0.0, waiting: Callable[[str], None] | None = None
) -> Iterator[Lease]:
    """Take the writer lease of a warehouse, waiting up to `wait` seconds for another holder.

    `waiting` is told once who holds it. A child left over by a killed holder is ended and waited
    for. SourceError names the holder when the time is over.
    """
    home.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(home / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SourceError(
            f"{home / LOCK_FILE}: {error.strerror}; the run must write there"
        ) from None
    try:
        _acquire(descriptor, home, wait, waiting)
        _write_holder(descriptor)
        yield Lease(descriptor)
    finally:
        os.close(descriptor)


def _acquire(
    descriptor: int, home: Path, wait: float, waiting: Callable[[str], None] | None
) -> None:
    # A killed holder's dbt needs a moment to go, whatever the caller's patience.
    started, orphan_wait, limit = time.monotonic(), 30.0, wait
    for attempt in itertools.count():
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            return
        is_over = time.monotonic() - started >= limit
        if is_over or attempt % 10 == 0:  # many may wait: they try often, and look less often
            _end_orphan(home)
            last = holder(home) or {}
            limit = wait if _alive(last) else max(wait, orphan_wait)
            who = (
                f"process {last.get('pid', 'unknown')} on {last.get('host', 'unknown host')}"
                f" since {last.get('since', 'unknown')}"
            )
            if time.monotonic() - started >= limit:
                raise SourceError(
                    f"{home}: the writer lease is held by {who};"
                    " wait for that run to end, or pass --wait SECONDS"
                )
            if waiting and attempt == 0:
                waiting(f"waiting for the writer lease held by {who}")
        time.sleep(0.1)
