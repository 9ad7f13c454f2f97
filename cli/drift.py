"""Find columns that the dbt models use and that a source does not have (any more)."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

STAGING = Path(__file__).resolve().parents[1] / "dbt_project" / "models" / "staging"

_SOURCE = re.compile(r"source\('raw_(\w+)', '(\w+)'\)")
_IMPORT = re.compile(r"(\w+) as \(select \* from \{\{ ref\('(\w+)'\) \}\}\)")
# Staging renames and casts: what it takes from a base model stands as `cast(name as …`, alone on
# a line, or as `model.name`.
_BARE = re.compile(r"\bcast\((\w+) as\b|^ +(\w+),$", re.MULTILINE)
# What a base model adds to the columns of its table.
_ADDED = re.compile(r"\bas (\w+)|^ +\w+\.(\w+),$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Use:
    """A column of a raw table (source, entity) that a staging model takes."""

    source: str
    entity: str
    column: str
    model: str


def uses(staging: Path = STAGING) -> Iterator[Use]:
    """Yield what the staging models take from the raw tables, as far as their text shows it."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(staging.rglob("*.sql"))}
    for model, text in texts.items():
        imports = [(alias, base) for alias, base in _IMPORT.findall(text) if base in texts]
        for alias, base in imports:
            tables = _SOURCE.findall(texts[base])
            if len(tables) != 1:
                continue
            [(source, entity)] = tables
            taken = re.findall(rf"\b{alias}\.(\w+)", text)
            if len(imports) == 1:
                taken += [one or other for one, other in _BARE.findall(text)]
            added = {one or other for one, other in _ADDED.findall(texts[base])}
            for column in dict.fromkeys(taken):
                if not column.startswith("_") and column not in added:
                    yield Use(source, entity, column, model)


def missing(columns: Mapping[tuple[str, str], Collection[str]], used: Iterable[Use]) -> list[Use]:
    """Return the uses of columns that a raw table (source, entity) would not have.

    Tables that `columns` does not name are not judged.
    """
    return [
        use
        for use in used
        if (use.source, use.entity) in columns and use.column not in columns[use.source, use.entity]
    ]
