"""Read and write commission plans as a CSV file: other plans than the shop's, to try them."""

import csv
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from extractors.errors import ConfigError

FIELDS = (
    *("plan_id", "affiliate_id", "category", "tier", "tier_min_sales", "rate", "window_days"),
    *("hold_days", "valid_from", "valid_to"),
)
MAY_BE_EMPTY = {"affiliate_id", "category", "tier", "tier_min_sales", "valid_to"}
# A century; the models count in days and hours that must fit an INTEGER.
MOST_DAYS = 36_500
SHOWN = 20
Value = TypeVar("Value")
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """A row of a file, with the fields of `stg_affiliate__commission_plans`; times are in UTC."""

    plan_id: str
    affiliate_id: str | None
    category: str | None
    tier: int | None
    tier_min_sales: Decimal | None
    rate: Decimal
    window_days: int
    hold_days: int
    valid_from: datetime
    valid_to: datetime | None


class _Problems:
    """What is wrong with a file, by line and field."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.found: list[str] = []

    def add(self, line: int, field: str, problem: str) -> None:
        self.found.append(f"line {line}, {field}: {problem}")

    def raise_any(self) -> None:
        """Raise ConfigError naming what was found, the first twenty of many."""
        if not self.found:
            return
        more = len(self.found) - SHOWN
        rest = [f"and {more} more"] if more > 0 else []
        lines = [*self.found[:SHOWN], *rest]
        head = f"{len(self.found)} problems\n  " if len(self.found) > 1 else ""
        raise ConfigError(f"{self.file}: {head}" + "\n  ".join(lines))


def read(file: Path, zone: ZoneInfo) -> dict[int, Plan]:
    """Return the plans of a file by their line; ConfigError names each wrong line and field.

    A day without a time is taken for its start in `zone`.
    """
    rows = _rows(file)
    if not rows:
        raise ConfigError(f"{file}: holds no plan")
    problems = _Problems(file)
    plans: dict[int, Plan] = {}
    named: dict[str, int] = {}
    for line, row in rows:
        plan = _plan(row, zone, lambda field, text, line=line: problems.add(line, field, text))
        first = named.setdefault(row["plan_id"], line)
        if row["plan_id"] and first != line:
            problems.add(line, "plan_id", f"{row['plan_id']!r} is that of line {first}, too")
        elif plan:
            plans[line] = plan
    problems.raise_any()
    return plans


def require_known(
    file: Path,
    plans: Mapping[int, Plan],
    affiliates: Collection[str],
    categories: Collection[str],
) -> None:
    """Raise ConfigError naming each line for an affiliate or a category that does not exist."""
    problems = _Problems(file)
    for line, plan in plans.items():
        if plan.affiliate_id is not None and plan.affiliate_id not in affiliates:
            problems.add(line, "affiliate_id", f"the shop has no affiliate {plan.affiliate_id!r}")
        if plan.category is not None and plan.category not in categories:
            problems.add(line, "category", f"no product is of the category {plan.category!r}")
    problems.raise_any()


def values(plan: Plan) -> tuple[Any, ...]:
    """Return what a plan says, in the order of FIELDS."""
    return astuple(plan)


def write(file: Path, plans: Iterable[Plan]) -> None:
    """Write plans as `read` takes them."""
    try:
        with file.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            writer.writerow(FIELDS)
            writer.writerows([_text(value) for value in values(plan)] for plan in plans)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return f"{value:f}" if isinstance(value, Decimal) else value


def _rows(file: Path) -> list[tuple[int, Row]]:
    """Return the rows that are not empty, with the line that each ends on."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            head = [name.strip() for name in next(reader, [])]
            _require_fields(file, head)
            problems = _Problems(file)
            rows: list[tuple[int, Row]] = []
            for values in reader:
                if len(values) not in (0, len(head)):
                    text = f"has {len(values)} values for {len(head)} columns"
                    problems.add(reader.line_num, "row", text)
                elif any(value.strip() for value in values):
                    row = {name: text.strip() for name, text in zip(head, values, strict=True)}
                    rows.append((reader.line_num, row))
            problems.raise_any()
            return rows
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: is not UTF-8 text") from None
    except csv.Error as error:
        raise ConfigError(f"{file}: is not CSV ({error})") from None


def _require_fields(file: Path, head: Sequence[str]) -> None:
    missing = [name for name in FIELDS if name not in head]
    unknown = [name for name in head if name not in FIELDS]
    twice = sorted({name for name in head if head.count(name) > 1} - set(unknown))
    for names, problem in ((missing, "has no"), (unknown, "knows no"), (twice, "has twice the")):
        if names:
            raise ConfigError(
                f"{file}: line 1 {problem} column {', '.join(map(repr, names))}; the columns are"
                f" {','.join(FIELDS)}"
            )


def _plan(row: Row, zone: ZoneInfo, wrong: Callable[[str, str], None]) -> Plan | None:
    """Return the plan that a row says, None where `wrong` was told of a field."""
    failed: list[str] = []

    def take(field: str, kind: Callable[[str], Value | None], is_like: str) -> Value | None:
        if not row[field]:
            if field not in MAY_BE_EMPTY:
                failed.append(field)
                wrong(field, "is empty")
            return None
        value = kind(row[field])
        if value is None:
            failed.append(field)
            wrong(field, f"{row[field]!r} is not {is_like}")
        return value

    days = f"a whole number of days from 0 to {MOST_DAYS}"
    at = "a day such as 2026-03-01, or a time with its offset, such as 2026-03-01T12:00:00Z"
    values = (
        take("plan_id", _name, "a name of up to 256 characters"),
        take("affiliate_id", _name, "a name of up to 256 characters"),
        take("category", _name, "a name of up to 256 characters"),
        take("tier", lambda text: _whole(text, 1, 1_000_000), "a whole number from 1"),
        take(
            "tier_min_sales",
            lambda text: _decimal(text, 4, Decimal(10**14 - 1)),
            "an amount from 0 with up to 4 decimals",
        ),
        take(
            "rate",
            lambda text: _decimal(text, 8, Decimal(1)),
            "a share from 0 to 1 with up to 8 decimals, such as 0.05 for 5 %",
        ),
        take("window_days", lambda text: _whole(text, 0, MOST_DAYS), days),
        take("hold_days", lambda text: _whole(text, 0, MOST_DAYS), days),
        valid_from := take("valid_from", lambda text: _instant(text, zone), at),
        valid_to := take("valid_to", lambda text: _instant(text, zone), at),
    )
    if valid_from and valid_to and valid_to <= valid_from:
        failed.append("valid_to")
        wrong("valid_to", f"{row['valid_to']!r} is not after valid_from, {row['valid_from']!r}")
    return None if failed else Plan(*values)  # pyright: ignore[reportArgumentType]  # none failed


def _name(text: str) -> str | None:
    return text if len(text) <= 256 else None


def _whole(text: str, least: int, most: int) -> int | None:
    if not re.fullmatch("[0-9]{1,9}", text):
        return None
    return int(text) if least <= int(text) <= most else None


def _decimal(text: str, places: int, most: Decimal) -> Decimal | None:
    if not re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,18})?", text):
        return None
    try:
        value = Decimal(text)
        return value if 0 <= value <= most and value == round(value, places) else None
    except InvalidOperation:
        return None


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        if len(text) == len("2026-03-01"):
            return datetime.combine(date.fromisoformat(text), time(), zone).astimezone(UTC)
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return at.astimezone(UTC) if at.tzinfo else None
