"""Read the segments of a scan in parallel threads, held to one budget, with checkpoints."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import IO, Any

from botocore.exceptions import ClientError

from extractors.dynamodb.budget import Budget
from extractors.dynamodb.checkpoint import Segment, Workspace
from extractors.dynamodb.errors import code_of
from extractors.dynamodb.pages import THROTTLES, Page, raw_pages, read_page, start_key

# More requests at once than this only compete for the interpreter: decoding a page takes 8 ms.
_MOST_THREADS = 16
# The waits between two requests for a page that the table refuses.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a segment is made durable, and how long a throttled scan keeps trying.

    A checkpoint costs about 10 ms; a kill loses what was read since the last one.
    """

    checkpoint_bytes: int = 32 << 20
    checkpoint_seconds: float = 5.0
    throttled_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is."""

    items: int
    bytes: int
    units: float
    segments_done: int
    segments: int


class _Lines:
    """What a segment read since its last checkpoint."""

    def __init__(self, workspace: Workspace, segment: Segment, pace: Pace) -> None:
        self._workspace = workspace
        self._segment = segment
        self._pace = pace
        self._file: IO[bytes] | None = None
        self._unsaved = False
        self._written = 0
        self._saved = time.monotonic()

    def write(self, page: Page) -> None:
        if page.lines:
            if self._file is None:
                self._file = self._workspace.next_file(self._segment).open("wb")
            try:
                self._file.write(page.lines)
            except OSError:
                # half a page may be written: the last checkpoint stands
                self._unsaved = False
                raise
        self._segment.take(page)
        self._unsaved = True
        self._written += len(page.lines)

    def due(self) -> bool:
        """Return whether it is time for a checkpoint."""
        elapsed = time.monotonic() - self._saved
        return (
            self._written >= self._pace.checkpoint_bytes or elapsed >= self._pace.checkpoint_seconds
        )

    def save(self) -> None:
        if self._unsaved:
            self._workspace.save(self._segment, self._file)
        self._file, self._unsaved, self._written = None, False, 0
        self._saved = time.monotonic()


class SegmentReader:
    """Read all unfinished segments; an error in one ends all, after each saved what it has."""

    def __init__(
        self,
        client: Any,
        request: dict[str, Any],
        workspace: Workspace,
        segments: list[Segment],
        budget: Budget,
        pace: Pace,
        progress: Callable[[Progress], None] | None,
        units_per_item: float | None,
    ) -> None:
        self._client = client
        self._request = request
        self._workspace = workspace
        self._segments = segments
        self._budget = budget
        self._pace = pace
        self._progress = progress
        self._units_per_item = units_per_item
        self._stop = threading.Event()
        self._reporting = threading.Lock()
        self._served = time.monotonic()

    def read(self) -> None:
        """Read to the end of every segment.

        Raises what botocore raises; what the segments read until then stays for the next time.
        """
        waiting = [segment for segment in self._segments if not segment.done]
        if not waiting:
            return
        threads = min(len(waiting), _MOST_THREADS)
        with raw_pages(self._client), ThreadPoolExecutor(threads, "scan-segment") as pool:
            try:
                running = [pool.submit(self._read, segment) for segment in waiting]
                done, _ = wait(running, return_when=FIRST_EXCEPTION)
            except BaseException:
                self._stop.set()
                raise
            failed = [future for future in done if future.exception() is not None]
            if failed:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                failed[0].result()

    def _read(self, segment: Segment) -> None:
        lines = _Lines(self._workspace, segment, self._pace)
        try:
            while not segment.done and not self._stop.is_set():
                page = self._page(segment)
                if page is None:
                    break
                lines.write(page)
                self._report()
                if lines.due():
                    lines.save()
        finally:
            lines.save()

    def _page(self, segment: Segment) -> Page | None:
        """Return the segment's next page, None when the scan is being stopped."""
        request = self._request | {"Segment": segment.number}
        if segment.last_key is not None:
            request["ExclusiveStartKey"] = start_key(segment.last_key)
        pause = _FIRST_PAUSE
        while True:
            if not self._may_ask():
                return None
            limit = self._budget.page_limit(self._units_per_item)
            try:
                page = read_page(
                    self._client,
                    request if limit is None else request | {"Limit": limit},
                    self._budget.throttled,
                )
            except ClientError as error:
                waited = time.monotonic() - self._served
                if code_of(error) not in THROTTLES or waited > self._pace.throttled_seconds:
                    raise
                self._stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            self._served = time.monotonic()
            self._budget.spend(page.units)
            if page.items:
                self._units_per_item = page.units / page.items
            return page

    def _may_ask(self) -> bool:
        """Wait for the budget; false when the scan is being stopped."""
        while not self._stop.is_set():
            delay = self._budget.delay()
            if delay <= 0:
                return True
            self._stop.wait(min(delay, 1.0))
        return False

    def _report(self) -> None:
        if self._progress is None:
            return
        with self._reporting:
            self._progress(
                Progress(
                    items=sum(segment.items for segment in self._segments),
                    bytes=sum(segment.bytes for segment in self._segments),
                    units=self._budget.spent,
                    segments_done=sum(segment.done for segment in self._segments),
                    segments=len(self._segments),
                )
            )
