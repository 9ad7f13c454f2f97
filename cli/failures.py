"""Say what went wrong in one line, and keep the details of what nobody expected in a log."""

import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from extractors.errors import WarehouseError, storage_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.inspection import Problem
    from warehouse.config import Settings

_USAGE = 2
_INTERRUPTED = 130  # what shells give for SIGINT
# How click calls numbers that have limits
_RANGES = {"valid integer range": "whole number", "valid float range": "number"}

_known: list["Settings"] = []


def remember(settings: "Settings") -> None:
    """Keep the configuration for its log folder and for the secrets that no message may show."""
    _known.append(settings)


def report(error: WarehouseError) -> int:
    """Print an error that says itself what to do, and return its exit code."""
    _print(str(error))
    return error.exit_code


def report_problems(problems: "Sequence[Problem]") -> int:
    """Print one line per problem, and return the exit code of the gravest: a source's."""
    for problem in problems:
        _print(problem.message)
    return max(problem.exit_code for problem in problems)


def report_usage(error: click.ClickException) -> int:
    """Print a mistake on the command line and where the help is."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    where = f"; see {context.command_path} --help" if context else ""
    text = " ".join(error.format_message().split()).rstrip(".")
    for called, meant in _RANGES.items():
        text = text.replace(f"is not a {called}", f"is not a {meant}")
    _print(text + where)
    return _USAGE


def report_interrupt() -> int:
    """Say that the work was stopped by hand; what was done so far is kept."""
    _print("interrupted; run the command again to go on")
    return _INTERRUPTED


def report_unexpected(error: Exception) -> int:
    """Print the type and message in one line, and write the traceback to a log.

    A full disk or a denied permission needs no traceback.
    """
    storage = storage_error(error, _known[-1].home if _known else Path.cwd())
    if storage:
        return report(storage)
    summary = " ".join(str(error).split()) or "no message"
    log = _write_log("".join(traceback.format_exception(error)))
    _print(f"{type(error).__name__}: {summary[:500]} (traceback in {log})")
    return 1


def _write_log(text: str) -> Path:
    moment = datetime.now(UTC)
    folder = _known[-1].logs_directory if _known else Path(tempfile.gettempdir())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / f"error-{moment:%Y%m%dT%H%M%S%f}.log"
        log.write_text(_without_secrets(text), encoding="utf-8")
    except OSError:
        log = Path(tempfile.gettempdir()) / f"warehouse-error-{moment:%Y%m%dT%H%M%S%f}.log"
        log.write_text(_without_secrets(text), encoding="utf-8")
    return log


def _print(message: str) -> None:
    click.echo(f"error: {_without_secrets(message)}", err=True)


def _without_secrets(text: str) -> str:
    for settings in _known:
        for secret in settings.secrets():
            text = text.replace(secret, "***")
    return text
