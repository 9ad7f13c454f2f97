"""What decides all that the shop holds, beside what it was made from."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pyarrow as pa

from demo.orders import utc
from demo.parameters import Parameters

# The clock of a made-up shop that just came up: 90 days after it opened.
MADE_NOW = datetime(2026, 4, 1, tzinfo=UTC)

# Raise it when the same state gives other rows or items: an older shop is then refused.
FORMAT = 2


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a demo shop was made from.

    A file of orders or clicks stands for its content, as sha256; `parameters` are all of them, as
    `Parameters.as_dict` gives them.
    """

    orders: str | None
    clicks: str | None
    scale: float
    seed: int
    parameters: dict[str, Any] = field(default_factory=lambda: Parameters().as_dict())


@dataclass(frozen=True, slots=True)
class State:
    """The shop's clock and the real orders in it; rows and items are a function of it.

    `now` and `made_from` are UTC. From `made_from` on the shop makes up its own life; it is None in
    a shop of real orders whose clock nobody has advanced, and nothing in that one is made up.
    `parts` are the sha256 of the applied files of orders, in order.
    """

    now: datetime
    made_from: datetime | None
    parts: tuple[str, ...]

    def version(self, arguments: Arguments) -> str:
        """Return a name that is the same for the same content of the shop only."""
        times = [at.astimezone(UTC).isoformat() for at in (self.now, self.made_from) if at]
        text = repr((FORMAT, sorted(asdict(arguments).items()), times, self.parts))
        return sha256(text.encode()).hexdigest()


def clock_after(lines: pa.Table) -> datetime:
    """Return the next midnight UTC after the last document."""
    walls = lines.column("invoiced_at").unique().to_pylist()
    last = max(utc(wall) for wall in walls)
    return last.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
