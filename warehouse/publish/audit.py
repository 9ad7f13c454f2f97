"""Say which rows broke a failed test, and which loads brought them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from extractors.naming import quoted
from warehouse.engines.duckdb_raw import columns_of

SHOWN_ROWS = 5


@dataclass(frozen=True, slots=True)
class FailedTest:
    """One failed dbt test: where its rows were stored, and the model and column it is about."""

    name: str
    message: str
    failures: tuple[str, str] | None
    model: tuple[str, str] | None
    column: str | None


def explain(
    connection: duckdb.DuckDBPyConnection,
    failed: FailedTest,
    raw_keys: Mapping[tuple[str, str], Sequence[str]],
) -> str:
    """Return one line: the test, the first rows that failed it, and the loads they came from.

    `raw_keys` maps raw tables (source, entity) to their keys: a failed row that carries the whole
    key of one is traced through it to its load.
    """
    rows = _failing_rows(connection, failed)
    shown = "; ".join(_shown(row) for row in rows[:SHOWN_ROWS])
    loads = sorted({load for row in rows for load in _loads(connection, row, raw_keys)})
    text = f"{failed.name}: {failed.message}"
    if rows:
        text += f"; rows: {shown}" + (" …" if len(rows) > SHOWN_ROWS else "")
    if loads:
        text += f"; from load {', '.join(loads)}"
    return text


def _failing_rows(
    connection: duckdb.DuckDBPyConnection, failed: FailedTest
) -> list[dict[str, object]]:
    """Return up to a few failing rows; a test that stores values only is joined to its model."""
    if failed.failures is None or not columns_of(connection, *failed.failures):
        return []
    stored = quoted(*failed.failures)
    found = columns_of(connection, *failed.failures)
    statement = f"SELECT * FROM {stored} ORDER BY ALL LIMIT {SHOWN_ROWS + 1}"
    values = next((c for c in ("value_field", "unique_field", "from_field") if c in found), None)
    if values and failed.model and failed.column and columns_of(connection, *failed.model):
        statement = (
            f"SELECT m.* FROM {quoted(*failed.model)} AS m WHERE m.{quoted(failed.column)} IN"
            f" (SELECT {quoted(values)} FROM {stored}) ORDER BY ALL LIMIT {SHOWN_ROWS + 1}"
        )
    result = connection.execute(statement)
    names = [str(column[0]) for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _shown(row: Mapping[str, object]) -> str:
    public = [(k, v) for k, v in row.items() if not k.startswith("_") and v is not None]
    return "(" + ", ".join(f"{name}={value}" for name, value in public[:8]) + ")"


def _loads(
    connection: duckdb.DuckDBPyConnection,
    row: Mapping[str, object],
    raw_keys: Mapping[tuple[str, str], Sequence[str]],
) -> set[str]:
    if row.get("_load_id"):
        return {str(row["_load_id"])}
    loads: set[str] = set()
    for (source, entity), key in raw_keys.items():
        if not key or any(row.get(name) is None for name in key):
            continue
        matches = " AND ".join(f"CAST({quoted(name)} AS VARCHAR) = ?" for name in key)
        loads.update(
            f"{load} ({source}.{entity})"
            for (load,) in connection.execute(
                f"SELECT DISTINCT _load_id FROM {quoted(f'raw_{source}', entity)} WHERE {matches}",
                [str(row[name]) for name in key],
            ).fetchall()
        )
    return loads
