"""Count, per entity, the values of each attribute and type, and what its numbers need."""

from collections.abc import Iterable, Sequence
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


def covered(
    connection: duckdb.DuckDBPyConnection, items: str, shape: Shape
) -> tuple[dict[Pair, int], list[str]]:
    """Return how often each pair of the shape occurs, and the attributes with further types."""
    counts = [f"count({shape.column(attribute, tag)})" for attribute, tag in shape.pairs]
    doubts = [
        f"bool_or({shape.present(attribute)} and not ({shape.explained(attribute)}))"
        for attribute in shape.tags
    ]
    row = connection.execute(f"select {', '.join(counts + doubts)} from {items}").fetchone()
    assert row is not None
    held = {pair: count for pair, count in zip(shape.pairs, row, strict=False) if count}
    doubted = zip(shape.tags, row[len(counts) :], strict=True)
    return held, [attribute for attribute, doubt in doubted if doubt]


def measured(
    connection: duckdb.DuckDBPyConnection, items: str, shape: Shape, pairs: Iterable[Pair]
) -> dict[str | None, Measure]:
    """Return the measure of each entity's items (None: of those without a route)."""
    pairs = sorted(pairs)
    aggregates: list[str] = ["count(*)"]
    plain: list[str] = []
    for attribute, tag in pairs:
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
    return {row[0]: _measure(pairs, row[1:]) for row in rows}


def _measure(pairs: Sequence[Pair], row: tuple[Any, ...]) -> Measure:
    counts: dict[Pair, int] = {}
    numbers: dict[Pair, NumberFacts] = {}
    position = 1
    for pair in pairs:
        counts[pair] = row[position]
        position += 1
        if pair[1] in ("N", "NS"):
            numbers[pair] = facts_of(row[position : position + _FACTS])
            position += _FACTS
    return Measure(row[0], counts, numbers)
