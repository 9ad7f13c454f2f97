"""Say what a database refused in one line: where, what and what to do, never the password."""

import re

import adbc_driver_manager
import duckdb
import psycopg

from extractors.errors import SourceError

# What the user can do, by SQLSTATE (two characters stand for their whole class).
_ADVICE = {
    "08": "check that the server runs and run again",
    "28": "check user, password and pg_hba.conf",
    "3D000": "check the database's name in the DSN",
    "40001": "on a replica set hot_standby_feedback = on or a longer max_standby_streaming_delay",
    "42501": "grant what is missing (`warehouse policy` prints the grants)",
    "42P01": "the table is gone; correct warehouse.yml",
    "42703": "a column changed while it was read; run again",
    "53300": "raise max_connections or stop another reader, then run again",
    "55P03": "somebody holds a lock on the table; run again",
    "57014": "somebody cancelled the statement, or a time limit did; run again",
    "57P": "the server stops or restarts; run again when it is up",
}
# Errors without a SQLSTATE (while connecting, or through Arrow) tell it in words.
_SAYS = (
    ("conflict with recovery", "40001"),
    ("password authentication", "28000"),
    ("no password supplied", "28000"),
    ("pg_hba.conf", "28000"),
    (r"^database .* does not exist", "3D000"),
    ("canceling statement", "57014"),
    ("is starting up", "57P03"),
    ("shutting down", "57P03"),
    ("terminating connection", "57P01"),
    ("too many clients", "53300"),
    ("connection", "08000"),
    ("timeout", "08000"),
    ("could not translate host name", "08000"),
)


class ReadError(Exception):
    """The driver failed while Arrow read from it."""


class RecoveryConflictError(SourceError):
    """A replica cancelled the read, because it had to replay what the primary did."""


# What the drivers raise, and DuckDB when it reads from one.
DRIVER_ERRORS = (adbc_driver_manager.Error, psycopg.Error, duckdb.Error, ReadError)


def source_error(place: str, error: Exception) -> SourceError:
    """Return the error a user sees for a driver's error; `place` says which server and table."""
    reason = _reason(str(error)) or type(error).__name__
    said = next((code for words, code in _SAYS if re.search(words, reason.lower())), None)
    # A replica's conflict with recovery carries the SQLSTATE of other things too.
    advice = _advice(said if said == "40001" else sqlstate(error) or said)
    kind = RecoveryConflictError if said == "40001" else SourceError
    return kind(f"{place}: {reason}" + (f"; {advice}" if advice else ""))


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of a psycopg or ADBC error; DuckDB passes ADBC's on as text."""
    state = getattr(error, "sqlstate", None)
    if not state:
        found = re.search(r"SQLSTATE: (\w{5})", str(error))
        state = found.group(1) if found else None
    return None if state in (None, "\0\0\0\0\0", "00000") else str(state)


def _advice(state: str | None) -> str | None:
    if state is None:
        return None
    return next((_ADVICE[state[:n]] for n in (5, 3, 2) if state[:n] in _ADVICE), None)


def _reason(text: str) -> str:
    """Return the telling part of a driver's message: one line, without the statement."""
    for pattern in (
        r"(?:ERROR|FATAL|PANIC):\s+([^\n]+)",
        r"(no connection to the server|server closed the connection unexpectedly)",
        r"failed: ([^\n]+)",
        r"^(?:[A-Z_]+: )?(?:\[libpq\] )?([^\n]+)",
    ):
        found = re.search(pattern, text)
        if found:
            return found.group(1).strip().rstrip(".")
    return ""
