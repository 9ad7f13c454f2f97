"""Read the recommendation lists of a published version: related products, a customer's products."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from extractors.errors import ConfigError
from extractors.naming import quoted
from warehouse.config import Settings
from warehouse.export.items import Value, entries
from warehouse.publish import versions
from warehouse.publish.reader import Published, open_published

_ROWS = 20_000  # read at once

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ListKind:
    """A table of ranked lists: `key` says whose list a row is of, `rank` its place in it."""

    name: str
    schema: str
    table: str
    key: str


RELATED = ListKind("related", "recommendation", "related_products", "product_id")
RECOMMENDATIONS = ListKind(
    "recommendations", "recommendation", "customer_recommendations", "customer_id"
)
KINDS = {"related-products": RELATED, "recommendations": RECOMMENDATIONS}


@dataclass(frozen=True, slots=True)
class Source:
    """One version that is open for reading, and when its tick was."""

    published: Published
    version: str
    as_of: datetime


def opened(settings: Settings, version: str | None) -> Source:
    """Open the published version, or an earlier one; the caller closes `published`."""
    published = open_published(version, settings.path)
    record = versions.record_of(settings, published.version)
    if record is None:
        published.close()
        raise ConfigError(f"version {published.version} does not exist (any more)")
    return Source(published, published.version, datetime.fromisoformat(record["as_of"]))


def require(source: Source, *tables: tuple[str, str]) -> None:
    """Refuse a version without one of the tables (schema, table)."""
    known = set(source.published.tables())
    for schema, table in tables:
        if f"{schema}.{table}" not in known:
            raise ConfigError(
                f"version {source.version} has no table {schema}.{table}: it was built before there"
                " was one; run `warehouse run`, or name a later version"
            )


def columns(source: Source, kind: ListKind) -> list[str]:
    """Return the columns of the lists: whose they are, the rank, then the others as published."""
    require(source, (kind.schema, kind.table))
    found = source.published.execute(
        "select column_name from duckdb_columns() where schema_name = ? and table_name = ?"
        " order by column_index",
        [kind.schema, kind.table],
    ).fetchall()
    names = [str(name) for (name,) in found]
    first = [kind.key, "rank"]
    return first + [name for name in names if name not in first]


def rows(source: Source, kind: ListKind) -> Iterator[Row]:
    """Yield the rows in the order of key and rank, with the columns that `columns` names."""
    selected = ", ".join(map(quoted, columns(source, kind)))
    cursor = source.published.cursor()
    try:
        cursor.execute(
            f"select {selected} from {quoted(kind.schema)}.{quoted(kind.table)}"
            f" order by {quoted(kind.key)}, rank"
        )
        while found := cursor.fetchmany(_ROWS):
            yield from found
    finally:
        cursor.close()


def lists(source: Source, kind: ListKind) -> Iterator[tuple[str, list[Row]]]:
    """Yield each list with whose it is, in the order of the keys."""
    for key, group in groupby(rows(source, kind), key=itemgetter(0)):
        yield str(key), list(group)


def contents(source: Source, kind: ListKind) -> Iterator[tuple[str, Value]]:
    """Yield each list with whose it is, its rows in DynamoDB's notation."""
    names = columns(source, kind)
    for key, ranked in lists(source, kind):
        yield key, entries(names, ranked)
