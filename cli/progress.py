"""Show a run's progress: one moving line on a terminal, plain lines elsewhere."""

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from orchestration.progress import Event, Progress

# A plain line per subject at most this often: a log of an hour's run stays readable.
_PLAIN_SECONDS = 10.0


class Reporter:
    """Takes the events of a run, also from several threads, and writes them to stderr."""

    def __init__(self, moving: bool) -> None:
        self._moving = moving
        self._lock = threading.Lock()
        self._started: dict[tuple[str, str], float] = {}
        self._told: dict[tuple[str, str], float] = {}
        self._drawn = False

    def tell(self, event: "Event") -> None:
        """Take one event."""
        with self._lock:
            now = time.monotonic()
            key = (event.step, event.subject)
            first = key not in self._started
            elapsed = now - self._started.setdefault(key, now)
            line = line_of(event, elapsed)
            if event.done:
                self._started.pop(key)
                self._told.pop(key, None)
                self._print(line)
            elif self._moving:
                self._draw(line)
            elif (first and event.message) or now - self._told.get(key, now) >= _PLAIN_SECONDS:
                self._told[key] = now
                self._print(line)
            else:
                self._told.setdefault(key, now)

    def close(self) -> None:
        """Take the moving line away."""
        if self._drawn:
            click.echo("\r\x1b[K", nl=False, err=True)
            self._drawn = False

    def _print(self, line: str) -> None:
        self.close()
        click.echo(line, err=True)

    def _draw(self, line: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        click.echo(f"\r{line[:width]}\x1b[K", nl=False, err=True)
        self._drawn = True


def line_of(event: "Event", elapsed: float) -> str:
    """Return one line of progress: step, subject, rows, rate, time."""
    facts = [event.message] if event.message else []
    if event.rows is not None:
        facts.append(f"{event.rows:,} rows")
        # Under a tenth of a second a rate says more about the clock than about the source.
        if elapsed >= 0.1 and event.rows:
            facts.append(f"{event.rows / elapsed:,.0f}/s")
    if elapsed >= 0.1:
        facts.append(f"{elapsed:.1f} s")
    return f"{event.step:<8} {event.subject}: {', '.join(facts)}".rstrip(": ")


@contextmanager
def reporter() -> Iterator["Progress"]:
    """Give the function that a run tells its progress to."""
    shown = Reporter(moving=sys.stderr.isatty())
    try:
        yield shown.tell
    finally:
        shown.close()
