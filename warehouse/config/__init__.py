"""Find, read and check `warehouse.yml`."""

import os
from pathlib import Path

from extractors.errors import ConfigError
from warehouse.config.models import Settings
from warehouse.config.problems import problems_of
from warehouse.config.selection import selection, table_named
from warehouse.config.variables import share_with_aws, variables_of

__all__ = [
    "FILE_NAME",
    "Settings",
    "find",
    "load",
    "place",
    "require_available",
    "selection",
    "table_named",
]

FILE_NAME = "warehouse.yml"
VARIABLE = "WAREHOUSE_CONFIG"


def place(path: Path | None = None) -> Path:
    """Return where the configuration is: as given, then WAREHOUSE_CONFIG, then ./warehouse.yml."""
    return Path.cwd() / (path or os.environ.get(VARIABLE) or FILE_NAME)


def find(path: Path | None = None) -> Path:
    """Return the configuration file, which is at its place."""
    chosen = place(path)
    if chosen.is_file():
        return chosen
    named = os.environ.get(VARIABLE)
    how = "--config" if path else f"the variable {VARIABLE}" if named else "the current folder"
    raise ConfigError(
        f"{chosen}: no such configuration file (looked for by {how});"
        " `warehouse init` writes one, `warehouse demo up` one of a whole small shop"
    )


def load(path: Path | None = None) -> Settings:
    """Return the checked configuration; ConfigError lists every problem with path and line."""
    file = find(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"{file}: {reason}") from None
    variables = variables_of(file.parent / ".env")
    settings, problems = problems_of(text, file, variables)
    if settings is None:
        lines = [f"{file.name}:{problem.line}: {problem}" for problem in problems]
        head = f"{file}: {len(lines)} problems\n  " if len(lines) > 1 else ""
        raise ConfigError(head + "\n  ".join(lines))
    share_with_aws(variables)
    return settings


def require_available(settings: Settings) -> None:
    """Refuse an engine that this version cannot run."""
    if settings.warehouse.engine != "duckdb":
        raise ConfigError(
            f"{settings.path.name}: warehouse.engine: {settings.warehouse.engine} is not available"
            " in this version; use engine: duckdb"
        )
