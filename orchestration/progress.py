"""What a run tells while it works."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: `step` is extract, load, certify, build, audit or publish.

    `rows` so far (or in all, when `done`) of `subject`; `message` is for people.
    """

    step: str
    subject: str
    message: str = ""
    rows: int | None = None
    done: bool = False


Progress = Callable[[Event], None]


def silent(event: Event) -> None:
    """Tell nobody."""
