"""`warehouse sql`: ask the published version, once or at a prompt."""

import contextlib
import importlib
import math
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from cli.shared import as_json, examples, print_json, settings_of, time_text
from extractors.errors import ConfigError

if TYPE_CHECKING:
    from warehouse.publish.reader import Published

DOT_COMMANDS = "end a query with `;`, `.tables` lists the tables, `.quit` or Ctrl-D leaves"
PROMPT, CONTINUED = "sql> ", "...> "
# Enough to see what a table holds without scrolling it away.
SHOWN_ROWS = 40
# A file or another program takes all there is.
ALL = 2**31 - 1


@click.command(
    epilog=examples(
        'warehouse sql "select order_date, count(*) from core.orders group by order_date"',
        "warehouse sql                          # a prompt; Ctrl-D leaves it",
        'warehouse sql --version v000001 "select count(*) from core.orders"',
    )
)
@click.argument("query", required=False)
@click.option("--version", metavar="VERSION", help="An earlier version than the current one.")
@as_json
@click.pass_context
def sql(ctx: click.Context, query: str | None, version: str | None, as_json: bool) -> None:
    """Ask the published version in DuckDB's SQL: one QUERY, or a prompt to type them at.

    It is read-only and keeps its version whatever is published meanwhile.
    """
    import warehouse

    settings = settings_of(ctx)
    with warehouse.open(version, settings.path) as published:
        if query is None:
            if as_json:
                raise click.UsageError("--json needs a QUERY", ctx)
            _prompt(published)
        else:
            _answer(published, query, as_json)


def _answer(published: "Published", query: str, as_json: bool) -> None:
    import duckdb

    try:
        if as_json:
            result: Any = published.execute(query)
            names = [column[0] for column in result.description]
            rows = result.fetchall()
            print_json([dict(zip(names, map(_in_json, row), strict=True)) for row in rows])
            return
        relation = published.sql(query)
        if relation is None:
            return
        if sys.stdout.isatty():
            relation.show(max_rows=SHOWN_ROWS)
        else:
            relation.show(max_rows=ALL, max_width=ALL, max_col_width=ALL)
    except duckdb.Error as error:
        raise ConfigError(_told(str(error))) from None


def _told(error: str) -> str:
    """Return DuckDB's error; it may take a table of its own for what was meant."""
    return re.sub(
        r'Did you mean "(pg_|duckdb_|sqlite_|pragma_).*',
        "`warehouse sql 'show all tables'` lists those that do",
        error,
    )


def _in_json(value: Any) -> Any:
    """Return a value as JSON can hold it: exact numbers and times as text, NULL for no number."""
    if isinstance(value, dict):
        return {str(name): _in_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_in_json(one) for one in value]
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


def _prompt(published: "Published") -> None:
    complete = f", complete up to {time_text(found)}" if (found := published.complete_up_to) else ""
    click.echo(f"version {published.version}{complete}; {DOT_COMMANDS}")
    for statement in _statements():
        if statement in {".quit", ".exit"}:
            return
        if statement == ".tables":
            click.echo("\n".join(published.tables()))
            continue
        if statement.startswith("."):
            click.echo(DOT_COMMANDS)
            continue
        try:
            _answer(published, statement, as_json=False)
        except ConfigError as error:
            click.echo(f"error: {error}", err=True)


def _statements() -> Iterator[str]:
    """Yield what is typed, up to a semicolon or a line with a dot command."""
    with contextlib.suppress(ImportError):  # line editing, where Python was built with it
        importlib.import_module("readline")
    typed: list[str] = []
    while True:
        try:
            typed.append(input(CONTINUED if typed else PROMPT))
        except EOFError:
            click.echo()
            return
        statement = "\n".join(typed).strip()
        if not statement or statement.endswith(";") or statement.startswith("."):
            typed.clear()
            if statement.rstrip(";"):
                yield statement.removesuffix(";")
