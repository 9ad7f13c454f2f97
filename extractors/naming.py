"""Turn source names into raw names, and quote identifiers."""

import re
from collections.abc import Iterable

# Reserved in DuckDB, PostgreSQL or Redshift: a bare use in an analyst's query would not parse.
_WORDS = """
    all analyse analyze and any array as asc asymmetric authorization between binary both case cast
    check collate column constraint create cross current_date current_role current_time
    current_timestamp current_user default deferrable delta desc describe distinct do else end
    except false fetch for foreign freeze from full grant group having identity ilike in initially
    inner intersect into is isnull join lambda lateral leading left like limit localtime
    localtimestamp minus natural new not notnull null off offset offline old on only open or order
    outer overlaps permissions pivot placing primary qualify references returning right select
    session_user show similar snapshot some summarize symmetric sysdate system table tag then
    timestamp to top trailing true union unique unpivot user using variadic verbose wallet when
    where window with without
"""
# Columns of these names would hide DuckDB's own, by which a load finds its rows.
ROW_NUMBERS = frozenset({"file_index", "file_row_number", "rowid"})
RESERVED = frozenset(_WORDS.split()) | ROW_NUMBERS


def quoted(*names: str) -> str:
    """Return the dotted identifier with each name in double quotes, inner quotes doubled."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """Return `text` as a SQL string literal, for the few places where binding is impossible."""
    return "'" + text.replace("'", "''") + "'"


def raw_name(name: str) -> str:
    """Return the snake_case raw name of one source column, before collisions are resolved.

    A leading underscore or digit gets the prefix `c_` (a leading underscore marks the warehouse's
    own columns), a reserved word the suffix `_`.
    """
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    snake = re.sub(r"[^0-9a-z_]+", "_", snake.lower())
    if not re.match(r"[a-z]", snake):
        snake = f"c_{snake.lstrip('_')}"
    return f"{snake}_" if snake in RESERVED else snake


def raw_names(names: Iterable[str], taken: dict[str, str] | None = None) -> dict[str, str]:
    """Return source name -> raw name; names that collide get `__2`, `__3` in order of source name.

    `taken` holds pairs given earlier: they keep their name for good.
    """
    result = dict(taken or {})
    used = set(result.values())
    for name in sorted(set(names) - result.keys()):
        base = candidate = raw_name(name)
        number = 1
        while candidate in used:
            number += 1
            candidate = f"{base}__{number}"
        result[name] = candidate
        used.add(candidate)
    return result
