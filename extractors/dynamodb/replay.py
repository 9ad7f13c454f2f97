"""Write rejected items, from the DynamoDB JSON that was kept of them, as packages of what fits now.

They go through the routing and conversion of a scan, with the configuration of now.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from extractors.dynamodb.decode import connected, decoding
from extractors.dynamodb.lines import Shape, told_apart
from extractors.dynamodb.route import Route
from extractors.dynamodb.rules import Columns, Rules, entity_rules, recorded_pairs
from extractors.dynamodb.write import Rejection, raw_columns, rejections, write_fitting
from extractors.package import Manifest, PackageWriter


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a raw table stands; a replay does not move it."""

    position: dict[str, Any]
    source_position: int
    complete_up_to: datetime


def replay_items(
    payloads: Sequence[str],
    key: Mapping[str, str],
    *,
    source: str,
    cell: str,
    table: str,
    landing: Path,
    routes: Sequence[Route],
    standing: Mapping[str, Standing],
    pii: Rules,
    pii_keys: Mapping[str, str],
    types: Columns,
    facts: dict[str, Any],
) -> tuple[list[Manifest], list[Rejection]]:
    """Return a package for each entity that now takes items, and what is still rejected.

    `payloads` are whole items, `key` the key attributes with their types. An entity that `standing`
    does not name was never read: its package begins it, where the others of the table stand.
    """
    rules = entity_rules(routes, key, pii, pii_keys, types)
    scratch = landing / ".replay" / source / cell / table
    shutil.rmtree(scratch, ignore_errors=True)  # of a killed replay
    scratch.mkdir(parents=True, mode=0o700)
    try:
        items: list[dict[str, dict[str, Any]]] = [orjson.loads(payload) for payload in payloads]
        pairs = {(name, tag) for item in items for name, value in item.items() for tag in value}
        lines = scratch / "items"
        lines.write_text("".join(f"{payload}\n" for payload in payloads), encoding="utf-8")
        (scratch / "renamed").mkdir()
        files = told_apart([lines], Shape(pairs), scratch / "renamed")
        pairs |= recorded_pairs(rules.values(), {name for name, _ in pairs})
        with connected(scratch, pii_keys) as connection:
            decoded = decoding(
                connection, scratch, pairs, files, sum(map(len, items)), routes, rules
            )
            manifests: list[Manifest] = []
            for entity in rules:
                with PackageWriter(landing, source, cell, table, entity) as writer:
                    if not write_fitting(connection, decoded, entity, writer):
                        continue
                    at = standing.get(entity)
                    place = at or next(iter(standing.values()))
                    manifests.append(
                        writer.commit(
                            mode="incremental" if at else "full",
                            key=decoded.plans[entity].key,
                            columns=raw_columns(decoded, entity),
                            from_=at.position if at else None,
                            to=place.position,
                            source_position=place.source_position,
                            complete_up_to=place.complete_up_to,
                            facts=facts,
                        )
                    )
            return manifests, rejections(connection, decoded)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
