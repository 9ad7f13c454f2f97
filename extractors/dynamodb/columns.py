"""Plan an entity's raw columns: names stay, types only widen, declared ones always exist."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from extractors.dynamodb.convert import Conversion, declared, natural
from extractors.dynamodb.lines import TAGS, Shape
from extractors.dynamodb.measure import Measure
from extractors.dynamodb.numbers import NumberFacts
from extractors.dynamodb.personal import personal, rules_by_attribute
from extractors.dynamodb.rules import EntityRules
from extractors.naming import raw_names
from extractors.package import Column

ATTRIBUTES = Column("_attributes", "VARCHAR", "", "")

_TYPED_TAGS = tuple(tag for tag in TAGS if tag != "NULL")
# What `natural` can give a type of DynamoDB; a recorded type that is none of these was declared.
_NATURAL_TYPES = {
    "S": "VARCHAR",
    "N": r"VARCHAR|BIGINT|DECIMAL\(\d+,\d+\)",
    "B": "BLOB",
    "BOOL": "BOOLEAN",
    "SS": r"VARCHAR\[\]",
    "NS": r"(VARCHAR|BIGINT|DECIMAL\(\d+,\d+\))\[\]",
    "BS": r"BLOB\[\]",
    "L": "VARCHAR",
    "M": "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A raw column and how it is made."""

    column: Column
    conversion: Conversion


class ColumnPlan:
    """The columns of one entity."""

    def __init__(self, shape: Shape, measure: Measure, rules: EntityRules) -> None:
        self._shape = shape
        self._rules = rules
        self._measure = measure
        self._held = {
            attribute: held
            for attribute, tags in shape.tags.items()
            if (held := measure.held(attribute, [tag for tag in tags if tag != "NULL"]))
        }
        self._recorded: dict[str, list[Column]] = {}
        for column in rules.recorded:
            if column.source_name:
                self._recorded.setdefault(column.source_name, []).append(column)
        attributes = self._held.keys() | self._recorded.keys() | rules.key.keys()
        self._names = raw_names(attributes, self._taken())
        self.pii = rules_by_attribute(sorted(shape.tags.keys() | attributes), rules.pii)
        planned = {
            plan.column.name: plan
            for attribute in sorted(attributes)
            for plan in self._attribute(attribute)
        }
        for name, type_ in rules.declared.items():
            if name not in planned and name not in self._dropped():
                planned[name] = Planned(Column(name, type_, "", ""), declared([], type_))
        self.key = tuple(self._names[attribute] for attribute in rules.key)
        others = sorted(planned.keys() - set(self.key))
        self.columns = tuple(planned[name] for name in (*self.key, *others))

    def _taken(self) -> dict[str, str]:
        """Return the names given earlier: of attributes, and of their further types."""
        taken: dict[str, str] = {}
        for attribute, columns in self._recorded.items():
            bare = min(columns, key=lambda column: len(column.name))
            taken[attribute] = bare.name
            taken |= {
                _variant(attribute, column.source_type): column.name
                for column in columns
                if column is not bare
            }
        return taken

    def _dropped(self) -> set[str]:
        named = {name: rule for name, rule in self._rules.pii.items() if rule == "drop"}
        return named.keys() | {
            self._names[attribute]
            for attribute, rule in self.pii.items()
            if rule == "drop" and attribute in self._names
        }

    def _values(self, attribute: str, tags: Sequence[str]) -> list[tuple[str, str]]:
        return [(tag, column) for tag in tags if (column := self._shape.column(attribute, tag))]

    def _attribute(self, attribute: str) -> Iterator[Planned]:
        name = self._names[attribute]
        tags = [tag for tag in _TYPED_TAGS if tag in self._held.get(attribute, {})]
        if rule := self.pii.get(attribute):
            conversion = personal(rule, self._values(attribute, tags), self._rules.pii_key)
            if conversion is not None:
                source_type = "|".join(tags) or self._rules.key.get(attribute, "")
                column = Column(name, conversion.type, attribute, source_type, rule)
                yield Planned(column, conversion)
            return
        recorded = {
            column.name: column for column in self._recorded.get(attribute, []) if not column.pii
        }
        if not tags and not recorded and attribute not in self._rules.key:
            return  # it was personal once and is gone
        owned = self._owned(attribute, name, tags, recorded.get(name))
        variants = {tag: self._variant_name(attribute, tag) for tag in tags if tag not in owned}
        yield self._planned(attribute, name, owned, recorded.get(name))
        for tag, variant in variants.items():
            yield self._planned(attribute, variant, [tag], recorded.get(variant))
        for other, column in recorded.items():
            if other != name and other not in variants.values():
                yield Planned(column, declared([], column.type))

    def _owned(
        self, attribute: str, name: str, tags: Sequence[str], recorded: Column | None
    ) -> list[str]:
        """Return the types whose values go to the bare name; others get columns of their own."""
        declared_apart = {f"{name}__{tag.lower()}" for tag in tags} & self._rules.declared.keys()
        together = [tag for tag in tags if f"{name}__{tag.lower()}" not in declared_apart]
        if name in self._rules.declared:
            return together
        if recorded is not None:
            return recorded.source_type.split("|")
        if attribute in self._rules.key:
            return [self._rules.key[attribute]]
        held = self._held[attribute]
        # with equal counts the type that comes first in TAGS
        return [max(together or tags, key=lambda tag: held[tag])]

    def _variant_name(self, attribute: str, tag: str) -> str:
        """Return the name of the column for a further type of an attribute, for good."""
        pseudonym = _variant(attribute, tag)
        if pseudonym not in self._names:
            candidate = base = f"{self._names[attribute]}__{tag.lower()}"
            number = 1
            while candidate in self._names.values():
                number += 1
                candidate = f"{base}__{number}"
            self._names[pseudonym] = candidate
        return self._names[pseudonym]

    def _planned(
        self, attribute: str, name: str, tags: Sequence[str], recorded: Column | None
    ) -> Planned:
        values = self._values(attribute, tags)
        type_ = self._rules.declared.get(name) or _declared_before(recorded)
        if type_ is not None:
            seen = {tag for tag, _ in values} | set(
                recorded.source_type.split("|") if recorded else ()
            )
            conversion = declared(values, type_)
            source_type = "|".join(tag for tag in TAGS if tag in seen)
            return Planned(Column(name, type_, attribute, source_type), conversion)
        tag = tags[0]
        facts = self._measure.numbers.get((attribute, tag), NumberFacts())
        value = values[0][1] if values else f"cast(null as {_storage(tag)})"
        conversion = natural(tag, value, facts, recorded.type if recorded else None)
        return Planned(Column(name, conversion.type, attribute, tag), conversion)


def _variant(attribute: str, tag: str) -> str:
    # stands in raw_names for a second type; no attribute can be called so in practice
    return f"{attribute}\0{tag}"


def _declared_before(recorded: Column | None) -> str | None:
    """Return the type of a recorded column that was declared once: it is kept."""
    if recorded is None:
        return None
    types = _NATURAL_TYPES.get(recorded.source_type)
    return None if types and re.fullmatch(types, recorded.type) else recorded.type


def _storage(tag: str) -> str:
    if tag in ("SS", "NS", "BS"):
        return "VARCHAR[]"
    return "BOOLEAN" if tag == "BOOL" else "VARCHAR"
