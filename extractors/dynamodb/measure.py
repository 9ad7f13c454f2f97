"""Count, per entity, the values of each attribute and type, and what its numbers need."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from extractors.dynamodb.lines import Pair, Shape
from extractors.dynamodb.numbers import NumberFacts, facts_of, facts_sql, set_facts_sql

_FACTS = 5


@dataclass(frozen=True, slots=True)
class Measure:
    """What the items of one entity hold."""

    items: int
    counts: dict[Pair, int]
    numbers: dict[Pair, NumberFacts]

    def held(self, attribute: str, tags: Sequence[str]) -> dict[str, int]:
        """Return the tags that an attribute really has, with the number of values of each."""
        counted = {tag: self.counts.get((attribute, tag), 0) for tag in tags}
        return {tag: count for tag, count in counted.items() if count}


def unexplained_attributes(
    connection: duckdb.DuckDBPyConnection, items: str, shape: Shape
) -> set[str]:
    """Return the attributes that some items have in a type that the shape does not name."""
    doubts = ", ".join(
        f"bool_or({shape.presence(attribute)} and not ({shape.present(attribute)}))"
        for attribute in shape.tags
    )
    row = connection.execute(f"select {doubts} from {items}").fetchone()
    assert row is not None
    return {attribute for attribute, doubt in zip(shape.tags, row, strict=True) if doubt}


def measured(
    connection: duckdb.DuckDBPyConnection, items: str, shape: Shape
) -> dict[str | None, Measure]:
    """Return the measure of each entity's items (None: of those without a route)."""
    aggregates: list[str] = ["count(*)"]
    plain: list[str] = []
    for attribute, tag in shape.pairs:
        value = shape.column(attribute, tag)
        assert value is not None
        aggregates.append(f"count({value})")
        if tag == "N":
            plain.append(f"plain({value}) as p{value}")
            aggregates += facts_sql(value, f"p{value}")
        elif tag == "NS":
            plain.append(f"list_transform({value}, lambda n: plain(n)) as p{value}")
            aggregates += set_facts_sql(f"p{value}")
    rows = connection.execute(
        f"select entity, {', '.join(aggregates)}"
        f" from (select {', '.join(['*', *plain])} from {items}) group by entity"
    ).fetchall()
    return {row[0]: _measure(shape, row[1:]) for row in rows}


def _measure(shape: Shape, row: tuple[Any, ...]) -> Measure:
    counts: dict[Pair, int] = {}
    numbers: dict[Pair, NumberFacts] = {}
    position = 1
    for pair in shape.pairs:
        counts[pair] = row[position]
        position += 1
        if pair[1] in ("N", "NS"):
            numbers[pair] = facts_of(row[position : position + _FACTS])
            position += _FACTS
    return Measure(row[0], counts, numbers)
