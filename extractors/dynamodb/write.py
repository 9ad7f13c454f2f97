"""Write the items of a finished scan as load packages, one per entity, in bounded memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from extractors.dynamodb.columns import ATTRIBUTES, ColumnPlan
from extractors.dynamodb.decode import Decoding
from extractors.dynamodb.measure import Measure
from extractors.dynamodb.payload import attributes_sql, item_sql
from extractors.naming import literal, quoted
from extractors.package import QUARANTINE_SCHEMA, Column, PackageWriter

# About 250 MB of a part as DynamoDB JSON.
ROWS_PER_PART = 400_000
_QUARANTINE_ROWS = 10_000

NO_ROUTE = "no_route"
DOES_NOT_FIT = "does_not_fit"


@dataclass(frozen=True, slots=True)
class Rejection:
    """How many items of an entity (None: of no route) do not fit a field."""

    entity: str | None
    reason: str
    field: str | None
    items: int


def write_parts(
    connection: duckdb.DuckDBPyConnection,
    decoded: Decoding,
    writers: Mapping[str, PackageWriter],
) -> int:
    """Write the items of the writers' entities, as rows or quarantined; return how many.

    Items without a route are quarantined in the first entity's package.
    """
    written = 0
    parts = dict.fromkeys(writers, 0)
    first = writers.get(next(iter(decoded.plans)))
    for batch in _batches(decoded):
        for entity, writer in writers.items():
            rows = _write_rows(connection, decoded, entity, writer, batch)
            parts[entity] += rows
            written += rows + _quarantine_misfits(connection, decoded, entity, writer, batch)
        if first is not None:
            written += _quarantine_unrouted(connection, decoded, first, batch)
    for entity, rows in parts.items():
        if not rows:
            _write_empty(connection, decoded, entity, writers[entity])
    return written


def _batches(decoded: Decoding) -> Iterator[str]:
    """Yield the items as relations of bounded size."""
    for start in range(0, decoded.rows, ROWS_PER_PART):
        yield (
            f"(select * from {decoded.items}"
            f" where rowid >= {start} and rowid < {start + ROWS_PER_PART})"
        )


def write_fitting(
    connection: duckdb.DuckDBPyConnection, decoded: Decoding, entity: str, writer: PackageWriter
) -> int:
    """Write the items of an entity that fit as rows, and leave out the others; return how many."""
    return sum(
        _write_rows(connection, decoded, entity, writer, batch) for batch in _batches(decoded)
    )


def rejections(connection: duckdb.DuckDBPyConnection, decoded: Decoding) -> list[Rejection]:
    """Return why items do not fit, and how many."""
    cases = [
        f"when entity = {literal(entity)} then {misfit}"
        for entity, plan in decoded.plans.items()
        if (misfit := _misfit_field(plan))
    ]
    field = f"case {' '.join(cases)} end" if cases else "cast(null as varchar)"
    rows = connection.execute(
        f"select entity, case when entity is null then {literal(NO_ROUTE)}"
        f" else {literal(DOES_NOT_FIT)} end, field, count(*) from"
        f" (select entity, {field} as field from {decoded.items})"
        " where entity is null or field is not null group by all order by all"
    ).fetchall()
    return [Rejection(*row) for row in rows]


def raw_columns(decoded: Decoding, entity: str) -> tuple[Column, ...]:
    """Return the columns of an entity's parts, in order."""
    return (*(planned.column for planned in decoded.plans[entity].columns), ATTRIBUTES)


def _selected(decoded: Decoding, entity: str) -> str:
    plan = decoded.plans[entity]
    hidden = {attribute for attribute, rule in plan.pii.items() if rule == "drop"}
    measure = decoded.measures.get(entity) or Measure(0, {}, {})
    names = attributes_sql(decoded.shape, measure, hidden)
    return ", ".join(
        [
            f"cast({planned.conversion.value} as {planned.conversion.type})"
            f" as {quoted(planned.column.name)}"
            for planned in plan.columns
        ]
        + [f"{names} as {quoted(ATTRIBUTES.name)}"]
    )


