"""Write a raw row's canonical text in DuckDB's SQL.

docs/reference/certificates.md defines it; the extractors write the same in the source's SQL, and a
property test holds both together.
"""

import re
from collections.abc import Sequence

from extractors.naming import quoted

NULL = "'~'"
# PostgreSQL counts microseconds from 2000, not 1970.
_EPOCH = 946_684_800_000_000


def row_text(columns: Sequence[tuple[str, str]]) -> str:
    """Return SQL for the canonical text of a row: columns with their raw types, or HMAC."""
    texts = [f"coalesce({_text(quoted(name), raw)}, {NULL})" for name, raw in columns]
    return f"concat_ws(',', {', '.join(texts)})" if texts else "''"


def checksum(rows: str) -> str:
    """Return SQL for row count and both checksum halves over a query's column `h`, per `b`."""
    return (
        "SELECT b, count(*), sum(('0x' || substr(h, 1, 15))::BIGINT),"
        f" sum(('0x' || substr(h, 16, 15))::BIGINT) FROM ({rows}) GROUP BY b"
    )


def _text(value: str, raw: str) -> str:
    if raw == "HMAC":
        fits = f"regexp_full_match({value}, '[^:]+:[0-9a-f]{{64}}')"
        return f"CASE WHEN {fits} THEN '+' WHEN {value} IS NOT NULL THEN '?' END"
    if raw == "VARCHAR":
        return f"strlen({value}) || ':' || {value}"
    if raw.endswith("[]"):
        item = f"lambda e: coalesce(strlen(e::VARCHAR) || ':' || e::VARCHAR, {NULL})"
        items = f"array_to_string(list_transform({value}, {item}), ',')"
        return f"len({value}) || ':' || {items}"
    if raw in ("TIMESTAMP", "TIMESTAMPTZ"):
        return _moment(value, raw)
    if raw == "DATE":
        days = f"({value} - DATE '2000-01-01')"
        return f"CASE WHEN isfinite({value}) THEN {days}::VARCHAR ELSE {value}::VARCHAR END"
    if raw in ("FLOAT", "DOUBLE"):
        size, digits = ("INTEGER", 8) if raw == "FLOAT" else ("BIGINT", 16)
        bits = _hex(f"{value}::BIT::{size}::BIGINT", digits, digits)
        return f"CASE WHEN isnan({value}) THEN 'nan' ELSE {bits} END"
    if raw == "BLOB":
        return f"lower(hex({value}))"
    if re.fullmatch(r"DECIMAL\((\d+),\1\)", raw):
        # DuckDB leaves out the zero before the point where the type has no place for it.
        return f"regexp_replace({value}::VARCHAR, '^(-?)[.]', '\\10.')"
    return f"{value}::VARCHAR"


def _moment(value: str, raw: str) -> str:
    # From 2008 to 2142 the number has 13 hex digits.
    finite = _hex(f"epoch_us({value}) - {_EPOCH}", 16, 13)
    return (
        f"CASE WHEN isfinite({value}) THEN {finite}"
        f" WHEN {value} = {raw} 'infinity' THEN '7fffffffffffffff'"
        f" WHEN {value} = {raw} '-infinity' THEN '8000000000000000' END"
    )


def _hex(number: str, digits: int, common: int) -> str:
    """Return SQL for the low bytes of a BIGINT, as PostgreSQL's encode(..., 'hex') shows them.

    Numbers with the `common` count of digits go a way that is three times as fast.
    """
    value = f"({number})::BIGINT"
    text = f"lower(hex({value}))"
    first, last = 16 ** (common - 1), min(16**common, 2**63) - 1
    return (
        f"CASE WHEN {value} BETWEEN {first} AND {last} THEN '{'0' * (digits - common)}' || {text}"
        f" ELSE right(lpad({text}, 16, '0'), {digits}) END"
    )
