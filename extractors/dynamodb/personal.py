"""Apply PII rules to the values of DynamoDB attributes, whatever type they have."""

from collections.abc import Mapping, Sequence

from extractors import pii
from extractors.dynamodb.convert import Conversion
from extractors.dynamodb.lines import TAGS
from extractors.naming import raw_name

# The text that is hashed. It depends on the value only, never on the column's type, so that equal
# values stay equal when a column widens.
_TEXTS = {
    "S": "{0}",
    "N": "coalesce(plain_number({0}), {0})",
    "B": "{0}",
    "BOOL": "cast({0} as varchar)",
    "L": "document_L({0})",
    "M": "document_M({0})",
} | dict.fromkeys(("SS", "NS", "BS"), "cast(to_json(list_sort({0})) as varchar)")
assert _TEXTS.keys() == set(TAGS) - {"NULL"}


def rules_by_attribute(attributes: Sequence[str], rules: Mapping[str, str]) -> dict[str, str]:
    """Return the rule of each attribute that has one.

    Rules name raw columns; every attribute that would get the name (`Email` and `email`) follows.
    """
    return {
        attribute: rules[raw_name(attribute)]
        for attribute in attributes
        if raw_name(attribute) in rules
    }


def personal(rule: str, values: Sequence[tuple[str, str]], key_id: str) -> Conversion | None:
    """Return the column of a personal attribute from its (tag, SQL column) pairs; None: dropped."""
    type_ = pii.RAW_TYPES.get(rule)
    if type_ is None:
        return None
    if not values:
        return Conversion(type_, f"cast(null as {type_})")
    if rule == "hmac":
        texts = ", ".join(_TEXTS[tag].format(column) for tag, column in values)
        return Conversion(type_, pii.hmac_sql(f"coalesce({texts})", key_id))
    moments = [
        f"try_cast({column} as timestamptz)" if tag == "S" else "null::timestamptz"
        for tag, column in values
    ]
    moment = f"coalesce({', '.join(moments)})"
    given = " or ".join(f"{column} is not null" for _, column in values)
    return Conversion(type_, pii.year_sql(moment), f"({given}) and {moment} is null")
