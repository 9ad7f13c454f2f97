"""Record certificates in `meta` and queue them for state."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from extractors.errors import AuditError
from extractors.package import Manifest, new_load_id, utc_text
from warehouse.engines import duckdb_engine
from warehouse.load import outbox, package
from warehouse.reconcile.certificate import Certificate

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_certificate(
    manifests: "Sequence[Manifest]", records: "Sequence[package.LoadRecord]"
) -> Certificate:
    """Certify one scan: items read = rows loaded + rows quarantined, over all its entities."""
    first = manifests[0]
    read = int(first.facts["items_read"])
    accounted = sum(record.read_rows for record in records)
    return Certificate(
        source=first.source,
        cell=first.cell,
        table=first.table,
        kind="read",
        status="passed" if read == accounted else "failed",
        source_rows=read,
        warehouse_rows=accounted,
        source_checksum=None,
        warehouse_checksum=None,
        ranges=(),
        re_read_rows=0,
        deleted_rows=sum(record.deleted_rows for record in records),
        position=first.to,
        checked_at=datetime.now(UTC),
        detail=f"complete as of the scan's start, {utc_text(first.complete_up_to)}",
    )


def record_certificate(
    connection: duckdb.DuckDBPyConnection, certificate: Certificate, run_id: str
) -> None:
    """Write a certificate, and its record for state, in one transaction."""
    identity = new_load_id()
    body = {
        "certificate_id": identity,
        "run_id": run_id,
        "source": certificate.source,
        "cell": certificate.cell,
        "table_name": certificate.table,
        "kind": certificate.kind,
        "status": certificate.status,
        "source_rows": certificate.source_rows,
        "warehouse_rows": certificate.warehouse_rows,
        "source_checksum": certificate.source_checksum,
        "warehouse_checksum": certificate.warehouse_checksum,
        "ranges": json.dumps(list(certificate.ranges)),
        "re_read_rows": certificate.re_read_rows,
        "deleted_rows": certificate.deleted_rows,
        "position": json.dumps(certificate.position, sort_keys=True),
        "checked_at": utc_text(certificate.checked_at),
        "detail": certificate.detail,
    }
    with duckdb_engine.transaction(connection):
        connection.execute(
            f"INSERT INTO meta.certificates ({', '.join(body)})"
            f" VALUES ({', '.join('?' for _ in body)})",
            list(body.values()),
        )
        outbox.add(connection, "certificate", f"certificate:{identity}", certificate=body)


def require_none_failed(
    connection: duckdb.DuckDBPyConnection, tables: "Sequence[tuple[str, str, str]]"
) -> None:
    """Raise AuditError when the last certificate of one of the tables (source, cell, table) failed.

    A run that reads only some tables must not publish what an earlier run found wrong in others.
    """
    failed = connection.execute(
        "SELECT source, cell, table_name, detail FROM meta.certificates"
        " QUALIFY row_number() OVER (PARTITION BY source, cell, table_name"
        " ORDER BY checked_at DESC, certificate_id DESC) = 1 AND status <> 'passed'"
        " ORDER BY ALL"
    ).fetchall()
    details = [detail for *table, detail in failed if tuple(table) in set(tables)]
    if details:
        raise AuditError(f"the last certificate failed, nothing is published: {'; '.join(details)}")


def require_passed(certificate: Certificate) -> None:
    """Raise AuditError, naming the differing key ranges, unless the certificate passed."""
    if certificate.status != "passed":
        ranges = f" (differing: {'; '.join(certificate.ranges)})" if certificate.ranges else ""
        raise AuditError(f"certificate failed: {certificate.detail}{ranges}")
