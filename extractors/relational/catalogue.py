"""Read what the source's catalogue says of a table: columns, keys, privileges, size."""

from dataclasses import dataclass
from typing import Any

import psycopg

KINDS = {
    "r": "table",
    "p": "partitioned table",
    "m": "materialized view",
    "v": "view",
    "f": "foreign table",
}


@dataclass(frozen=True, slots=True)
class SourceType:
    """A column's type with domains resolved; `name` is '' for what PostgreSQL does not ship."""

    name: str
    typmod: int
    text: str
    element: str | None = None

    @property
    def precision(self) -> tuple[int, int] | None:
        """Return precision and scale of a numeric that declares them."""
        if self.name != "numeric" or self.typmod < 4:
            return None
        packed = self.typmod - 4
        scale = packed & 0x7FF
        # The scale is an 11-bit two's complement since PostgreSQL 15.
        return packed >> 16, scale - 0x800 if scale >= 0x400 else scale


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One column of a table or view."""

    number: int
    name: str
    type: SourceType
    not_null: bool
    readable: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view, with what decides how it can be read.

    `members` are the tables that hold its rows: itself, its partitions, its heirs.
    """

    oid: int
    schema: str
    name: str
    kind: str
    members: tuple[int, ...]
    is_heap: bool
    pages: int
    rows: int | None
    bytes: int
    usable: bool
    columns: tuple[SourceColumn, ...]
    unique: tuple[frozenset[str], ...]

    def is_unique(self, key: tuple[str, ...]) -> bool:
        """Return whether an index of the source holds the key unique."""
        return any(columns <= set(key) for columns in self.unique)


_RELATION = """
with recursive members(oid) as (
  select %(oid)s::oid
  union
  select i.inhrelid from pg_inherits i join members m on i.inhparent = m.oid
  where not i.inhdetachpending
),
holders as (
  select c.oid, c.reltuples, pg_relation_size(c.oid) as bytes, c.relkind in ('r', 'm')
         and coalesce(a.amname = 'heap', false) as is_heap
  from members m join pg_class c on c.oid = m.oid left join pg_am a on a.oid = c.relam
  where c.relkind <> 'p'
)
select array_agg(oid::bigint order by oid), coalesce(bool_and(is_heap), false),
       coalesce(max(bytes), 0)::bigint / current_setting('block_size')::bigint,
       sum(nullif(reltuples, -1))::bigint, coalesce(sum(bytes), 0)::bigint
from holders
"""

_COLUMNS = """
with recursive base(attnum, typid, typmod) as (
  select attnum, atttypid, atttypmod from pg_attribute
  where attrelid = %(oid)s and attnum > 0 and not attisdropped
  union all
  select b.attnum, t.typbasetype, case when t.typtypmod >= 0 then t.typtypmod else b.typmod end
  from base b join pg_type t on t.oid = b.typid where t.typtype = 'd'
)
select a.attnum, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       case when t.typnamespace = 'pg_catalog'::regnamespace then t.typname::text else '' end,
       b.typmod,
       case when t.typcategory = 'A' and e.typnamespace = 'pg_catalog'::regnamespace
            then e.typname::text end,
       coalesce(has_column_privilege(a.attrelid, a.attnum, 'select'), false)
from base b
join pg_type t on t.oid = b.typid and t.typtype <> 'd'
join pg_attribute a on a.attrelid = %(oid)s and a.attnum = b.attnum
left join pg_type e on e.oid = t.typelem and t.typelem <> 0
order by a.attnum
"""

# Partial and expression indexes promise nothing about the whole table.
_UNIQUE = """
select array_agg(a.attname::text)
from pg_index i
cross join unnest(i.indkey::int2[]) with ordinality as k(attnum, position)
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
where i.indrelid = %(oid)s and i.indisunique and i.indisvalid and i.indpred is null
  and i.indexprs is null and k.position <= i.indnkeyatts
group by i.indexrelid
"""

# Not to_regclass: it folds case and fails on a schema that the role may not use.
_FIND = """
select c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text,
       has_schema_privilege(n.oid, 'usage')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm', 'v', 'f')
  and case when %(schema)s::text is null
           then c.relname = %(name)s and n.nspname = any(current_schemas(false))
           else c.relname = %(name)s and n.nspname = %(schema)s end
order by array_position(current_schemas(false), n.nspname) limit 1
"""


def relation(connection: "psycopg.Connection[Any]", name: str) -> Relation | None:
    """Return a table or view by name or `schema.name`; None where there is none."""
    schema, _, table = name.rpartition(".")
    found = connection.execute(_FIND, {"schema": schema or None, "name": table}).fetchone()
    if found is None:
        return None
    oid, in_schema, real_name, kind, usable = found
    bound = {"oid": oid}
    holders = connection.execute(_RELATION, bound).fetchone()
    assert holders is not None
    members, is_heap, pages, rows, size = holders
    return Relation(
        oid=oid,
        schema=in_schema,
        name=real_name,
        kind=kind,
        members=tuple(members or ()),
        is_heap=is_heap,
        pages=pages,
        rows=None if kind in "vf" else rows,
        bytes=size,
        usable=usable,
        columns=tuple(
            SourceColumn(number, column, SourceType(kind_, typmod, text, element), fixed, readable)
            for number, column, text, fixed, kind_, typmod, element, readable in (
                connection.execute(_COLUMNS, bound).fetchall()
            )
        ),
        unique=tuple(frozenset(row[0]) for row in connection.execute(_UNIQUE, bound).fetchall()),
    )
