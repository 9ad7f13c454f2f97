"""The SQL functions that decoding needs and DuckDB does not have."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from extractors.dynamodb.canonical import canonical_document, element_texts, plain_number

_LONG = 500
_PLAIN = "-?[0-9]+([.][0-9]+)?"


def define(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the functions on a connection.

    - `plain(t)`: the number without exponent, NULL where the text is none; `decimals(p)` and
      `digits(p)` count a plain number's digits after and before its point, without needless zeros;
      `plain_number(t)` is its one canonical text.
    - `document_L(t)`, `document_M(t)`: the canonical text of a list or map in DynamoDB JSON.
    - `element_texts(t, tags)`: the elements of a list, NULL when one is of another type.
    """
    _scalar(connection, "plain_number", _plain_number, ["VARCHAR"], "VARCHAR")
    _scalar(connection, "element_texts", _element_texts, ["VARCHAR", "VARCHAR"], "VARCHAR[]")
    for tag in ("L", "M"):
        # Arrow vectors: two thirds of the time of a call per value
        connection.create_function(
            f"document_{tag}",
            _documents(tag),
            ["VARCHAR"],
            "VARCHAR",
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )
    # Only texts in an unusual notation (1E2, +1) reach the Python function.
    connection.execute(
        f"""
        create or replace temp macro plain(t) as
            case when regexp_full_match(t, '{_PLAIN}') then t
                 when t is not null then plain_number(t) end;
        create or replace temp macro decimals(p) as
            case when contains(p, '.') then length(rtrim(split_part(p, '.', 2), '0'))
                 when p is not null then 0 end;
        create or replace temp macro digits(p) as
            length(ltrim(case when contains(p, '.') then split_part(p, '.', 1) else p end, '-0'));
        """
    )


def _scalar(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    function: Callable[..., Any],
    parameters: list[Any],
    result: str,
) -> None:
    connection.create_function(
        name, function, parameters, result, null_handling=FunctionNullHandling.SPECIAL
    )


def _plain_number(text: str | None) -> str | None:
    return None if text is None else plain_number(text)


def _element_texts(text: str | None, tags: str) -> list[str] | None:
    return None if text is None else element_texts(text, tags.split())


def _documents(tag: str) -> Callable[[Any], Any]:
    # Documents often repeat; long ones are left out so that the memory is bounded (16 MB).
    cached = lru_cache(maxsize=16_384)(canonical_document)

    def document(text: str | None) -> str | None:
        if text is None:
            return None
        return cached(tag, text) if len(text) < _LONG else canonical_document(tag, text)

    return lambda texts: pa.array(map(document, texts.to_pylist()), pa.string())
