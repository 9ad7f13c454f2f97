"""Write items back as DynamoDB JSON in SQL, and the names of the attributes they have."""

import json
from collections.abc import Collection, Mapping

from extractors.dynamodb.lines import Shape
from extractors.dynamodb.measure import Measure
from extractors.naming import literal


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def item_sql(
    shape: Shape, attributes: Collection[str], hashed: Mapping[str, str] | None = None
) -> str:
    """Return the JSON text of an item's attributes, those named only.

    `hashed` holds expressions that stand in for the values of personal attributes.
    """
    pieces: list[str] = []
    for attribute, tag in shape.pairs:
        if attribute in attributes:
            value = shape.column(attribute, tag)
            opening = literal(f"{_json(attribute)}:{{{_json(tag)}:")
            shown = (hashed or {}).get(attribute, value)
            text = f"cast(to_json({shown}) as varchar)"
            pieces.append(f"case when {value} is not null then {opening} || {text} || '}}' end")
    return f"'{{' || concat_ws(',', {', '.join(pieces)}) || '}}'" if pieces else "'{}'"


def attributes_sql(shape: Shape, measure: Measure, hidden: Collection[str]) -> str:
    """Return the JSON array of the names of an item's attributes, sorted.

    It tells NULL (present) from missing, which a column cannot. Attributes in `hidden` are not
    named.
    """
    pieces: list[str] = []
    for attribute in sorted(shape.tags.keys() - set(hidden)):
        name = literal(_json(attribute))
        held = sum(measure.held(attribute, shape.tags[attribute]).values())
        if held == measure.items:
            pieces.append(name)
        elif held:
            pieces.append(f"case when {shape.present(attribute)} then {name} end")
    return f"'[' || concat_ws(',', {', '.join(pieces)}) || ']'" if pieces else "'[]'"
