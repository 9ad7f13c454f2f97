"""Find columns that the dbt models use and that a source does not have (any more)."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from extractors.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from cli.inspection import Findings, TableCheck
    from warehouse.config import Settings
    from warehouse.config.sources import DynamodbSource

SHIPPED = Path(__file__).resolve().parents[1] / "dbt_project"

_SOURCE = re.compile(r"source\('raw_(\w+)', '(\w+)'\)")
_IMPORT = re.compile(r"(\w+) as \(select \* from \{\{ ref\('(\w+)'\) \}\}\)")
# Staging renames and casts: what it takes from a base model stands as `cast(name as …`, alone on
# a line, or as `model.name`.
_BARE = re.compile(r"\bcast\((\w+) as\b|^ +(\w+),$", re.MULTILINE)
# What a base model, or a macro that it calls, adds to the columns of its table; what is optional it
# adds where the table has none.
_CALL = re.compile(r"\{\{-? (\w+)\(")
_OPTIONAL = re.compile(r"optional_column\(source\([^)]*\), '(\w+)'\)")
_ADDED = re.compile(r"\bas (\w+)|^ +\w+\.(\w+),$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Use:
    """A column of a raw table (source, entity) that a staging model takes."""

    source: str
    entity: str
    column: str
    model: str


def uses(project: Path = SHIPPED) -> Iterator[Use]:
    """Yield what the staging models take from the raw tables, as far as their text shows it."""
    texts = _texts(project / "models" / "staging")
    macros = _texts(project / "macros")
    for model, text in texts.items():
        imports = [(alias, base) for alias, base in _IMPORT.findall(text) if base in texts]
        for alias, imported in imports:
            bases = _below(imported, texts)
            tables = _SOURCE.findall("".join(texts[base] for base in bases))
            if len({*tables}) != 1:
                continue
            source, entity = tables[0]
            taken = re.findall(rf"\b{alias}\.(\w+)", text)
            if len(_IMPORT.findall(text)) == 1:
                taken += [one or other for one, other in _BARE.findall(text)]
            written = [texts[base] for base in bases]
            written += [macros.get(name, "") for text in written for name in _CALL.findall(text)]
            added = {one or other for text in written for one, other in _ADDED.findall(text)}
            added |= {name for text in written for name in _OPTIONAL.findall(text)}
            for column in dict.fromkeys(taken):
                if not column.startswith("_") and column not in added:
                    yield Use(source, entity, column, model)


def _below(model: str, texts: Mapping[str, str]) -> list[str]:
    """Return a base model, and those below it whose columns it carries on, all of them."""
    text = texts[model]
    carried = [base for alias, base in _IMPORT.findall(text) if f" {alias}.*" in text]
    return [model, *(name for base in carried for name in _below(base, texts))]


def _texts(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.sql"))}


def missing(columns: Mapping[tuple[str, str], Collection[str]], used: Iterable[Use]) -> list[Use]:
    """Return the uses of columns that a raw table (source, entity) would not have.

    Tables that `columns` does not name are not judged.
    """
    return [
        use
        for use in used
        if (use.source, use.entity) in columns and use.column not in columns[use.source, use.entity]
    ]


def add_missing(settings: "Settings", findings: "Findings") -> None:
    """Compare what the dbt models take from raw with what raw has, or will have."""
    from warehouse.config.sources import DynamodbSource

    used = list(uses(settings.warehouse.dbt_project or SHIPPED))
    _add_unread(settings, findings, used)
    for table in findings.tables:
        source = settings.sources[table.source]
        if isinstance(source, DynamodbSource):
            findings.notes.extend(
                f"{use.source}.{use.entity}: {use.model} takes the column {use.column}; name it"
                " under `columns:`, so that it exists even when no item has it"
                for use in missing(_declared(settings, source, table), used)
            )
        else:
            for use in missing(_readable(settings, table), used):
                findings.add(
                    SourceError(
                        f"{use.source}.{use.entity}: has no column {use.column}, which {use.model}"
                        " takes; add it at the source, or rewrite that staging model"
                    )
                )


def _add_unread(settings: "Settings", findings: "Findings", used: list[Use]) -> None:
    read = {
        (name, entity)
        for name, source in settings.sources.items()
        for table in source.tables
        for entity in source.entities(table)
    }
    for source, entity in sorted({(use.source, use.entity) for use in used} - read):
        # what a base model reads is part of the staging model above it
        models = {
            use.model
            for use in used
            if (use.source, use.entity) == (source, entity) and not use.model.startswith("base_")
        }
        findings.add(
            ConfigError(
                f"{settings.path.name}: nothing fills raw_{source}.{entity}, which"
                f" {', '.join(sorted(models))} reads; add the table to sources.{source}, or rewrite"
                " that staging model"
            )
        )


def _readable(settings: "Settings", table: "TableCheck") -> dict[tuple[str, str], set[str]]:
    """Return the raw columns of a relational table, without those that a PII rule drops."""
    from extractors.naming import raw_names

    rules = settings.pii.get(f"{table.source}.{table.table}", {})
    kept = [column for column in table.columns or () if rules.get(column) != "drop"]
    (entity,) = settings.sources[table.source].entities(table.table)
    return {(table.source, entity): set(raw_names(kept).values())}


def _declared(
    settings: "Settings", source: "DynamodbSource", table: "TableCheck"
) -> dict[tuple[str, str], set[str]]:
    """Return the columns that each entity of a table has for certain."""
    from extractors.naming import raw_names
    from warehouse.state import segments

    configured = source.tables[table.table]
    columns = {
        (table.source, entity): set(raw_names([*table.key, *configured.columns]).values())
        for entity in source.entities(table.table)
    }
    for route in configured.route:
        columns[table.source, route.entity] |= set(raw_names(route.columns).values())
    for record in segments.records(settings.state_directory, "column_types"):
        known = columns.get((record["source"], record["entity"]), set[str]())
        known |= {column["name"] for column in record["columns"]}
    return columns
