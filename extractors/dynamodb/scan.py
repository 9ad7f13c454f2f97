"""Read a whole DynamoDB table by parallel scan into load packages, one per entity.

The items of each page go to files in a working folder, with a checkpoint per segment; when all
segments are complete they are decoded natively, routed and written. A killed scan goes on where
each segment stood, and what it yields is complete as of its first start.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from extractors.dynamodb.budget import Budget
from extractors.dynamodb.checkpoint import Plan, Segment, Workspace
from extractors.dynamodb.decode import connected, decoding
from extractors.dynamodb.describe import inspect
from extractors.dynamodb.errors import UndecodableError, explained, place
from extractors.dynamodb.lines import Shape, told_apart
from extractors.dynamodb.route import Route
from extractors.dynamodb.rules import (
    Columns,
    EntityRules,
    Rules,
    decoding_id,
    entity_rules,
    recorded_pairs,
)
from extractors.dynamodb.segments import Pace, Progress, SegmentReader
from extractors.dynamodb.write import raw_columns, write_parts
from extractors.errors import SourceError
from extractors.package import Manifest, PackageWriter, packages, read_manifest, utc_text

# A scan that lay unfinished for longer costs more to explain than to read again.
RESUME_WITHIN = timedelta(hours=24)


def scan_table(
    client: Any,
    table: str,
    *,
    source: str,
    cell: str,
    landing: Path,
    routes: Sequence[Route],
    now: Callable[[], datetime],
    budget: Budget | None = None,
    segments: int = 4,
    consistent: bool = False,
    work_dir: Path | None = None,
    pii: Rules | None = None,
    pii_keys: Mapping[str, str] | None = None,
    types: Columns | None = None,
    progress: Callable[[Progress], None] | None = None,
    pace: Pace | None = None,
    resume_within: timedelta = RESUME_WITHIN,
) -> list[Manifest]:
    """Scan a table and return the manifest of each entity's package, in order of the routes.

    `types` holds the columns of each entity's earlier packages: their names stay and their types
    only widen. `pii` maps entities to {raw column: rule}. The rows and quarantined items of the
    packages add up to the items read. The working folder (default `<landing>/.scan/...`) holds the
    items as they were sent while the scan is unfinished; it is emptied when the packages exist.
    """
    report = inspect(client, table)
    rules = entity_rules(routes, report.key, pii or {}, pii_keys or {}, types or {})
    workspace = Workspace(work_dir or landing / ".scan" / source / cell / table)
    where = place(client, table)
    with _disk_faults(where, workspace), workspace.locked(where):
        subject = {
            "table": report.identity,
            "key": report.key,
            "segments": segments,
            "consistent": consistent,
        }
        decoded_by = decoding_id(routes, pii or {}, pii_keys or {})
        plan = workspace.plan(subject, now(), resume_within)
        finished = _finished(plan, landing, source, cell, table)
        if any(manifest.facts["decoding"] != decoded_by for manifest in finished.values()):
            # killed between two packages, and the configuration changed since
            workspace.clear()
            plan, finished = workspace.plan(subject, now(), resume_within), {}
        states = workspace.segments(segments)
        budget = budget or Budget(None)
        reader = SegmentReader(
            client,
            {
                "TableName": table,
                "TotalSegments": segments,
                "ConsistentRead": consistent,
                "ReturnConsumedCapacity": "TOTAL",
            },
            workspace,
            states,
            budget,
            pace or Pace(),
            progress,
            report.units_per_item,
        )
        with explained(client, table):
            reader.read()
        facts = _facts(client, plan, states) | {"decoding": decoded_by}
        with ExitStack() as stack:
            writers = {
                entity: stack.enter_context(PackageWriter(landing, source, cell, table, entity))
                for entity in rules
                if entity not in finished
            }
            try:
                manifests = _packages(
                    workspace,
                    states,
                    routes,
                    rules,
                    pii_keys or {},
                    writers,
                    finished,
                    plan,
                    facts,
                )
            except UndecodableError:
                # the same pages would be no better at the next attempt
                workspace.clear()
                raise
        workspace.clear()
    return [manifests[entity] for entity in rules]


def _packages(
    workspace: Workspace,
    states: list[Segment],
    routes: Sequence[Route],
    rules: Mapping[str, EntityRules],
    pii_keys: Mapping[str, str],
    writers: Mapping[str, PackageWriter],
    finished: Mapping[str, Manifest],
    plan: Plan,
    facts: dict[str, Any],
) -> dict[str, Manifest]:
    """Decode the scan into the writers and commit them when every item is accounted for."""
    pairs = {pair for state in states for pair in state.shape}
    files = told_apart(workspace.files(states), Shape(pairs), workspace.scratch("renamed"))
    pairs |= recorded_pairs(rules.values(), {attribute for attribute, _ in pairs})
    attributes = sum(state.attributes for state in states)
    scratch = workspace.scratch("decoding")
    with connected(scratch, pii_keys) as connection:
        decoded = decoding(connection, scratch, pairs, files, attributes, routes, rules)
        written = write_parts(connection, decoded, writers)
    written += sum(manifest.rows + manifest.quarantined for manifest in finished.values())
    if written != facts["items_read"]:
        raise UndecodableError(
            f"scan {plan.scan_id}: {facts['items_read']} items read but {written} in packages;"
            " nothing was written: run again"
        )
    committed = {
        entity: writer.commit(
            mode="full",
            key=decoded.plans[entity].key,
            columns=raw_columns(decoded, entity),
            from_=None,
            to={"scan_started": utc_text(plan.started_at)},
            source_position=_microseconds(plan.started_at),
            complete_up_to=plan.started_at,
            facts=facts,
        )
        for entity, writer in writers.items()
    }
    return {**finished, **committed}


@contextmanager
def _disk_faults(where: str, workspace: Workspace) -> Iterator[None]:
    """Raise what goes wrong here, not at the source, as one line too; the pages are kept."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        reason = str(error).strip().splitlines()[0]
        raise SourceError(
            f"{where}: {reason}; check the space and the permissions of {workspace.directory} and"
            " run again, the scan goes on where it stood"
        ) from error


def _finished(plan: Plan, landing: Path, source: str, cell: str, table: str) -> dict[str, Manifest]:
    """Return the packages that an earlier, killed attempt of this very scan completed."""
    found: dict[str, Manifest] = {}
    if plan.resumed:
        for directory in reversed(list(packages(landing, source, cell, table))):
            manifest = read_manifest(directory)
            if directory.name != manifest.load_id:
                continue  # set aside by the loader
            if manifest.facts.get("scan_id") != plan.scan_id:
                break
            found[manifest.entity] = manifest
    return found


def _facts(client: Any, plan: Plan, states: Sequence[Segment]) -> dict[str, Any]:
    return {
        "scan_id": plan.scan_id,
        "items_read": sum(state.items for state in states),
        "scanned_count": sum(state.scanned for state in states),
        "consumed_capacity": round(sum(state.units for state in states), 1),
        "segments": len(states),
        "consistent_read": plan.subject["consistent"],
        "resumed": plan.resumed,
        "region": client.meta.region_name,
    }


def _microseconds(moment: datetime) -> int:
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
