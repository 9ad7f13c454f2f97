"""Read the payments of affiliates: the batches they were exported in, and how each one ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from extractors.package import utc_text
from warehouse.state import segments

BATCH = "payout_batch"
FILE = "payout_file"
RESULT = "payout_result"
SERIES = "payout_series"
Outcome = Literal["open", "paid", "failed", "bounced"]


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment to an affiliate, and the statements that it settles.

    `open` until the provider tells how it ended; `bounced` was paid and came back. `at` is when
    that was, `results` the texts (status and time) of all that the provider told of it.
    """

    payout_id: str
    batch: int
    affiliate_id: str
    currency: str
    amount: Decimal
    statement_number: str
    covers: tuple[str, ...]
    exported_at: datetime
    outcome: Outcome = "open"
    at: datetime | None = None
    results: tuple[tuple[str, datetime], ...] = ()

    @property
    def is_live(self) -> bool:
        """Return whether its statements are paid, or may be any moment."""
        return self.outcome in ("open", "paid")

    def texts(self) -> dict[str, str]:
        """Return the columns of the table of payments that models read."""
        return {
            "payout_id": self.payout_id,
            "affiliate_id": self.affiliate_id,
            "currency": self.currency,
            "amount": f"{self.amount:f}",
            "statement_number": self.statement_number,
            "outcome": self.outcome,
            "exported_at": utc_text(self.exported_at),
        }


def payments(state: Path, known_at: datetime | None = None) -> dict[str, Payment]:
    """Return all payments by their id, as they were known by `known_at` (system time)."""
    by = utc_text(known_at) if known_at else None
    found: dict[str, Payment] = {}
    for record in segments.records(state, BATCH, RESULT):
        if by is not None and record["recorded_at"] > by:
            continue
        if record["kind"] == BATCH:
            found |= {one.payout_id: one for one in of_batch(record)}
        else:
            paid = found[record["payout_id"]]
            at = datetime.fromisoformat(record["at"])
            told = (*paid.results, (record["status"], at))
            found[paid.payout_id] = replace(paid, outcome=record["outcome"], at=at, results=told)
    return found


def of_batch(record: Mapping[str, Any]) -> list[Payment]:
    """Return the payments of a batch's record as they were exported."""
    return [
        Payment(
            row["payout_id"],
            record["number"],
            row["affiliate_id"],
            row["currency"],
            Decimal(row["amount"]),
            row["statement_number"],
            tuple(row["covers"]),
            datetime.fromisoformat(record["at"]),
        )
        for row in record["payments"]
    ]


def batches(state: Path) -> list[dict[str, Any]]:
    """Return the records of the batches, oldest first."""
    return segments.records(state, BATCH)


def without_file(state: Path) -> list[dict[str, Any]]:
    """Return the batches whose file was never finished: the command was killed before it was."""
    written = {record["batch"] for record in segments.records(state, FILE)}
    return [record for record in batches(state) if record["number"] not in written]


def covered(known: Iterable[Payment]) -> dict[str, Payment]:
    """Return the statements that a live payment settles, by their number."""
    return {number: one for one in known if one.is_live for number in one.covers}
