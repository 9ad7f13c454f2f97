"""Decide rejected rows: feed them through the same path again, or discard them."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from extractors.package import Column, Manifest, package_directory
from orchestration import dynamodb, progress
from orchestration.opening import running
from orchestration.options import Options
from orchestration.pipeline import Pipeline
from warehouse.config import Settings
from warehouse.config.sources import DynamodbSource
from warehouse.load import discards, quarantine
from warehouse.load.rejected import Entry, Selection, entries
from warehouse.load.replay import load_or_reject
from warehouse.who import who


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the chosen entries of one table and cell, in rows.

    `replayed` ones are in raw now, `superseded` ones were replaced at the source, and `open` ones
    still do not fit, for the `reasons`. `advice` says what else would load them.
    """

    source: str
    cell: str
    table: str
    replayed: int
    superseded: int
    open: int
    reasons: tuple[str, ...]
    advice: str | None


def discard(settings: Settings, identities: Sequence[str], why: str) -> list[Entry]:
    """Mark entries as discarded, under the writer lease; return those that were open."""
    with (
        running(settings, Options(interactive=True)) as pipeline,
        pipeline.database() as connection,
    ):
        return discards.discard(connection, identities, by=who(), why=why)


def replay(
    settings: Settings,
    selection: Selection,
    why: str | None = None,
    tell: progress.Progress = progress.silent,
) -> list[Replayed]:
    """Load what fits by now of the chosen entries that are open, or discarded and named.

    Items of DynamoDB are loaded from what was kept of them, as of the scan that rejected them.
    Tables of PostgreSQL are read and certified again, which brings rows that fit.
    """
    with running(settings, Options(interactive=True), tell) as pipeline:
        with pipeline.database() as connection:
            found = entries(connection, selection)
        tables: dict[tuple[str, str, str], list[Entry]] = {}
        for entry in found:
            is_named = entry.quarantine_id.startswith(selection.identities)
            if entry.decision == "open" or (entry.decision == "discarded" and is_named):
                subject = (entry.source, entry.cell, entry.table_name)
                tables.setdefault(subject, []).append(entry)
        return [_replay(pipeline, subject, chosen, why) for subject, chosen in tables.items()]


def _replay(
    pipeline: Pipeline, subject: tuple[str, str, str], chosen: Sequence[Entry], why: str | None
) -> Replayed:
    source, cell, table = subject
    configured = pipeline.settings.sources.get(source)
    reasons: list[str] = []
    advice: str | None = None
    if configured is None or table not in configured.tables:
        advice = f"{source}.{table} is no longer configured"
    elif isinstance(configured, DynamodbSource):
        reasons, advice = _replay_items(pipeline, subject, chosen, why)
    else:
        list(pipeline.ingest(source, cell, [table]))
        advice = (
            f"correct the rows at the source; `warehouse run --full-refresh {source}.{table}` then"
            " also finds those whose key is not known"
        )
    now = _again(pipeline, chosen)
    rows = Counter[str]()
    for entry in now:
        rows[entry.decision] += entry.rows
    left = rows["open"] + rows["discarded"]
    return Replayed(
        source,
        cell,
        table,
        rows["replayed"],
        rows["superseded"],
        left,
        tuple(reasons),
        advice if left else None,
    )


def _replay_items(
    pipeline: Pipeline, subject: tuple[str, str, str], chosen: Sequence[Entry], why: str | None
) -> tuple[list[str], str | None]:
    """Load the items that fit; return why others do not, and what else would load them."""
    source, cell, table = subject
    key = _key(chosen)
    entities = pipeline.settings.sources[source].entities(table)
    recorded = dynamodb.recorded(pipeline, source, entities)
    with pipeline.database() as connection:
        for entity, columns in recorded.items():
            if names := _raw_key(key, columns):
                quarantine.supersede_older(connection, subject, entity, names, columns)
        current = quarantine.newest_full_reads(connection, source, cell, table)
    waiting = [e for e in _again(pipeline, chosen) if e.decision in {"open", "discarded"}]
    present = [e for e in waiting if e.load_id >= current.get(e.entity, "")]
    whole = [entry.payload for entry in present if entry.complete]
    advice = None
    if len(present) < len(waiting):
        advice = "the last scan no longer has the row"
    elif len(whole) < len(present):
        advice = (
            "personal attributes were left out of what was kept;"
            f" `warehouse run --select {source}.{table}` reads the items whole"
        )
    if not whole:
        return [], advice
    facts: dict[str, Any] = {quarantine.REPLAY: {"by": who(), "why": why}}
    manifests, rejections = dynamodb.replay(pipeline, subject, key, whole, facts)
    for manifest in sorted(manifests, key=lambda manifest: manifest.load_id):
        _load(pipeline, manifest)
    return [
        f"{rejection.items} {rejection.reason}"
        + (f" {rejection.entity}.{rejection.field}" if rejection.entity else "")
        for rejection in rejections
    ], advice


def _load(pipeline: Pipeline, manifest: Manifest) -> None:
    with pipeline.database() as connection:
        record = load_or_reject(
            connection,
            pipeline.settings.landing,
            manifest,
            package_directory(pipeline.settings.landing, manifest),
            run_id=pipeline.run_id,
            rules=pipeline.rules,
        )
    pipeline.tell(
        progress.Event(
            "load",
            f"{record.source}.{record.entity}",
            "replayed",
            record.loaded_rows,
            done=True,
        )
    )


def _key(chosen: Sequence[Entry]) -> dict[str, str]:
    """Return the key attributes of a table with their types, as its rejected items show them."""
    values: dict[str, dict[str, Any]] = json.loads(chosen[0].row_key or "{}")
    return {attribute: next(iter(value)) for attribute, value in values.items()}


def _raw_key(key: Iterable[str], columns: Sequence[Column]) -> list[str]:
    """Return the raw columns of the key attributes, none where the raw table is not there yet."""
    # a further type of an attribute has a longer name
    bare = {c.source_name: c.name for c in sorted(columns, key=lambda c: -len(c.name))}
    return [bare[attribute] for attribute in key] if columns else []


def _again(pipeline: Pipeline, chosen: Sequence[Entry]) -> list[Entry]:
    """Return the chosen entries of one table as they are now."""
    identities = {entry.quarantine_id for entry in chosen}
    names = (f"{chosen[0].source}.{chosen[0].table_name}",)
    with pipeline.database() as connection:
        found = entries(connection, Selection(names=names))
    return [entry for entry in found if entry.quarantine_id in identities]