def _misfit_field(plan: ColumnPlan) -> str | None:
    """Return the expression that names the first column an item does not fit, NULL if it fits."""
    cases = [
        f"when {planned.conversion.misfit} then {literal(planned.column.name)}"
        for planned in plan.columns
        if planned.conversion.misfit
    ]
    return f"case {' '.join(cases)} end" if cases else None


def _write_rows(
    connection: duckdb.DuckDBPyConnection,
    decoded: Decoding,
    entity: str,
    writer: PackageWriter,
    batch: str,
) -> int:
    misfit = _misfit_field(decoded.plans[entity])
    fits = f" and ({misfit}) is null" if misfit else ""
    path = writer.new_part()
    _copy(
        connection,
        f"select {_selected(decoded, entity)} from {batch} where entity = {literal(entity)}{fits}",
        path,
    )
    if not pq.read_metadata(path).num_rows:
        path.unlink()
        return 0
    return writer.add_part(path).rows


def _write_empty(
    connection: duckdb.DuckDBPyConnection, decoded: Decoding, entity: str, writer: PackageWriter
) -> None:
    """Write a part without rows: a full package of nothing still has its columns."""
    columns = ", ".join(
        f"cast(null as {column.type}) as {quoted(column.name)}"
        for column in raw_columns(decoded, entity)
    )
    path = writer.new_part()
    _copy(connection, f"select {columns} where false", path)
    writer.add_part(path)


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    connection.execute(f"copy ({query}) to {literal(str(path))} (format parquet, compression zstd)")


def _quarantine_misfits(
    connection: duckdb.DuckDBPyConnection,
    decoded: Decoding,
    entity: str,
    writer: PackageWriter,
    batch: str,
) -> int:
    plan = decoded.plans[entity]
    misfit = _misfit_field(plan)
    if misfit is None:
        return 0
    rejected = (
        f"select *, {literal(DOES_NOT_FIT)} as reason, {misfit} as field from {batch}"
        f" where entity = {literal(entity)} and ({misfit}) is not null"
    )
    return _quarantine(connection, decoded, writer, rejected, [plan])


def _quarantine_unrouted(
    connection: duckdb.DuckDBPyConnection, decoded: Decoding, writer: PackageWriter, batch: str
) -> int:
    rejected = (
        f"select *, {literal(NO_ROUTE)} as reason, cast(null as varchar) as field from {batch}"
        f" where entity is null"
    )
    # nobody knows whose item it is: every entity's personal attributes are left out
    return _quarantine(connection, decoded, writer, rejected, list(decoded.plans.values()))


def _quarantine(
    connection: duckdb.DuckDBPyConnection,
    decoded: Decoding,
    writer: PackageWriter,
    rejected: str,
    plans: Sequence[ColumnPlan],
) -> int:
    personal = {attribute for plan in plans for attribute in plan.pii}
    attributes = decoded.shape.tags.keys() - personal
    key = item_sql(decoded.shape, decoded.key, hashed=_hashed_key(decoded.key, plans))
    hidden = " or ".join(decoded.shape.present(name) for name in sorted(personal)) or "false"
    rows = connection.execute(
        f"select reason, field, {key}, {item_sql(decoded.shape, attributes)}, not ({hidden})"
        f" from ({rejected})"
    )
    count = 0
    while found := rows.fetchmany(_QUARANTINE_ROWS):
        count += len(found)
        writer.quarantine([dict(zip(QUARANTINE_SCHEMA.names, row, strict=True)) for row in found])
    return count


def _hashed_key(key: Sequence[str], plans: Sequence[ColumnPlan]) -> dict[str, str]:
    """Return the hashed value of each key attribute that is personal."""
    return {
        planned.column.source_name: planned.conversion.value
        for plan in plans
        for planned in plan.columns
        if planned.column.source_name in key and planned.column.pii
    }
