"""Plan how the items of a finished scan become columns, after looking at every one of them."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import duckdb

from extractors import pii
from extractors.dynamodb import functions
from extractors.dynamodb.columns import ColumnPlan
from extractors.dynamodb.errors import UndecodableError
from extractors.dynamodb.lines import Pair, Shape
from extractors.dynamodb.measure import Measure, covered, measured
from extractors.dynamodb.route import Route, route_sql
from extractors.dynamodb.rules import EntityRules
from extractors.naming import literal

# Items of more lines than this are decoded on disk instead of in memory (which DuckDB would spill
# as well, but uncompressed).
IN_MEMORY_BYTES = 256 << 20
_MEMORY = "2GB"


def connected(scratch: Path, pii_keys: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    """Return an in-memory DuckDB with our functions, which spills to `scratch`."""
    connection = duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": str(scratch)})
    connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
    functions.define(connection)
    pii.use_keys(connection, pii_keys)
    return connection


@dataclass(frozen=True, slots=True)
class Decoding:
    """The table of a finished scan's items, and how each entity's items become columns.

    The table has the columns of the shape and `entity` (NULL: no route); its rowid counts from 0.
    """

    items: str
    rows: int
    shape: Shape
    measures: Mapping[str | None, Measure]
    plans: Mapping[str, ColumnPlan]
    key: tuple[str, ...]


def decoding(
    connection: duckdb.DuckDBPyConnection,
    scratch: Path,
    pairs: AbstractSet[Pair],
    files: Sequence[Path],
    attributes: int,
    routes: Sequence[Route],
    rules: Mapping[str, EntityRules],
) -> Decoding:
    """Load all files and return the plan: what they hold is measured before any of it is cast.

    `pairs` name every attribute but maybe not all its types; SourceError when in the end not
    exactly the `attributes` values that were captured are found.
    """
    items = _table(connection, scratch, files)
    shape = Shape(pairs | _likely(pairs))
    rows = _load(connection, items, shape, files, routes)
    held, doubts = covered(connection, items, shape) if rows else ({}, [])
    if doubts:
        shape = shape.with_types(doubts)
        _load(connection, items, shape, files, routes)
        held, doubts = covered(connection, items, shape)
    if doubts or sum(held.values()) != attributes:
        raise UndecodableError(
            f"decoding found {sum(held.values())} attribute values where the pages held"
            f" {attributes}; nothing was written: report the types of"
            f" {', '.join(doubts) or 'the attributes'}"
        )
    measures = measured(connection, items, shape, held) if rows else {}
    plans = {
        entity: ColumnPlan(shape, measures.get(entity) or Measure(0, {}, {}), entity_rules)
        for entity, entity_rules in rules.items()
    }
    key = tuple(next(iter(rules.values())).key)
    return Decoding(items, rows, shape, measures, plans, key)


def _likely(pairs: AbstractSet[Pair]) -> set[Pair]:
    """Return the types that a scalar attribute may have in an item outside the sample.

    Columns for them cost a tenth of a second reading of all items.
    """
    scalars = {attribute for attribute, tag in pairs if tag in ("S", "N", "NULL")}
    return {(attribute, tag) for attribute in scalars for tag in ("S", "N", "NULL")}


def _table(connection: duckdb.DuckDBPyConnection, scratch: Path, files: Sequence[Path]) -> str:
    """Return the name of the table for the items: in memory where they are few."""
    if sum(file.stat().st_size for file in files) <= IN_MEMORY_BYTES:
        return "items"
    connection.execute(f"attach {literal(str(scratch / 'items.duckdb'))} as on_disk")
    return "on_disk.items"


def _load(
    connection: duckdb.DuckDBPyConnection,
    items: str,
    shape: Shape,
    files: Sequence[Path],
    routes: Sequence[Route],
) -> int:
    """Make the table of all items and return how many there are."""
    if not files:
        return 0
    loaded = connection.execute(
        f"create or replace table {items} as select *, {route_sql(routes, shape)} as entity"
        f" from ({shape.query(files)})"
    ).fetchone()
    return loaded[0] if loaded else 0
