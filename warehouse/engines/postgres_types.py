"""How each DuckDB type is handed over to PostgreSQL, and which values it cannot take."""

import re
from dataclasses import dataclass

from extractors.errors import ConfigError
from extractors.naming import literal, quoted

# PostgreSQL cuts a longer name off without a word, counted in bytes.
LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its type in PostgreSQL, and the DuckDB SQL that gives its values.

    `unfit` is true of a row whose value PostgreSQL would refuse or, worse, change (None where
    every value fits), and `reason` says what is wrong with it.
    """

    name: str
    type: str
    select: str
    unfit: str | None = None
    reason: str = ""

    @property
    def is_exact_number(self) -> bool:
        """Return whether sums of it are the same in both databases."""
        if self.type in {"smallint", "integer", "bigint"}:
            return True
        found = re.fullmatch(r"numeric\((\d+),\d+\)", self.type)
        return found is not None and int(found[1]) <= 28  # a sum keeps to DuckDB's 38 digits


# DuckDB's type: PostgreSQL's, and the cast before (None: as it is). Arrow has unsigned integers
# and int8, which the binary copy would write into a column of another width.
_PLAIN: dict[str, tuple[str, str | None]] = {
    "BOOLEAN": ("boolean", None),
    "TINYINT": ("smallint", "SMALLINT"),
    "SMALLINT": ("smallint", None),
    "INTEGER": ("integer", None),
    "BIGINT": ("bigint", None),
    "UTINYINT": ("smallint", "SMALLINT"),
    "USMALLINT": ("integer", "INTEGER"),
    "UINTEGER": ("bigint", "BIGINT"),
    "UBIGINT": ("numeric(20,0)", "DECIMAL(20,0)"),
    "FLOAT": ("real", None),
    "DOUBLE": ("double precision", None),
    "VARCHAR": ("text", None),
    "BLOB": ("bytea", None),
    "DATE": ("date", None),
    "TIMESTAMP": ("timestamp", None),
    "TIMESTAMP_S": ("timestamp", "TIMESTAMP"),
    "TIMESTAMP_MS": ("timestamp", "TIMESTAMP"),
    # Rounded to the microsecond here: the copy alone would cut it off.
    "TIMESTAMP_NS": ("timestamp", "TIMESTAMP"),
    "TIMESTAMP WITH TIME ZONE": ("timestamptz", None),
    "TIME": ("time", None),
    "TIME_NS": ("time", "TIME"),
    "INTERVAL": ("interval", None),
    # What the binary copy cannot write, or PostgreSQL has no like of, is its text.
    "TIME WITH TIME ZONE": ("text", "VARCHAR"),
    "BIT": ("text", "VARCHAR"),
    "BIGNUM": ("text", "VARCHAR"),
}
_HUGE = frozenset({"HUGEINT", "UHUGEINT"})
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_LIST = re.compile(r"(.*)\[\d*\]", re.DOTALL)
_ESCAPED_NUL = r"(^|[^\\])(\\\\)*\\u0000"
_NESTED = ("STRUCT(", "MAP(", "UNION(")


def column(name: str, data_type: str) -> Column:
    """Return how a column goes over; ConfigError for a type that has no way."""
    if len(name.encode()) > LONGEST_NAME:
        raise ConfigError(
            f"{name}: PostgreSQL takes names of {LONGEST_NAME} bytes; shorten it in the mart"
        )
    value = quoted(name)
    if found := _LIST.fullmatch(data_type):
        return _list(name, value, found[1])
    if data_type.startswith(_NESTED):
        return _json(name, f"to_json({value})::VARCHAR")
    if data_type == "JSON":
        return _json(name, f"{value}::VARCHAR")
    if data_type == "UUID":
        return Column(name, "uuid", f"unhex(replace({value}::VARCHAR, '-', ''))")
    if data_type in _HUGE:
        cast = f"TRY_CAST({value} AS DECIMAL(38,0))"
        unfit = f"{value} IS NOT NULL AND {cast} IS NULL"
        return Column(name, "numeric(39,0)", cast, unfit, "is a number of 39 digits")
    kind, select = _scalar(name, value, data_type)
    unfit, reason = _unfit(value, kind)
    return Column(name, kind, select, unfit, reason)


def _scalar(name: str, value: str, data_type: str) -> tuple[str, str]:
    if found := _DECIMAL.fullmatch(data_type):
        return f"numeric({found[1]},{found[2]})", value
    if data_type.startswith("ENUM("):
        return "text", f"{value}::VARCHAR"
    if data_type not in _PLAIN:
        raise ConfigError(
            f"{name}: {data_type} has no type of PostgreSQL; cast it in the mart, to VARCHAR say"
        )
    kind, cast = _PLAIN[data_type]
    return kind, f"{value}::{cast}" if cast else value


def _list(name: str, value: str, of: str) -> Column:
    """A list of plain values is an array; a list of anything else is JSON."""
    if of not in _PLAIN and not _DECIMAL.fullmatch(of):
        return _json(name, f"to_json({value})::VARCHAR")
    kind, element = _scalar(name, "x", of)
    select = f"{value}::{_cast_of(of)}[]"
    unfit, reason = _unfit(element, kind)
    if unfit is not None:
        unfit = f"coalesce(list_bool_or(list_transform({value}, lambda x: {unfit})), false)"
    return Column(name, f"{kind}[]", select, unfit, reason)


def _json(name: str, text: str) -> Column:
    # PostgreSQL takes it and fails whoever reads it.
    unfit = f"regexp_matches({text}, {literal(_ESCAPED_NUL)})"
    return Column(name, "json", text, unfit, "holds a NUL character")


def _cast_of(of: str) -> str:
    return (_PLAIN[of][1] or of) if of in _PLAIN else of


def _unfit(value: str, kind: str) -> tuple[str | None, str]:
    if kind == "text":
        return f"contains({value}::VARCHAR, chr(0))", "holds a NUL character"
    if kind == "date":
        return _beyond(value, "DATE"), "is infinite or before 4713 BC"
    if kind in {"timestamp", "timestamptz"}:
        # Infinity would arrive as a moment of the year 294247.
        return _beyond(value, "TIMESTAMP"), "is infinite or before 4713 BC"
    return None, ""


def _beyond(value: str, kind: str) -> str:
    return f"(NOT isfinite({value}) OR {value}::{kind} < {kind} '4713-01-01 (BC)')"
