"""What must agree between the parts of the configuration."""

from collections.abc import Iterator, Mapping
from typing import Literal

from warehouse.config.sources import PostgresSource, Source
from warehouse.config.values import Misfit

PiiRule = Literal["hmac", "drop", "year"]


def repeated_entities(sources: Mapping[str, Source]) -> Iterator[Misfit]:
    """Yield the tables that would fill a raw table that another one fills already."""
    for name, source in sources.items():
        feeders: dict[str, str] = {}
        for table in source.tables:
            for entity in source.entities(table):
                other = feeders.setdefault(entity, table)
                if other != table:
                    yield (
                        (name, "tables", table),
                        f"fills raw_{name}.{entity}, which {other} fills already",
                    )
        if isinstance(source, PostgresSource):
            for table, entry in source.tables.items():
                history = f"{source.entities(table)[0]}__history"
                if entry.history and history in feeders:
                    yield (
                        (name, "tables", feeders[history]),
                        f"fills raw_{name}.{history}, which the history of {table} fills already",
                    )


def pii_misfits(
    pii: Mapping[str, Mapping[str, PiiRule]],
    sources: Mapping[str, Source],
    keys: Mapping[str, object],
) -> Iterator[Misfit]:
    """Yield the rules for tables that nothing reads, for keys, or without a secret."""
    for target, columns in pii.items():
        source_name, _, table = target.partition(".")
        source = sources.get(source_name)
        if source is None or table not in _targets(source):
            yield (target,), "no source reads such a table; write SOURCE.TABLE"
            continue
        relational = source.tables.get(table) if isinstance(source, PostgresSource) else None
        for column, rule in columns.items():
            if relational and rule != "hmac" and column in relational.key:
                yield (target, column), "is part of the key, so its rule can only be hmac"
            if rule == "hmac" and not keys:
                yield (target, column), "hmac needs a secret under pii_keys"


def _targets(source: Source) -> set[str]:
    return {entity for table in source.tables for entity in (table, *source.entities(table))}
