"""Refuse parts of a package that do not hold what its manifest says."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from extractors.errors import SourceError
from extractors.naming import ROW_NUMBERS
from extractors.package import Column, Manifest
from warehouse.engines.duckdb_package import DELETED, METADATA, SEQUENCE, Incoming

OWN = {*ROW_NUMBERS, *dict(METADATA), DELETED, SEQUENCE}
SEQUENCE_TYPES = ("BIGINT", "VARCHAR")


def read_parts(
    connection: duckdb.DuckDBPyConnection, directory: Path, manifest: Manifest
) -> Incoming:
    """Return the rows of a package; SourceError names the part that differs from the manifest.

    Every part holds the manifest's columns in their types, and no other but `_deleted` (BOOLEAN)
    and, in the mode `stream`, `_sequence` (BIGINT or VARCHAR, in every part of one type).
    """
    where = f"{manifest.source}.{manifest.entity}"
    expected = normal_types(connection, manifest.columns)
    for name in expected:
        if name in OWN:
            raise SourceError(
                f"{directory}: the manifest of {where} has a column {name}, a name that the"
                " warehouse keeps for itself; extract again"
            )
    files = {str(directory / part.name): part for part in (*manifest.parts, *manifest.quarantine)}
    rows = _rows(connection, list(files))
    for path, part in files.items():
        if rows.get(path) != part.rows:
            raise SourceError(
                f"{path}: {rows.get(path)} rows, the manifest says {part.rows}; extract again"
            )
    own: dict[str, str] = {}
    for part in manifest.parts:
        path = str(directory / part.name)
        found = _columns(connection, path)
        for name, kind in expected.items():
            if found.get(name) != kind:
                raise SourceError(
                    f"{path}: column {name} is {found.get(name, 'missing')}, the manifest of"
                    f" {where} says {kind}; extract again"
                )
        for name in found.keys() - expected.keys():
            if own.setdefault(name, found[name]) != found[name] or not _is_ours(
                name, found[name], manifest
            ):
                raise SourceError(
                    f"{path}: column {name} ({found[name]}) is not in the manifest of"
                    f" {where}; extract again"
                )
    return Incoming(
        source=manifest.source,
        entity=manifest.entity,
        columns=manifest.columns,
        key=manifest.key,
        parts=tuple(directory / part.name for part in manifest.parts),
        rows=manifest.rows,
        has_deletes=DELETED in own,
        has_sequence=SEQUENCE in own,
    )


def normal_types(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[Column]
) -> dict[str, str]:
    """Return column -> DuckDB's own name of its type."""
    types = ", ".join(f"typeof(NULL::{column.type})" for column in columns)
    row = connection.execute(f"SELECT {types}").fetchone()
    assert row is not None
    return {column.name: str(kind) for column, kind in zip(columns, row, strict=True)}


def _is_ours(name: str, kind: str, manifest: Manifest) -> bool:
    if name == SEQUENCE:
        return manifest.mode == "stream" and kind in SEQUENCE_TYPES
    return name == DELETED and kind == "BOOLEAN"


def _rows(connection: duckdb.DuckDBPyConnection, files: list[str]) -> dict[str, int]:
    if not files:
        return {}
    return dict(
        connection.execute(
            "SELECT file_name, num_rows FROM parquet_file_metadata(?)", [files]
        ).fetchall()
    )


def _columns(connection: duckdb.DuckDBPyConnection, path: str) -> dict[str, str]:
    described = connection.execute("DESCRIBE FROM read_parquet(?)", [path]).fetchall()
    return {str(name): str(kind) for name, kind, *_ in described}
