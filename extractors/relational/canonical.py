"""Write a row's canonical text in PostgreSQL's SQL.

docs/reference/certificates.md defines it; warehouse/reconcile/canonical.py writes the same over
raw, and a property test holds both together.
"""

from collections.abc import Sequence

from extractors.relational.plan import Field
from extractors.relational.types import TEXT, at_source

NULL = "'~'"
_ARGUMENTS = 90  # PostgreSQL's functions take at most 100

# Types whose order is the same at the source and in DuckDB, and the source's name for them.
_RANGED = {
    "SMALLINT": "int8",
    "INTEGER": "int8",
    "BIGINT": "int8",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMPTZ": "timestamptz",
    "UUID": "uuid",
    TEXT: "text",
}

# The bytes that PostgreSQL sends: microseconds since 2000, IEEE bits, most significant byte first.
_SENT = {
    "TIMESTAMPTZ": "timestamptz_send",
    "TIMESTAMP": "timestamp_send",
    "FLOAT": "float4send",
    "DOUBLE": "float8send",
}


def range_type(raw: str) -> str | None:
    """Return the source's type to compare keys of a raw type in; None where orders differ."""
    return "numeric" if raw.startswith("DECIMAL") else _RANGED.get(raw)


def utf8(text: str) -> str:
    """Return SQL for a text's UTF-8 bytes, where the database keeps another encoding."""
    return f"convert_to({text}, 'UTF8')"


def row_text(fields: Sequence[Field], is_utf8: bool) -> str:
    """Return SQL for the canonical text of a row of the table with alias `t`."""
    texts = [_column_text(each, is_utf8) for each in fields]
    while len(texts) > _ARGUMENTS:
        texts = [_joined(texts[n : n + _ARGUMENTS]) for n in range(0, len(texts), _ARGUMENTS)]
    return _joined(texts)


def _joined(texts: Sequence[str]) -> str:
    return f"concat_ws(',', {', '.join(texts)})" if texts else "''"


def kind(each: Field) -> str:
    """Return what both sides write a column's text by: its raw type, or HMAC for a hash."""
    return "HMAC" if each.rule == "hmac" else each.raw


def _column_text(each: Field, is_utf8: bool) -> str:
    if each.rule == "hmac":
        # The source cannot compute it; that there is one can be compared.
        return f"case when {each.column} is null then {NULL} else '+' end"
    if each.rule == "year":
        year = f"extract(year from {each.column})"  # 44 BC is -44 here and -43 in DuckDB
        text = f"({year} + case when {year} < 0 then 1 else 0 end)::int::text"
        return f"coalesce(case when isfinite({each.column}) then {text} end, {NULL})"
    value = each.at_source(at_source(each.source.type, each.raw))
    text = _text(value, each.raw, is_utf8)
    return text if each.source.not_null else f"coalesce({text}, {NULL})"


def _text(value: str, raw: str, is_utf8: bool) -> str:
    if raw == TEXT:
        return _counted(value, is_utf8)
    if raw.endswith("[]"):
        item = f"coalesce({_counted('e::text', is_utf8)}, {NULL})"
        return (
            f"(select cardinality({value}) || ':' || coalesce(string_agg({item}, ',' order by n),"
            f" '') from unnest({value}) with ordinality as u(e, n))"
        )
    if raw == "DATE":
        days = f"({value} - date '2000-01-01')"
        return f"case when isfinite({value}) then {days}::text else {value}::text end"
    if raw in _SENT:
        sent = f"encode({_SENT[raw]}({value}), 'hex')"
        # NaN has many bit patterns, and DuckDB keeps one.
        is_float = raw in ("FLOAT", "DOUBLE")
        return f"case when {value} = 'NaN' then 'nan' else {sent} end" if is_float else sent
    return f"encode({value}, 'hex')" if raw == "BLOB" else f"({value})::text"


def _counted(text: str, is_utf8: bool) -> str:
    """Return SQL for a text with its length in bytes before it: no content looks like another."""
    return f"octet_length({text if is_utf8 else utf8(text)}) || ':' || {text}"


def joined(ranges: Sequence[int]) -> list[tuple[int, int]]:
    """Return runs of adjacent ranges as (first, last)."""
    runs: list[tuple[int, int]] = []
    for number in sorted(set(ranges)):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
