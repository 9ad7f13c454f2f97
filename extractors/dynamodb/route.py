"""Send the items of a single-table design to entities, by ordered rules evaluated in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from extractors.dynamodb.canonical import plain_number
from extractors.dynamodb.lines import Shape
from extractors.errors import ConfigError
from extractors.naming import literal, raw_name

Condition = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """Items that meet every condition of `when` (attribute: condition) belong to `entity`.

    A condition is one of `begins_with`, `equals`, `exists`. Without conditions every item fits.
    `columns` are the raw columns (name: DuckDB type) that the entity always has.
    """

    entity: str
    when: Mapping[str, Condition] = field(default_factory=dict[str, Condition])
    columns: Mapping[str, str] = field(default_factory=dict[str, str])


def entity_columns(routes: Sequence[Route]) -> dict[str, dict[str, str]]:
    """Return entity -> declared raw columns, in order of the routes.

    ConfigError where two routes of an entity declare a column with different types.
    """
    entities: dict[str, dict[str, str]] = {}
    for route in routes:
        columns = entities.setdefault(route.entity, {})
        for name, type_ in route.columns.items():
            raw = raw_name(name)
            if columns.setdefault(raw, type_) != type_:
                raise ConfigError(
                    f"route: entity {route.entity} declares column {raw} as {columns[raw]} and as"
                    f" {type_}; give it one type"
                )
    if not entities:
        raise ConfigError("route: a table needs at least one entity")
    return entities


def route_sql(routes: Sequence[Route], shape: Shape) -> str:
    """Return the expression that names an item's entity: the first rule that fits, else NULL."""
    cases = (
        f"when {' and '.join(_conditions(route, shape)) or 'true'} then {literal(route.entity)}"
        for route in routes
    )
    return f"case {' '.join(cases)} end"


def _conditions(route: Route, shape: Shape) -> list[str]:
    return [
        _condition(f"route to {route.entity}: {attribute}", attribute, operator, wanted, shape)
        for attribute, condition in route.when.items()
        for operator, wanted in condition.items()
    ]


def _condition(where: str, attribute: str, operator: str, wanted: Any, shape: Shape) -> str:
    match operator, wanted:
        case "exists", bool():
            present = shape.present(attribute)
            return f"({present})" if wanted else f"not ({present})"
        case "begins_with", str():
            return _on(shape, attribute, "S", lambda v: f"starts_with({v}, {literal(wanted)})")
        case "equals", str():
            return _on(shape, attribute, "S", lambda v: f"{v} = {literal(wanted)}")
        case "equals", bool():
            return _on(shape, attribute, "BOOL", lambda v: f"{v} = {str(wanted).lower()}")
        case "equals", int() | float() | Decimal():
            number = literal(plain_number(str(wanted)) or str(wanted))
            return _on(shape, attribute, "N", lambda v: f"plain_number({v}) = {number}")
        case _:
            raise ConfigError(
                f"{where}: {operator}: {wanted!r} is not a condition; write begins_with: TEXT,"
                " equals: TEXT, NUMBER or true/false, or exists: true/false"
            )


def _on(shape: Shape, attribute: str, tag: str, condition: Any) -> str:
    """Return the condition on the attribute's values of one type; of other types it is false."""
    column = shape.column(attribute, tag)
    return f"coalesce({condition(column)}, false)" if column else "false"
