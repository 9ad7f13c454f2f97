"""Certify one table after its load: repair what a source may have deleted or a load missed."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

import duckdb

from extractors.package import Manifest
from warehouse.reconcile.certificate import Certificate
from warehouse.reconcile.compare import Checksum, Differences, Reader, compare


def certify(
    connection: duckdb.DuckDBPyConnection,
    raw_table: tuple[str, str],
    reader: Reader,
    *,
    deletes: Literal["reconcile", "ignore"],
    landing: Path,
    load: Callable[[Manifest], object],
    now: Callable[[], datetime],
) -> Certificate:
    """Return the `exact` certificate of a table, at the reader's snapshot.

    Keys that only raw has were deleted at the source: their tombstones are written as a package,
    and `load` loads it (`deletes: ignore` keeps the rows and counts them). Rows that only the
    source has are read again once. Rows that both have with other content fail the certificate:
    nothing of ours leaves such rows behind.
    """
    first = compare(connection, raw_table, reader.cell, reader)
    found = first
    re_read = tombstones = 0
    if not first.changed and (first.missing_rows or _to_delete(first, deletes)):
        re_read, tombstones = first.missing_rows, _to_delete(first, deletes)
        deleted = first.deleted if tombstones else first.deleted.slice(0, 0)
        load(reader.repair(landing, first.boundaries, first.ranges, first.missing, deleted))
        found = compare(connection, raw_table, reader.cell, reader)
    failure = _failure(reader, found, deletes)
    kept = found.deleted_rows if deletes == "ignore" else 0
    detail = [failure or "every row agrees with the source's snapshot"]
    detail += [f"{kept} rows deleted at the source are kept (deletes: ignore)"] if kept else []
    detail += [f"{re_read} rows were missing in raw and read again"] if re_read else []
    detail += [f"{tombstones} rows were deleted at the source"] if tombstones else []
    return Certificate(
        source=reader.source,
        cell=reader.cell,
        table=reader.table,
        kind="exact",
        status="failed" if failure else "passed",
        source_rows=found.source[0],
        warehouse_rows=found.warehouse[0],
        source_checksum=_text(found.source),
        warehouse_checksum=_text(found.warehouse),
        ranges=(first if failure else found).texts,
        re_read_rows=re_read,
        deleted_rows=tombstones,
        position=reader.position,
        checked_at=now(),
        detail="; ".join(detail),
    )


def _to_delete(found: Differences, deletes: str) -> int:
    return found.deleted_rows if deletes == "reconcile" else 0


def _failure(reader: Reader, found: Differences, deletes: str) -> str | None:
    """Return why source and raw do not agree, with what to do; None when they do."""
    table = f"{reader.source}.{reader.table}"
    where = "; ".join(found.texts[:3]) + (" ..." if len(found.texts) > 3 else "")
    if found.changed:
        shown = "; ".join(found.changed_keys) + (" ..." if found.changed > 5 else "")
        return (
            f"{table}: {found.changed} rows of raw differ from the source in {where} ({shown});"
            f" something else than a load changed them: warehouse run --full-refresh {table}"
        )
    if found.unexplained:
        return f"{table}: raw holds a key twice in {where}: warehouse run --full-refresh {table}"
    left = found.missing_rows + _to_delete(found, deletes)
    if left:
        return (
            f"{table}: {left} rows still differ in {where} after they were read again:"
            f" warehouse run --full-refresh {table}"
        )
    return None


def _text(checksum: Checksum) -> str:
    return f"{checksum[1]}-{checksum[2]}"
