"""Decide how the columns of a table are read: names, types, PII rules, and their fingerprint."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from extractors import pii
from extractors.errors import ConfigError, SourceError
from extractors.naming import literal, quoted, raw_names
from extractors.package import Column
from extractors.relational.catalogue import KINDS, Relation, SourceColumn
from extractors.relational.connection import Server
from extractors.relational.types import TEXT, Reading, reading, text_sql

TYPE_MAP = 1  # a new number makes every table be read in full once


@dataclass(frozen=True, slots=True)
class TableSpec:
    """What the configuration and earlier reads say of one table.

    `key` and `pii` name source columns. `types` (raw column -> raw type) and `names` (source
    column -> raw column) are those recorded earlier: types only widen, names never change.
    """

    name: str
    key: tuple[str, ...]
    mode: Literal["incremental", "full"] = "incremental"
    deletes: Literal["reconcile", "ignore"] = "reconcile"
    pii: Mapping[str, str] = field(default_factory=dict[str, str])
    pii_keys: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    types: Mapping[str, str] = field(default_factory=dict[str, str])
    names: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Field:
    """One column that is read: `cast` is its DuckDB SQL with the PII rule applied."""

    source: SourceColumn
    name: str
    raw: str
    reading: Reading
    cast: str
    rule: str | None

    @property
    def column(self) -> str:
        """The column's quoted source name, qualified so that it is never another identifier."""
        return f"t.{quoted(self.source.name)}"

    def at_source(self, template: str) -> str:
        """Return SQL at the source with this column filled in."""
        return template.replace("{c}", self.column)


@dataclass(frozen=True, slots=True)
class Plan:
    """How one table is read."""

    spec: TableSpec
    relation: Relation
    fields: tuple[Field, ...]
    fingerprint: str

    @property
    def table(self) -> str:
        """The table at the source, as SQL with its alias `t`."""
        return f"{quoted(self.relation.schema, self.relation.name)} as t"

    @property
    def key(self) -> tuple[Field, ...]:
        by_source = {each.source.name: each for each in self.fields}
        return tuple(by_source[name] for name in self.spec.key)

    @property
    def raw_key(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.key)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The package's columns."""
        return tuple(
            Column(f.name, f.raw, f.source.name, f.source.type.text, f.rule) for f in self.fields
        )

    @property
    def null_keys(self) -> str | None:
        """SQL at the source that is true for a row whose key is not complete."""
        return _any(f"{each.column} is null" for each in self.key if not each.source.not_null)

    @property
    def rejects(self) -> str | None:
        """SQL at the source that is true for a row that raw cannot hold; never null."""
        tests = [
            each.at_source(each.reading.rejects) for each in self.fields if each.reading.rejects
        ]
        return _any([*([self.null_keys] if self.null_keys else []), *tests])

    def accepted(self, *where: str, rejecting: bool = True) -> str:
        """Return a WHERE clause for the rows that raw holds and `where` selects.

        Without `rejecting`, only rows with incomplete keys are left out.
        """
        left_out = self.rejects if rejecting else self.null_keys
        parts = [part for part in (*where, left_out and f"not ({left_out})") if part]
        return " where " + " and ".join(f"({part})" for part in parts) if parts else ""

    @property
    def selected(self) -> str:
        """The generated select list."""
        return ", ".join(f"{f.at_source(_select(f))} as {quoted(f.name)}" for f in self.fields)

    @property
    def casts(self) -> str:
        """DuckDB's select list over the rows that `selected` returns."""
        return ", ".join(
            f"{f.cast.replace('{c}', quoted(f.name))} AS {quoted(f.name)}" for f in self.fields
        )


def _any(tests: Iterable[str]) -> str | None:
    return " or ".join(f"coalesce({test}, false)" for test in tests) or None


def _select(one: Field) -> str:
    return text_sql(one.source.type) if one.rule == "hmac" else one.reading.select


def plan(
    spec: TableSpec,
    relation: Relation | None,
    server: Server,
    widened: frozenset[str] = frozenset(),
) -> Plan:
    """Return how to read a table; raw columns in `widened` are read as text.

    SourceError or ConfigError says what of the table, its key, columns or privileges is missing.
    """
    found = problems(spec, relation, server)
    if found or relation is None:
        raise found[0]
    read = [column for column in relation.columns if spec.pii.get(column.name) != "drop"]
    names = raw_names((column.name for column in read), dict(spec.names))
    fields = tuple(_field(spec, column, names[column.name], widened) for column in read)
    return Plan(spec, relation, fields, _fingerprint(spec, fields))


