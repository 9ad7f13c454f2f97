"""What the commands share: the configuration, options, tables and JSON."""

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from warehouse.config import Settings

NUMBER = re.compile(r"-?\d[\d,]*(\.\d+)?")
Command = TypeVar("Command", bound=Callable[..., Any])


def as_json(command: Command) -> Command:
    """Give a command the option --json."""
    option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
    return option(command)


def may_wait(command: Command) -> Command:
    """Give a command that needs the writer lease the option --wait, in seconds."""
    option = click.option(
        "--wait",
        type=click.FloatRange(min=0),
        default=600.0,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for another run to end.",
    )
    return option(command)


def examples(*lines: str) -> str:
    """Return the end of a help page, which click leaves as it is written."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def settings_of(ctx: click.Context) -> "Settings":
    """Return the configuration that --config, WAREHOUSE_CONFIG or the folder names."""
    from cli import failures
    from warehouse import config

    settings = config.load(ctx.find_root().obj)
    failures.remember(settings)
    return settings


class Instant(click.ParamType):
    """A point in time with its offset from UTC."""

    name = "instant"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.fail(f"{value!r} is not an instant such as 2011-09-01T00:00:00Z", param, ctx)
        return moment.astimezone(UTC)


class Day(click.ParamType):
    """A calendar day."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2026-03-01", param, ctx)


def print_json(value: Any) -> None:
    """Print a value as JSON: times in UTC, decimals as text, dataclasses as objects."""
    click.echo(json.dumps(value, indent=2, default=_plain, ensure_ascii=False))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def time_text(moment: datetime | str | None) -> str:
    """Return a time as people read it: UTC, to the second, with a Z."""
    if moment is None:
        return "never"
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def size_text(size: int) -> str:
    """Return a size in bytes, kB, MB, GB or TB."""
    number, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"


def print_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows in columns as wide as they need, numbers to the right."""
    lines = [tuple(head), *(tuple(_cell(value) for value in row) for row in rows)]
    body = lines[1:]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    right = [
        bool(body) and all(NUMBER.fullmatch(line[column]) for line in body)
        for column in range(len(head))
    ]
    for line in lines:
        cells = (
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        )
        click.echo("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, datetime):
        return time_text(value)
    return str(value)
