"""Record how the columns of raw changed: a row per change, and the types for state."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb

from extractors.package import Column, Manifest
from warehouse.engines import duckdb_raw
from warehouse.load import outbox

# The models that use a column (source, entity, column); None: not known.
ModelsUsing = Callable[[str, str, str], Sequence[str] | None]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a column of raw, with the source's name for it and for its table.

    `change` is added, widened, removed (at the source; raw keeps it), returned or refused.
    """

    source: str
    entity: str
    table: str
    column: str
    source_name: str
    change: str
    old_type: str | None
    new_type: str | None
    load_id: str


def unknown(source: str, entity: str, column: str) -> Sequence[str] | None:  # noqa: ARG001
    """Name no models: nobody said which there are."""
    return None


def record(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    changes: Sequence[duckdb_raw.SchemaChange],
    models_using: ModelsUsing = unknown,
) -> None:
    """Write the changes that a package made to its raw table, and the columns it no longer has.

    A column is removed when no cell has it any more, and returns with the first one that does.
    """
    known = {
        name: (type_, cells)
        for name, type_, cells in connection.execute(
            "SELECT column_name, type, cells FROM meta.columns WHERE source = ? AND entity = ?",
            [manifest.source, manifest.entity],
        ).fetchall()
    }
    present = {column.name: column for column in manifest.columns}
    for change in changes:
        _write(connection, manifest, change, models_using)
        _, cells = known.pop(change.column, ("", []))
        _keep(connection, manifest, present[change.column], {*cells, manifest.cell})
    for name, (type_, cells) in known.items():
        if name in present and manifest.cell not in cells:
            _set_cells(connection, manifest, name, {*cells, manifest.cell})
            if not cells:
                returned = duckdb_raw.SchemaChange(name, "returned", None, type_)
                _write(connection, manifest, returned, models_using)
        elif name not in present and manifest.cell in cells:
            _set_cells(connection, manifest, name, {*cells} - {manifest.cell})
            if cells == [manifest.cell]:
                removed = duckdb_raw.SchemaChange(name, "removed", type_, None)
                _write(connection, manifest, removed, models_using)
    if changes:
        outbox.add(
            connection,
            "column_types",
            f"column_types:{manifest.load_id}",
            source=manifest.source,
            entity=manifest.entity,
            columns=[
                {
                    "name": present[change.column].name,
                    "type": present[change.column].type,
                    "source_name": present[change.column].source_name,
                    "source_type": present[change.column].source_type,
                }
                for change in changes
            ],
        )


def record_refusal(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    error: duckdb_raw.TypeConflictError,
    models_using: ModelsUsing,
) -> None:
    """Write the change for which a package was refused."""
    if error.change:
        _write(connection, manifest, error.change, models_using)


def since_last_success(connection: duckdb.DuckDBPyConnection) -> list[Change]:
    """Return the changes, added columns left out, that were made since a run succeeded."""
    rows = connection.execute(
        "SELECT s.source, s.entity, s.table_name, s.column_name,"
        " coalesce(c.source_name, s.column_name), s.change, s.old_type, s.new_type, s.load_id"
        " FROM meta.schema_changes AS s"
        " LEFT JOIN meta.columns AS c USING (source, entity, column_name)"
        " WHERE s.change IN ('widened', 'removed', 'refused') AND s.changed_at > coalesce((SELECT"
        " max(started_at) FROM meta.runs WHERE status = 'succeeded'), '-infinity'::TIMESTAMPTZ)"
        " ORDER BY s.changed_at, s.source, s.entity, s.column_name"
    ).fetchall()
    return [Change(*row) for row in rows]


def _write(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    change: duckdb_raw.SchemaChange,
    models_using: ModelsUsing,
) -> None:
    models = models_using(manifest.source, manifest.entity, change.column)
    connection.execute(
        "INSERT INTO meta.schema_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            manifest.source,
            manifest.table,
            manifest.entity,
            change.column,
            change.change,
            change.old_type,
            change.new_type,
            manifest.load_id,
            manifest.finished_at,
            None if models is None else ", ".join(models),
        ],
    )


def _keep(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, column: Column, cells: set[str]
) -> None:
    where = [manifest.source, manifest.entity, column.name]
    connection.execute(
        "DELETE FROM meta.columns WHERE source = ? AND entity = ? AND column_name = ?", where
    )
    connection.execute(
        "INSERT INTO meta.columns VALUES (?, ?, ?, ?, ?, ?, ?)",
        [*where, column.type, column.source_name, column.source_type, sorted(cells)],
    )


def _set_cells(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, name: str, cells: set[str]
) -> None:
    connection.execute(
        "UPDATE meta.columns SET cells = ? WHERE source = ? AND entity = ? AND column_name = ?",
        [sorted(cells), manifest.source, manifest.entity, name],
    )
