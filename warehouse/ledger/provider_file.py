"""Read the payment provider's file of results: CSV with one row per payment and outcome."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

from extractors.errors import ConfigError

FIELDS = ("payout_id", "status", "amount", "currency", "paid_at")
STATUSES = ("paid", "failed")


@dataclass(frozen=True, slots=True)
class Told:
    """What a row says: `at` is when the payment arrived, or failed; `row` its line in the file."""

    row: int
    payout_id: str
    status: str
    amount: Decimal
    currency: str
    at: datetime


def read(file: Path, zone: ZoneInfo) -> list[Told]:
    """Return the rows of a file; ConfigError names file, row and field of the first bad value.

    Other columns than those of `FIELDS` do not count. A day without a time is taken for its start
    in `zone`.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            _require_columns(file, reader.fieldnames or ())
            return [_told(file, reader.line_num, row, zone) for row in reader]
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: is not UTF-8 text") from None
    except csv.Error as error:
        raise ConfigError(f"{file}: is not CSV ({error})") from None


def _require_columns(file: Path, names: Sequence[str]) -> None:
    twice = [name for name in FIELDS if names.count(name) > 1]
    if twice:
        raise ConfigError(
            f"{file}: has the column {', '.join(twice)} twice, and nobody can tell which counts;"
            " remove or rename one"
        )
    missing = [name for name in FIELDS if name not in names]
    if not missing:
        return
    needed = f"it needs {', '.join(FIELDS)}"
    if not names:
        raise ConfigError(f"{file}: is empty; {needed} in its first line")
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and separator in names[0]:
            raise ConfigError(f"{file}: has {name} between its columns; save it with commas")
    raise ConfigError(f"{file}: has no column {', '.join(missing)}; {needed}")


def refused(file: Path, row: int, field: str, problem: str) -> ConfigError:
    """Return the error for a value that cannot be: with it nothing of the file is imported."""
    return ConfigError(f"{file}, row {row}, {field}: {problem}; nothing of the file was imported")


def _told(file: Path, row: int, values: Mapping[str, str | None], zone: ZoneInfo) -> Told:
    text = {name: (values[name] or "").strip() for name in FIELDS}
    for name, value in text.items():
        if not value:
            raise refused(file, row, name, "is empty")
    if text["status"] not in STATUSES:
        raise refused(file, row, "status", f"{text['status']!r} is neither paid nor failed")
    try:
        amount = Decimal(text["amount"])
        is_money = amount.is_finite() and amount > 0 and amount == round(amount, 2)
    except InvalidOperation:
        amount, is_money = Decimal(0), False
    if not is_money:
        raise refused(file, row, "amount", f"{text['amount']!r} is not an amount such as 12.50")
    return Told(
        row,
        text["payout_id"],
        text["status"],
        amount,
        text["currency"],
        _instant(file, row, text["paid_at"], zone),
    )


def _instant(file: Path, row: int, text: str, zone: ZoneInfo) -> datetime:
    try:
        if len(text) == len("2026-03-01"):
            return datetime.combine(date.fromisoformat(text), time(), zone).astimezone(UTC)
        at = datetime.fromisoformat(text)
        in_utc = at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        in_utc = None
    if in_utc is None:
        raise refused(
            file,
            row,
            "paid_at",
            f"{text!r} is neither a day such as 2026-03-01 nor a time with its offset from UTC,"
            " such as 2026-03-01T12:00:00Z",
        )
    return in_utc
