"""Map PostgreSQL types to raw types: what to select, how to cast it, what does not fit.

docs/reference/types.md has a row for each; `{c}` stands for the column.
"""

import re
from dataclasses import dataclass

from extractors.relational.catalogue import SourceType

TEXT = "VARCHAR"
# An unconstrained numeric: 28 digits before the point, 10 after it, or text.
WIDEST = (38, 10)

_PLAIN = {
    "bool": "BOOLEAN",
    "int2": "SMALLINT",
    "int4": "INTEGER",
    "int8": "BIGINT",
    "oid": "BIGINT",
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "text": TEXT,
    "varchar": TEXT,
    "bytea": "BLOB",
    "uuid": "UUID",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ",
}
# Arrays of these become a LIST, others JSON text.
_LISTS = {
    "bool": "BOOLEAN[]",
    "int2": "SMALLINT[]",
    "int4": "INTEGER[]",
    "int8": "BIGINT[]",
    "text": "VARCHAR[]",
    "varchar": "VARCHAR[]",
}
_INTEGERS = {"SMALLINT": 5, "INTEGER": 10, "BIGINT": 19}
_AT_SOURCE = {
    "SMALLINT": "int2",
    "INTEGER": "int4",
    "BIGINT": "int8",
    "FLOAT": "float4",
    "DOUBLE": "float8",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMPTZ": "timestamptz",
}

