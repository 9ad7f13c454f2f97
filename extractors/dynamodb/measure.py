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


def measured(
    connection: duckdb.DuckDBPyConnection, items: str, shape: Shape
) -> tuple[dict[str | None, Measure], set[str]]:
    """Return the measure of each entity, and the attributes that have values of further types.

    `items` is a relation of the shape's columns and `entity` (NULL: no route).
    """
    aggregates: list[str] = ["count(*)"]
    aggregates += [f"count(*) filter ({shape.presence(attribute)})" for attribute in shape.tags]
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
    measures = {row[0]: _measure(shape, row[1:]) for row in rows}
    return measures, {
        attribute
        for number, attribute in enumerate(shape.tags)
        if sum(row[2 + number] for row in rows)
        != sum(
            measure.counts[attribute, tag]
            for measure in measures.values()
            for tag in shape.tags[attribute]
        )
    }


def _measure(shape: Shape, row: tuple[Any, ...]) -> Measure:
    counts: dict[Pair, int] = {}
    numbers: dict[Pair, NumberFacts] = {}
    position = 1 + len(shape.tags)
    for pair in shape.pairs:
        counts[pair] = row[position]
        position += 1
        if pair[1] in ("N", "NS"):
            numbers[pair] = facts_of(row[position : position + _FACTS])
            position += _FACTS
    return Measure(row[0], counts, numbers)