def problems(
    spec: TableSpec, relation: Relation | None, server: Server
) -> list[SourceError | ConfigError]:
    """Return everything that keeps a table from being read, as the errors to raise."""
    where = server.table(spec.name)
    if relation is None:
        return [SourceError(f"{where}: no such table; correct its name in warehouse.yml")]
    target = quoted(relation.schema, relation.name)
    if not relation.usable:
        grant = f"GRANT USAGE ON SCHEMA {quoted(relation.schema)} TO {quoted(server.user)}"
        return [SourceError(f"{where}: no privilege on its schema; run at the source: {grant}")]
    errors: list[SourceError | ConfigError] = []
    columns = {column.name for column in relation.columns}
    for what, named in (("key", spec.key), ("pii", spec.pii)):
        missing = [name for name in named if name not in columns]
        if missing:
            have = ", ".join(sorted(columns))
            errors.append(
                SourceError(
                    f"{where}: `{what}` names the column {missing[0]}, which it does not have;"
                    f" it has {have}"
                )
            )
    if not spec.key:
        errors.append(
            ConfigError(f"{where}: `key` is empty; name the columns that tell rows apart")
        )
    try:
        pii.check(spec.name, spec.pii, spec.key, spec.pii_keys)
    except ConfigError as error:
        errors.append(error)
    errors += [
        ConfigError(
            f"{where}: pii: `year` on {column.name}, which is {column.type.text}; it needs a date"
            " or timestamp"
        )
        for column in relation.columns
        if spec.pii.get(column.name) == "year"
        and reading(column.type).raw not in ("DATE", "TIMESTAMP", "TIMESTAMPTZ")
    ]
    hidden = [
        column.name
        for column in relation.columns
        if not column.readable and spec.pii.get(column.name) != "drop"
    ]
    if hidden:
        names = ", ".join(quoted(name) for name in hidden)
        which = "" if len(hidden) == len(columns) else f" ({names})"
        grant = f"GRANT SELECT{which} ON {target} TO {quoted(server.user)}"
        errors.append(
            SourceError(f"{where}: no privilege to read {names}; run at the source: {grant}")
        )
    return errors


def reading_mode(spec: TableSpec, relation: Relation) -> tuple[str, str]:
    """Return `scan` or `full` for the table's later reads, with the reason."""
    if spec.mode == "full":
        return "full", "mode: full"
    if not relation.is_heap:
        return "full", f"a {KINDS[relation.kind]} has no xmin to tell changed rows by"
    return "scan", "rows changed since the previous snapshot, found by xmin in one pass"


def _field(spec: TableSpec, column: SourceColumn, name: str, widened: frozenset[str]) -> Field:
    rule = spec.pii.get(column.name)
    recorded = TEXT if name in widened else _normal(spec.types.get(name))
    if rule == "hmac":
        key_id = pii.current_key(spec.pii_keys) or ""
        read = Reading(TEXT, text_sql(column.type), "{c}")
        return Field(column, name, TEXT, read, pii.hmac_sql("{c}", key_id), rule)
    read = reading(column.type, None if rule else recorded)
    if rule is None:
        return Field(column, name, read.raw, read, read.cast, None)
    return Field(column, name, pii.RAW_TYPES[rule], read, pii.year_sql(read.cast), rule)


def _normal(raw: str | None) -> str | None:
    """Return a recorded type as this module writes it."""
    if raw is None:
        return None
    text = raw.upper().replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")
    return re.sub(r"\s*,\s*", ",", text)


def _fingerprint(spec: TableSpec, fields: tuple[Field, ...]) -> str:
    """Return what must be equal for an incremental read to continue the previous one."""
    columns: list[list[Any]] = [
        [
            each.source.number,
            each.source.name,
            each.source.type.text,
            each.name,
            each.raw,
            each.rule,
        ]
        for each in fields
    ]
    key_id = pii.current_key(spec.pii_keys) if "hmac" in spec.pii.values() else None
    facts = json.dumps([TYPE_MAP, list(spec.key), key_id, columns])
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def row_text(read: Plan) -> str:
    """Return SQL at the source for a rejected row as JSON text, without its personal columns."""
    pairs = ", ".join(
        f"({literal(each.source.name)}, ({each.at_source(text_sql(each.source.type))})::text)"
        for each in read.fields
        if each.rule is None
    )
    return f"(select json_object_agg(k, v)::text from (values {pairs}) as p(k, v))"


def key_text(read: Plan) -> str:
    """Return SQL at the source for a row's key as JSON text; a personal key shows as its rule."""
    parts = ", ".join(
        literal(f"({each.rule})") if each.rule else each.at_source("{c}::text") for each in read.key
    )
    return f"json_build_array({parts})::text"
