"""Write rows to a .csv or .jsonl file, aside first, so that it is there whole or not at all."""

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from extractors.errors import ConfigError
from extractors.package import fsync_directory

SUFFIXES = (".csv", ".jsonl")
_QUOTED = re.compile(r'[",\r\n]')


def check(to: Path, suffixes: Sequence[str] = SUFFIXES) -> None:
    """Refuse a file whose form is not known by its ending, or whose folder is missing."""
    if to.suffix not in suffixes:
        endings = " or ".join(suffixes)
        raise ConfigError(f"{to}: the file must end in {endings}, which says its form")
    if not to.parent.is_dir():
        raise ConfigError(f"{to}: there is no folder {to.parent}; make it, or write elsewhere")


@contextlib.contextmanager
def aside(to: Path) -> Iterator[TextIO]:
    """Give a text file that takes the place of `to` when the block ends without an error.

    ConfigError where the disk or a permission refuses.
    """
    temporary = to.with_name(f".{to.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(to)
        fsync_directory(to.parent)
    except OSError as error:
        raise ConfigError(f"{to}: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write(to: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write the rows as the file's ending says; return how many they are.

    Times are ISO 8601 in UTC, decimals plain. A NULL is empty in CSV, and null in JSON; a decimal
    stays exact in CSV and becomes a JSON number of the same digits.
    """
    check(to)
    count = 0
    with aside(to) as file:
        if to.suffix == ".csv":
            file.write(csv_line(columns))
            for row in rows:
                file.write(csv_line(row))
                count += 1
        else:
            names = [json.dumps(name) for name in columns]
            for row in rows:
                members = zip(names, map(_json, row), strict=True)
                file.write("{" + ", ".join(f"{n}: {v}" for n, v in members) + "}\n")
                count += 1
    return count


def csv_line(row: Sequence[Any]) -> str:
    """Return a row as a line of RFC 4180, but for its end, which is the line feed of every loader.

    Python's writer leaves a carriage return unquoted when lines end so.
    """
    return ",".join(map(_field, row)) + "\n"


def _field(value: Any) -> str:
    text = "" if value is None else str(plain(value))
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def plain(value: Any) -> Any:
    """Return a value as a CSV field or a JSON string shows it."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _json(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"  # json would make a float of it
    if isinstance(value, datetime | date):
        value = plain(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
