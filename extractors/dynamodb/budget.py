"""Hold all segments of a scan to one rate of consumed read capacity."""

import threading
import time
from collections.abc import Callable

from extractors.errors import ConfigError

# What an idle scan may spend at once, in seconds of its rate: small, because the table serves a
# shop at the same time.
_BURST_SECONDS = 1.0
# After throttling the rate falls to this share, at most once a second (several segments are
# throttled by the same shortage), and climbs back by a twentieth a second.
_SLOW_DOWN = 0.6
_SPEED_UP = 1.05
_SLOWEST = 0.5


def units_per_second(read_capacity: str | float, provisioned: int | None) -> float:
    """Return the read units per second that `read_capacity` (`25%` or a number) stands for."""
    if not isinstance(read_capacity, str):
        return float(read_capacity)
    if not provisioned:
        raise ConfigError(
            f"read_capacity: {read_capacity} is a share of provisioned capacity, and the table is"
            " billed on demand; give read units per second, such as 500"
        )
    return float(read_capacity.rstrip("%")) / 100 * provisioned


class Budget:
    """A token bucket that is debited after each page, when its cost is known.

    `rate` None means no limit until the table throttles; then the rate that it did serve.
    """

    def __init__(self, rate: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._goal = rate
        self._rate = rate
        self._balance = (rate or 0.0) * _BURST_SECONDS
        self._settled = self._started = clock()
        self._slowed = float("-inf")
        self.spent = 0.0
        self.throttles = 0

    @property
    def rate(self) -> float | None:
        """Return the units per second allowed now."""
        return self._rate

    def _settle(self) -> float:
        now = self._clock()
        elapsed, self._settled = now - self._settled, now
        if self._rate is not None:
            self._balance += elapsed * self._rate
            if self._rate != self._goal and now - self._slowed > 1.0:
                self._rate *= _SPEED_UP**elapsed
                if self._goal is not None:
                    self._rate = min(self._rate, self._goal)
            self._balance = min(self._balance, self._rate * _BURST_SECONDS)
        return now

    def delay(self) -> float:
        """Return the seconds to wait before the next page may be asked for."""
        with self._lock:
            self._settle()
            if self._rate is None or self._balance >= 0:
                return 0.0
            return -self._balance / self._rate

    def spend(self, units: float) -> None:
        """Debit what a page consumed."""
        with self._lock:
            self._settle()
            self.spent += units
            if self._rate is not None:
                self._balance -= units

    def throttled(self) -> None:
        """Slow down: the table refused a page."""
        with self._lock:
            now = self._settle()
            self.throttles += 1
            if now - self._slowed < 1.0:
                return
            served = self.spent / max(now - self._started, 1.0)
            rate = served if self._rate is None else self._rate
            self._rate = max(rate * _SLOW_DOWN, _SLOWEST)
            self._balance = min(self._balance, 0.0)
            self._slowed = now

    def page_limit(self, units_per_item: float | None) -> int | None:
        """Return how many items one page may hold so that it costs about a second of the rate."""
        if self._rate is None or not units_per_item:
            return None
        return max(1, int(self._rate * _BURST_SECONDS / units_per_item))