# ADBC moves PostgreSQL's epoch (2000) to 1970 without looking: the integers that stand for
# infinity, and times after DuckDB's last, come out in an age PostgreSQL has no dates for. (A probe
# at every snapshot checks that this driver still does exactly that.)
INFINITE_MICROSECONDS = (-9222425352054775809, -9222425352054775808)
INFINITE_DAYS = (-2147483649, -2147483648)
_FIRST_MICROSECOND = -210866803200000000  # 4714-11-24 BC, PostgreSQL's first day
_LAST_TIME = "294247-01-10 04:00:54.775807"  # DuckDB's number for infinity; later ones do not fit
_INFINITE = {"date": "DATE", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMPTZ"}


@dataclass(frozen=True, slots=True)
class Reading:
    """How one column is read.

    `select` is SQL at the source, `cast` DuckDB's on what it returned; `rejects` and `widens` are
    predicates at the source for values that make their row, or the column's type, another one.
    """

    raw: str
    select: str
    cast: str
    rejects: str | None = None
    widens: str | None = None


def reading(source: SourceType, recorded: str | None = None) -> Reading:
    """Return how a column is read into its natural raw type, or into the wider recorded one."""
    natural = _natural(source)
    if recorded is None or recorded == natural.raw:
        return natural
    raw = wider(recorded, natural.raw)
    if raw == natural.raw:
        return natural
    if raw == TEXT:
        return Reading(TEXT, text_sql(source), "{c}")
    cast = f"CAST({natural.cast} AS {raw})"
    return Reading(raw, natural.select, cast, natural.rejects, natural.widens)


def text_sql(source: SourceType) -> str:
    """Return SQL at the source for a value's exact text."""
    if source.name == "money":
        return "{c}::numeric::text"  # money's own text depends on lc_monetary
    if source.element is not None:
        return "array_to_json({c})::text"
    return "{c}" if source.name in ("text", "varchar") else "{c}::text"


def wider(one: str, other: str) -> str:
    """Return the least raw type that holds both without loss; text holds everything."""
    if one == other:
        return one
    if one in _INTEGERS and other in _INTEGERS:
        return max(one, other, key=lambda name: _INTEGERS[name])
    if {one, other} == {"FLOAT", "DOUBLE"}:
        return "DOUBLE"
    if {one, other} == {"DATE", "TIMESTAMP"}:
        return "TIMESTAMP"
    digits = [_digits(one), _digits(other)]
    if digits[0] and digits[1]:
        whole = max(digits[0][0], digits[1][0])
        scale = max(digits[0][1], digits[1][1])
        if whole + scale <= WIDEST[0]:
            return f"DECIMAL({whole + scale},{scale})"
    return TEXT


def at_source(source: SourceType, raw: str) -> str:
    """Return SQL at the source for the value that raw holds, in the type equal to raw's."""
    decimal = _decimal(raw)
    if decimal:
        if source.precision and source.precision[1] == decimal[1]:
            return "{c}"
        return f"{{c}}::numeric({decimal[0]},{decimal[1]})"
    if raw == TEXT:
        return text_sql(source)
    wanted = _AT_SOURCE.get(raw)
    return f"{{c}}::{wanted}" if wanted and wanted != source.name else "{c}"


def _natural(source: SourceType) -> Reading:
    name = source.name
    if name in _INFINITE:
        return _moment(name)
    if name == "oid":
        return Reading("BIGINT", "{c}::int8", "{c}")
    if name in _PLAIN:
        return Reading(_PLAIN[name], "{c}", "{c}")
    if name == "numeric":
        return _numeric(source)
    if name == "money":
        return _checked_decimal((19, 2), "{c}::numeric", text_sql(source))
    if source.element in _LISTS:
        return _list(_LISTS[source.element])
    return Reading(TEXT, text_sql(source), "{c}")


def _moment(name: str) -> Reading:
    raw = _PLAIN[name]
    if name == "date":
        number = "({c} - DATE '2000-01-01')"
        positive, negative = INFINITE_DAYS
        fits, rejects = "{c} >= DATE '4714-11-24 (BC)'", None
    else:
        number = "epoch_us({c})"
        positive, negative = INFINITE_MICROSECONDS
        fits = f"epoch_us({{c}}) >= {_FIRST_MICROSECOND}"
        rejects = f"{{c}} >= '{_LAST_TIME}'::{name} and isfinite({{c}})"
    cast = (
        f"CASE WHEN {{c}} IS NULL OR {fits} THEN {{c}}"
        f" WHEN {number} = {positive} THEN {raw} 'infinity'"
        f" WHEN {number} = {negative} THEN {raw} '-infinity' ELSE error('odd value') END"
    )
    return Reading(raw, "{c}", cast, rejects)


def _numeric(source: SourceType) -> Reading:
    declared = source.precision
    if declared is None:
        return _checked_decimal(WIDEST, "{c}", "trim_scale({c})::text")
    precision, scale = declared
    whole = max(precision - scale, 0)
    if scale < 0 or whole + scale > WIDEST[0]:
        return Reading(TEXT, "{c}::text", "{c}")
    # As text: ADBC's own way from binary numerics costs 1.0 s for 4 million, this 0.2 s
    # (benchmarks/postgres_to_raw.py on 2 cores, 2026-11-21). The source keeps the scale; only NaN
    # does not fit.
    raw = f"DECIMAL({max(whole + scale, 1)},{scale})"
    return Reading(raw, "{c}::text", _or_odd(f"TRY_CAST({{c}} AS {raw})"), None, "{c} = 'NaN'")


def _checked_decimal(widest: tuple[int, int], number: str, text: str) -> Reading:
    """Return a reading of numbers whose declaration does not say that they fit.

    DuckDB rounds text to a decimal's scale silently, so the digits are counted first.
    """
    precision, scale = widest
    raw = f"DECIMAL({precision},{scale})"
    point = "strpos({c}, '.')"
    exact = f"({point} = 0 OR strlen({{c}}) - {point} <= {scale})"
    bound = f"1e{precision - scale}::numeric"
    widens = (
        f"({number} in ('NaN', 'Infinity', '-Infinity') or abs({number}) >= {bound}"
        f" or min_scale({number}) > {scale})"
    )
    cast = _or_odd(f"CASE WHEN {exact} THEN TRY_CAST({{c}} AS {raw}) END")
    return Reading(raw, text, cast, None, widens)


def _list(raw: str) -> Reading:
    """Return a reading of one-dimensional arrays; others make the column JSON text.

    ADBC flattens arrays of several dimensions silently, so they travel as JSON.
    """
    odd = "array_ndims({c}) > 1 or array_lower({c}, 1) <> 1"
    select = f"case when {odd} then '!' else array_to_json({{c}})::text end"
    cast = _or_odd(f"TRY_CAST(TRY_CAST({{c}} AS JSON) AS {raw})")
    # JSON has no place for a first index other than 1.
    return Reading(raw, select, cast, "array_lower({c}, 1) <> 1", "array_ndims({c}) > 1")


def _or_odd(value: str) -> str:
    return f"coalesce({value}, CASE WHEN {{c}} IS NOT NULL THEN error('odd value') END)"


def _decimal(raw: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", raw)
    return (int(found[1]), int(found[2])) if found else None


def _digits(raw: str) -> tuple[int, int] | None:
    """Return digits before and after the point of an exact number's type."""
    if raw in _INTEGERS:
        return _INTEGERS[raw], 0
    decimal = _decimal(raw)
    return (decimal[0] - decimal[1], decimal[1]) if decimal else None
