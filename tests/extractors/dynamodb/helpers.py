"""Scan in one line, and turn packages back into what they were made from."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from extractors.dynamodb.route import Route
from extractors.dynamodb.scan import scan_table
from extractors.package import Manifest, package_directory, verify

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
Row = dict[str, Any]


def scan(
    client: Any,
    table: str,
    landing: Path,
    *,
    columns: Mapping[str, str] | None = None,
    routes: Sequence[Route] | None = None,
    **options: Any,
) -> list[Manifest]:
    """Scan a table of source `activity` at NOW; without routes into the entity `items`."""
    options = {"now": lambda: NOW, "segments": 2} | options
    manifests = scan_table(
        client,
        table,
        source="activity",
        cell="main",
        landing=landing,
        routes=routes or [Route("items", columns=columns or {})],
        **options,
    )
    for manifest in manifests:
        verify(package_directory(landing, manifest), manifest)
    return manifests


def rows(landing: Path, manifest: Manifest) -> list[Row]:
    """Return the rows of a package, ordered by key; every declared type is checked."""
    files = [str(package_directory(landing, manifest) / part.name) for part in manifest.parts]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        relation = connection.read_parquet(files)
        found = {
            name: str(type_) for name, type_ in zip(relation.columns, relation.types, strict=True)
        }
        long = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}
        assert found == {c.name: long.get(c.type, c.type) for c in manifest.columns}
        return [
            dict(zip(relation.columns, row, strict=True))
            for row in relation.order(", ".join(f'"{name}"' for name in manifest.key)).fetchall()
        ]


def values(landing: Path, manifest: Manifest, column: str) -> list[Any]:
    """Return one column of a package, ordered by key."""
    return [row[column] for row in rows(landing, manifest)]


def types(manifest: Manifest) -> dict[str, str]:
    """Return the raw columns and types, without the warehouse's own."""
    return {c.name: c.type for c in manifest.columns if not c.name.startswith("_")}


def quarantined(landing: Path, manifest: Manifest) -> list[Row]:
    """Return the quarantined items of a package, ordered by key."""
    files = [str(package_directory(landing, manifest) / part.name) for part in manifest.quarantine]
    if not files:
        return []
    with duckdb.connect() as connection:
        relation = connection.read_parquet(files).order("row_key")
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def items(landing: Path, manifest: Manifest) -> list[dict[str, dict[str, Any]]]:
    """Turn a package of undeclared columns back into the items it was made from."""
    return [_item(manifest, row) for row in rows(landing, manifest)]


def _item(manifest: Manifest, row: Row) -> dict[str, dict[str, Any]]:
    item: dict[str, dict[str, Any]] = {
        name: {"NULL": True} for name in json.loads(row["_attributes"])
    }
    for column in manifest.columns:
        value = row[column.name]
        if column.source_name and value is not None:
            assert item[column.source_name] == {"NULL": True}
            item[column.source_name] = {column.source_type: _wire(column.source_type, value)}
    return item


def _wire(tag: str, value: Any) -> Any:
    match tag:
        case "N":
            return str(value)
        case "NS":
            return [str(number) for number in value]
        case "B":
            return base64.b64encode(value).decode()
        case "BS":
            return [base64.b64encode(element).decode() for element in value]
        case "L" | "M":
            return json.loads(value, parse_float=Decimal)
        case _:
            return value
