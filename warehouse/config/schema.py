"""The JSON Schema of `warehouse.yml`, for editors."""

import json
from typing import Any, cast

from warehouse.config.models import Settings

# Any value may be a variable, which an editor cannot look up.
_VARIABLE = {
    "description": "${NAME} or ${NAME:-default}, from the environment or .env",
    "pattern": r"\$\{",
    "type": "string",
}


def schema_text() -> str:
    """Return the JSON Schema as text, the same for the same version."""
    schema = _for_editors(Settings.model_json_schema(by_alias=True))
    schema["$defs"]["variable"] = _VARIABLE
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "warehouse.yml",
        **schema,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _for_editors(node: Any) -> Any:
    """Return the schema with numbers, booleans and choices also taking a variable.

    Titles that only repeat the key are left out. `kind` takes no variable: editors choose a
    source's keys by it.
    """
    if isinstance(node, list):
        return [_for_editors(item) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    found = cast("dict[str, Any]", node)
    schema = {
        key: _for_editors(value)
        for key, value in found.items()
        if key != "title" or not isinstance(value, str)
    }
    if "enum" not in schema and schema.get("type") not in ("integer", "number", "boolean"):
        return schema
    outside = {key: schema.pop(key) for key in ("description", "default") if key in schema}
    return {**outside, "anyOf": [schema, {"$ref": "#/$defs/variable"}]}
