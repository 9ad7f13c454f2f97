"""Errors that a user can act on: one line saying what, where and what to do."""

import re
from collections.abc import Iterator
from pathlib import Path


class WarehouseError(Exception):
    """Base of all errors shown to the user as one line, without a traceback."""

    exit_code = 1


class AuditError(WarehouseError):
    """An audit, certificate or quarantine limit failed."""

    exit_code = 1


class ConfigError(WarehouseError):
    """The configuration or the command line cannot be used as it is."""

    exit_code = 2


class SourceError(WarehouseError):
    """A source or engine cannot be reached, or refuses what was asked."""

    exit_code = 3


# What Python, DuckDB, Arrow and SQLite say of a disk that takes no more, and of a closed door.
_FULL = re.compile(
    "No space left on device|disk is full|Disk quota exceeded|File too large|disk I/O error"
)
_DENIED = re.compile(
    "Permission denied|Operation not permitted|Read-only file system|readonly database"
    "|unable to open database file"
)
_PATH = re.compile("[\"'](/[^\"']+)[\"']")


def storage_error(error: BaseException | str, place: Path) -> SourceError | None:
    """Return a full disk or a denied permission as the user should see it, None for other errors.

    The error that came first counts, and the path that it names, `place` where it names none.
    """
    for text in _texts(error):
        for pattern, advice in (
            (_FULL, "free space there and run the command again, it goes on from what is whole"),
            (_DENIED, "let this user write there and run the command again"),
        ):
            if found := pattern.search(text):
                path = _PATH.search(text)
                return SourceError(f"{path[1] if path else place}: {found[0]}; {advice}")
    return None


def _texts(error: BaseException | str) -> Iterator[str]:
    """Yield what an error says, after those that led to it."""
    if isinstance(error, str):
        yield error
        return
    if earlier := error.__cause__ or error.__context__:
        yield from _texts(earlier)
    yield str(error)
