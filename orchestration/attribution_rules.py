"""Read what a dbt project says of attribution, settings and rules, and say what is wrong in it.

dbt checks them as well, but after the sources were read, and in terms of its own.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

import yaml

from extractors.errors import ConfigError

RULES = ("channel_rules", "click_ids", "medium_kinds", "referrer_kinds")
DATED = ("valid_from", "valid_to")

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_FIRST_MONTH = "1900-01"
# The least and the greatest whole number that a setting may be.
_NUMBERS = {
    "lookback_days": (1, 3650),
    "half_life_days": (1, 3650),
    "position_first": (0, 100),
    "position_last": (0, 100),
    "fit_days": (1, 3650),
    "markov_order": (1, 3),
}
_CHOICES = {
    "path_transform": ("exposure", "unique", "first", "frequency"),
    "group_by": ("channel",),
}


@dataclass(frozen=True, slots=True)
class Project:
    """The variables of a dbt project, and the rows of its seeds of rules."""

    variables: Mapping[str, Any]
    rules: Mapping[str, Sequence[Mapping[Any, Any]]]


def read(folder: Path) -> Project:
    """Return what a project says; ConfigError names the file, row and field of each mistake."""
    document = yaml.safe_load((folder / "dbt_project.yml").read_text(encoding="utf-8"))
    variables: Mapping[str, Any] = document.get("vars") or {}
    problems = [
        f"dbt_project.yml: attribution_settings{problem}"
        for problem in _of_settings(variables.get("attribution_settings", []))
    ]
    rules: dict[str, list[dict[str | None, Any]]] = {}
    for name in RULES:
        path = folder / "seeds" / f"{name}.csv"
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                rules[name] = [*csv.DictReader(file)]
            problems += [f"seeds/{name}.csv{problem}" for problem in _of_rules(rules[name])]
    if problems:
        raise ConfigError("\n".join(problems))
    return Project(variables, rules)


def _of_settings(rows: Any) -> Iterator[str]:
    if not isinstance(rows, list):
        yield f" is {rows!r}: write a list of rows, each with its valid_from"
        return
    before = ""
    complete: dict[str, Any] = {}
    for number, row in enumerate(cast("list[Any]", rows), 1):
        if not isinstance(row, dict):
            yield f", row {number}: {row!r} is no row of settings, write {{valid_from: …, …}}"
            continue
        given = cast("dict[str, Any]", row)
        month = str(given.get("valid_from", ""))
        if not _MONTH.fullmatch(month):
            yield f", row {number}: valid_from is {month!r}: write a month such as '2026-01'"
        elif number == 1 and month != _FIRST_MONTH:
            yield f", row 1: valid_from is '{month}': the first row holds from '{_FIRST_MONTH}'"
        elif month <= before:
            yield (
                f", row {number}: valid_from '{month}' does not follow '{before}': each row begins"
                " in a later month than the one before it"
            )
        before = max(before, month)
        for name, value in given.items():
            if problem := _of_setting(name, value):
                yield f", row {number}: {name} {problem}"
        complete |= given
        ends = [complete.get(name) for name in ("position_first", "position_last")]
        if all(isinstance(end, int) for end in ends) and sum(cast("list[int]", ends)) > 100:
            yield (
                f", row {number}: position_first and position_last are {ends[0]} and {ends[1]}:"
                " together at most 100 percent"
            )


def _of_setting(name: str, value: Any) -> str:
    """Return what is wrong with a setting, nothing where it is right."""
    if name in _CHOICES:
        choices = _CHOICES[name]
        return "" if value in choices else f"is {value!r}: use {' or '.join(choices)}"
    if name in _NUMBERS:
        least, most = _NUMBERS[name]
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return ""
        return f"is {value!r}: use a whole number from {least} to {most}"
    if name == "valid_from":
        return ""
    return f"is no setting; there are {', '.join(sorted((*_NUMBERS, *_CHOICES)))}"


def _of_rules(rows: Sequence[Mapping[str | None, Any]]) -> Iterator[str]:
    ranks: dict[str, int] = {}
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            yield f":{line}: has another number of fields than the header; empty fields need commas"
            continue
        for name in DATED:
            if (value := row.get(name)) and not _is_date(value):
                yield f":{line}: {name} is {value!r}: write a day such as 2026-01-31"
        if (rank := row.get("rule_rank")) is None:
            continue
        if not rank.isdecimal():
            yield f":{line}: rule_rank is {rank!r}: write a whole number, lower ones go first"
        elif rank in ranks:
            yield f":{line}: rule_rank {rank} is that of line {ranks[rank]} too: give it its own"
        ranks.setdefault(rank, line)


def _is_date(text: str) -> bool:
    try:
        return str(date.fromisoformat(text)) == text
    except ValueError:
        return False
