"""Refuse packages that may not be loaded: torn, out of order, or with too many rejected rows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from extractors.errors import AuditError, SourceError
from extractors.package import Manifest, verify
from warehouse.load import schema_changes


@dataclass(frozen=True, slots=True)
class LoadRules:
    """What the configuration says of loading.

    A load fails when a package's rejected rows exceed either limit. `history` names the raw tables
    (source, entity) whose every version is kept. `models_using` names the models of a column.
    """

    max_quarantined_share: float = 0.01
    max_quarantined_rows: int = 1000
    history: frozenset[tuple[str, str]] = frozenset()
    models_using: schema_changes.ModelsUsing = schema_changes.unknown


def refuse_torn(directory: Path, manifest: Manifest) -> None:
    """Raise SourceError for a file that is missing, changed or listed twice, or sums that differ.

    What the files hold is `duckdb_parts.read_parts`' to check.
    """
    where = f"{directory}: the manifest of {manifest.source}.{manifest.entity}"
    names = [part.name for part in (*manifest.parts, *manifest.quarantine)]
    for name in names:
        if names.count(name) > 1 or Path(name).name != name:
            raise SourceError(f"{where} names the part {name!r} twice or outside; extract again")
    for what, rows, parts in (
        ("rows", manifest.rows, manifest.parts),
        ("quarantined", manifest.quarantined, manifest.quarantine),
    ):
        listed = sum(part.rows for part in parts)
        if rows != listed:
            raise SourceError(
                f"{where} says {what}: {rows}, its parts have {listed}; extract again"
            )
    verify(directory, manifest)


def refuse_over_limit(manifest: Manifest, rules: LoadRules) -> None:
    """Raise AuditError when more of a package's rows were rejected than the limit allows."""
    read = manifest.rows + manifest.quarantined
    share, rows = rules.max_quarantined_share, rules.max_quarantined_rows
    if manifest.quarantined > rows or manifest.quarantined > share * read:
        raise AuditError(
            f"{manifest.source}.{manifest.entity}: {manifest.quarantined} of {read} rows do not"
            f" fit (package {manifest.load_id}, quarantine-*.parquet has the reasons); the limit"
            f" is {rows} rows or {share:.2%}; fix the source or raise the limit"
        )


def refuse_out_of_order(manifest: Manifest, standing: Sequence[object] | None) -> None:
    """Raise SourceError unless a package goes on where its table stands.

    `standing` is the table's position, source position and last load, None before its first.
    """
    if standing is None:
        if manifest.mode == "full":
            return
        raise SourceError(
            f"{manifest.source}.{manifest.entity}: package {manifest.load_id} continues a read"
            " that is not loaded; load the packages before it first"
        )
    position, _, load_id, _ = standing
    if manifest.load_id < str(load_id):
        raise SourceError(
            f"{manifest.source}.{manifest.entity}: package {manifest.load_id} is older than"
            f" {load_id}, which is loaded; nothing to do"
        )
    if manifest.mode != "full" and position_text(manifest.from_ or {}) != position:
        raise SourceError(
            f"{manifest.source}.{manifest.entity}: package {manifest.load_id} starts at"
            f" {position_text(manifest.from_ or {})}, the table stands at {position};"
            " load the packages between first"
        )


def position_text(position: dict[str, object]) -> str:
    """Return a position as the text that positions are compared by."""
    return json.dumps(position, sort_keys=True)
