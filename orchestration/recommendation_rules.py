"""Read what a dbt project says of recommendations, and say what is wrong in it.

Before a source is read: dbt would take a row that cannot be followed for one that blocks nothing.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from extractors.errors import ConfigError

BLOCKED = Path("seeds", "blocked_categories.csv")


def require_understood(folder: Path) -> None:
    """Raise ConfigError naming file, line and field of each mistake in the blocked categories.

    A project of one's own may do without the file.
    """
    path = folder / BLOCKED
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file)]
    if problems := [f"{BLOCKED}:{problem}" for problem in _of_blocked(rows)]:
        raise ConfigError("\n".join(problems))


def _of_blocked(rows: Sequence[Mapping[str | Any, Any]]) -> Iterator[str]:
    lines: dict[str, int] = {}
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            yield f"{line}: has another number of fields than the header; empty fields need commas"
            continue
        category = row.get("category", "")
        if not category.strip():
            yield f"{line}: category is empty: write one as the catalogue does"
        elif category != category.strip():
            yield f"{line}: category is {category!r}: take the spaces around it away"
        elif category.lower() in lines:
            yield (
                f"{line}: category is that of line {lines[category.lower()]} too: one row is"
                " enough, from the first day on"
            )
        lines.setdefault(category.lower(), line)
        if (value := row.get("valid_from")) and not _is_date(value):
            yield f"{line}: valid_from is {value!r}: write a day such as 2026-01-31"
        if not row.get("reason", "").strip():
            yield f"{line}: reason is empty: say why nothing of {category!r} is recommended"


def _is_date(text: str) -> bool:
    try:
        return str(date.fromisoformat(text)) == text
    except ValueError:
        return False
