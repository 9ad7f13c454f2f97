"""What a run tells while it works."""

from collections.abc import Callable
from dataclasses import dataclass

from extractors.package import Manifest
from warehouse.config import Settings
from warehouse.load.package import LoadRecord


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


def extracted(manifest: Manifest) -> Event:
    """Return the event of a written package."""
    return Event(
        "extract",
        f"{manifest.source}.{manifest.entity}",
        manifest.mode,
        manifest.rows,
        done=True,
    )


def loaded(record: LoadRecord, certificate: str) -> Event:
    """Return the event of a loaded and certified package."""
    return Event(
        "load",
        f"{record.source}.{record.entity}",
        f"{record.inserted_rows:,} new, {record.updated_rows:,} changed,"
        f" {record.deleted_rows:,} deleted, certificate {certificate}",
        done=True,
    )


def error_text(error: BaseException | None, settings: Settings) -> str | None:
    """Return the first line of an error without the secrets that a source may have put there.

    One that ends in a colon announces the next, which is added.
    """
    if error is None:
        return None
    first, *rest = str(error).splitlines() or [""]
    text = f"{first} {rest[0].strip()}" if rest and first.endswith(":") else first
    text = text or type(error).__name__
    for secret in settings.secrets():
        text = text.replace(secret, "***")
    return text
