"""What the configuration and the record say of the entities of a table."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from extractors import pii as pii_rules
from extractors.dynamodb.convert import declared_type
from extractors.dynamodb.lines import Pair
from extractors.dynamodb.route import Route, entity_columns
from extractors.naming import raw_name, raw_names
from extractors.package import Column

Columns = Mapping[str, Sequence[Column]]
Rules = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class EntityRules:
    """What the configuration and the record say of an entity's columns.

    `key` maps key attributes to their DynamoDB type. `recorded` are the columns of the entity's
    earlier packages. `pii` maps raw columns to rules.
    """

    key: Mapping[str, str]
    declared: Mapping[str, str]
    recorded: Sequence[Column]
    pii: Mapping[str, str]
    pii_key: str


def entity_rules(
    routes: Sequence[Route],
    key: Mapping[str, str],
    pii: Rules,
    pii_keys: Mapping[str, str],
    types: Columns,
) -> dict[str, EntityRules]:
    """Return the rules of each entity; ConfigError where they cannot be applied.

    `key` maps key attributes to their DynamoDB type.
    """
    raw_key = tuple(raw_names(key).values())
    rules: dict[str, EntityRules] = {}
    for entity, columns in entity_columns(routes).items():
        personal = {raw_name(column): rule for column, rule in pii.get(entity, {}).items()}
        pii_rules.check(entity, personal, raw_key, pii_keys)
        rules[entity] = EntityRules(
            key=key,
            declared={name: declared_type(name, type_) for name, type_ in columns.items()},
            recorded=types.get(entity, ()),
            pii=personal,
            pii_key=pii_rules.current_key(pii_keys) or "",
        )
    return rules


def decoding_id(routes: Sequence[Route], pii: Rules, pii_keys: Mapping[str, str]) -> str:
    """Return what tells apart packages that were made of the same pages by other rules."""
    rules = [[route.entity, route.when, route.columns] for route in routes]
    text = json.dumps([rules, pii, pii_rules.current_key(pii_keys)], sort_keys=True, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def recorded_pairs(rules: Iterable[EntityRules], attributes: AbstractSet[str]) -> set[Pair]:
    """Return the types that these attributes had earlier: rare ones need no second look then."""
    return {
        (column.source_name, tag)
        for entity in rules
        for column in entity.recorded
        if column.source_name in attributes
        for tag in column.source_type.split("|")
        if tag
    }
