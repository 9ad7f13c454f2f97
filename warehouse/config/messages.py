"""Say what pydantic found in the words of someone who writes YAML."""

import difflib

from pydantic_core import ErrorDetails

from warehouse.config.document import Location
from warehouse.config.models import LoadSection, PublicationSection, Settings, WarehouseSection
from warehouse.config.readers import ReaderSection
from warehouse.config.sources import (
    Condition,
    DynamodbSource,
    DynamodbTable,
    PostgresSource,
    RelationalTable,
    Route,
)
from warehouse.config.values import Section

# By the first word of pydantic's error type; a value itself is never repeated: it may be a secret.
_NEEDS = {
    "bool": "needs true or false",
    "dict": "needs lines of `key: value`",
    "float": "needs a number",
    "int": "needs a whole number",
    "list": "needs a list, such as [order_id]",
    "missing": "is required",
    "model": "needs lines of `key: value`",
    "path": "needs a path",
    "string": "needs text; put quotes around a number that is meant as text",
    "too": "needs at least one entry",
}
_SAYS = {
    "greater_than_equal": "is at least {ge:g}",
    "less_than_equal": "is at most {le:g}",
    "literal_error": "is one of {expected}",
    "string_too_short": "is empty",
    "value_error": "{error}",
}
_SECTIONS: dict[str, type[Section]] = {
    "warehouse": WarehouseSection,
    "publication": PublicationSection,
    "load": LoadSection,
}


def message_of(detail: ErrorDetails) -> str:
    """Return the message of one of pydantic's errors."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(detail["loc"])
    if kind in _SAYS:
        return _SAYS[kind].format(**context)
    return _NEEDS.get(kind.split("_")[0], detail["msg"])


def _unknown_key(location: Location) -> str:
    *parents, key = location
    section = _section(parents)
    known = [field.alias or name for name, field in section.model_fields.items()]
    near = difflib.get_close_matches(str(key), known, n=1)
    if near:
        return f"unknown key; did you mean {near[0]}?"
    return f"unknown key; there are {', '.join(known)}"


def _section(parents: list[str | int]) -> type[Section]:
    match parents:
        case [str(name)] if name in _SECTIONS:
            return _SECTIONS[name]
        case ["publication", "readers", _]:
            return ReaderSection
        case ["sources", _, "postgres"]:
            return PostgresSource
        case ["sources", _, "postgres", "tables", _]:
            return RelationalTable
        case ["sources", _, "dynamodb"]:
            return DynamodbSource
        case [*_, "when", _]:
            return Condition
        case [*_, "route", int()]:
            return Route
        case ["sources", _, "dynamodb", "tables", _]:
            return DynamodbTable
        case _:
            return Settings
