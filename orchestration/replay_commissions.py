"""Compute what affiliates would have earned under other plans: `warehouse replay-commissions`."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from extractors.errors import ConfigError, SourceError
from orchestration import dbt, ledger, lineage
from warehouse import lease
from warehouse.backup import restore
from warehouse.config import Settings
from warehouse.engines import duckdb_engine, duckdb_what_if
from warehouse.ledger import plans_file
from warehouse.ledger.plans_file import Plan
from warehouse.load import builds

FOLDER = "replay"
PLANS = ("staging", "stg_affiliate__commission_plans")
AFFILIATES = ("staging", "stg_affiliate__affiliates")
PRODUCTS = ("staging", "stg_shop__products")
RUN_FIRST = "run `warehouse run` first"


@dataclass(frozen=True, slots=True)
class Difference:
    """What an affiliate's lines bring under the plans in force and under others.

    Commissions are before refunds and lost chargebacks, `due` is after them, all in the payout
    currency. `lines` counts the affiliate's lines under either, `changed_lines` those whose
    commission or due differs.
    """

    affiliate_id: str
    currency: str
    lines: int
    changed_lines: int
    commission_in_force: Decimal
    commission_replayed: Decimal
    due_in_force: Decimal
    due_replayed: Decimal

    @property
    def difference(self) -> Decimal:
        """Return how much more would be due under the other plans."""
        return self.due_replayed - self.due_in_force

    def to_dict(self) -> dict[str, Any]:
        """Return the figures and the difference by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**named, "difference": self.difference}


@dataclass(frozen=True, slots=True)
class Replay:
    """The differences by affiliate and currency, as of the tick of the newest build."""

    as_of: datetime
    differences: list[Difference]


@dataclass(frozen=True, slots=True)
class Graph:
    """The models between the plans and what is due, in order, and all that these are made from."""

    models: list[str]
    given: list[str]


def replay(
    settings: Settings, file: Path, *, first: date, before: date, wait: float = 600.0
) -> Replay:
    """Compare the lines ordered from `first` to the day before `before` (reporting time zone).

    Both sides are made by the same models from the same tables of the build database, in a file of
    their own, and differ only in the plans: nothing is posted or published. ConfigError names what
    is wrong with the plans.
    """
    zone = settings.warehouse.reporting_time_zone
    plans = plans_file.read(file, ZoneInfo(zone))
    with _held(settings, wait) as held, _aside(settings) as aside:
        manifest = _manifest(settings)
        graph = graph_of(manifest)
        with duckdb_engine.build_database_as_it_is(settings.build_database) as connection:
            as_of = _as_of(connection, settings, graph)
            _require_known(connection, file, plans)
        names = [manifest["nodes"][model]["name"] for model in graph.models]
        queries = dbt.compiled(settings, held, names, as_of, target=aside / "dbt")
        built = settings.build_database
        with duckdb_what_if.beside(built, aside / built.name) as connection:
            duckdb_what_if.lay(connection, (lineage.table_of(manifest, one) for one in graph.given))

            def make(name: str) -> None:
                _make(connection, manifest, queries, graph.models, as_of)
                duckdb_what_if.keep_lines(
                    connection,
                    name,
                    commissions=ledger.COMMISSIONS,
                    due=ledger.DUE,
                    first=first,
                    before=before,
                    zone=zone,
                )

            make("in_force")
            rows = [plans_file.values(plan) for plan in plans.values()]
            duckdb_what_if.replace_plans(connection, PLANS, rows)
            make("replayed")
            found = duckdb_what_if.differences(connection, "in_force", "replayed")
    return Replay(as_of, [Difference(*row) for row in found])


def write_plans(settings: Settings, file: Path, *, wait: float = 600.0) -> int:
    """Write the plans in force into a file as `replay` takes it, and return how many they are."""
    with _held(settings, wait):
        graph = graph_of(_manifest(settings))
        with duckdb_engine.build_database_as_it_is(settings.build_database) as connection:
            _as_of(connection, settings, graph)
            connection.execute("SET TimeZone = 'UTC'")
            rows = duckdb_what_if.plans(connection, PLANS, plans_file.FIELDS)
    plans_file.write(file, (Plan(*row) for row in rows))
    return len(rows)


@contextmanager
def _held(settings: Settings, wait: float) -> Iterator[lease.Lease]:
    with lease.hold(settings.home, wait=wait) as held:
        restore.require_finished(settings)
        if not settings.build_database.is_file():
            raise SourceError(f"{settings.build_database}: nothing is built yet; {RUN_FIRST}")
        yield held


@contextmanager
def _aside(settings: Settings) -> Iterator[Path]:
    """Make an empty folder for the while, in place of what a killed replay left there."""
    folder = settings.home / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _manifest(settings: Settings) -> Mapping[str, Any]:
    return json.loads(dbt.manifest_path(settings).read_text(encoding="utf-8"))


def graph_of(manifest: Mapping[str, Any]) -> Graph:
    """Return what a replay makes again, and of what; ConfigError without commissions."""
    nodes = {
        lineage.table_of(manifest, identity): identity
        for identity in (*manifest["nodes"], *manifest["sources"])
    }
    schema, _, name = ledger.DUE.partition(".")
    plans, due = nodes.get(PLANS), nodes.get((schema, name))
    if plans is None or due is None:
        raise ConfigError("the dbt project has no commissions of affiliates to replay")
    graph = lineage.parents(manifest)
    needed = lineage.upstream(graph, due)
    models = [
        node
        for node in lineage.in_order(manifest)
        if node in needed and plans in lineage.upstream(graph, node)
    ]
    sources = [node for node in manifest["sources"] if node in needed]
    ordered = [node for node in lineage.in_order(manifest) if node in needed.difference(models)]
    return Graph(models, [*sources, *ordered])


def _as_of(connection: duckdb.DuckDBPyConnection, settings: Settings, graph: Graph) -> datetime:
    """Return the tick of the newest build, SourceError where it is not whole or of other models."""
    built = builds.recorded(connection)
    models = dbt.build_fingerprint(settings)
    if any(node not in built or built[node].models != models for node in graph.models):
        raise SourceError(
            f"{settings.build_database}: commissions are not built, or by other models than the"
            f" present ones; {RUN_FIRST}"
        )
    return max(one.as_of for one in built.values())


def _require_known(
    connection: duckdb.DuckDBPyConnection, file: Path, plans: Mapping[int, Plan]
) -> None:
    plans_file.require_known(
        file,
        plans,
        duckdb_what_if.values(connection, "affiliate_id", AFFILIATES),
        # the shop's plans may name one that no product is of any more
        duckdb_what_if.values(connection, "category", PRODUCTS, PLANS),
    )


def _make(
    connection: duckdb.DuckDBPyConnection,
    manifest: Mapping[str, Any],
    queries: Mapping[str, str],
    models: list[str],
    as_of: datetime,
) -> None:
    """Make the models anew, and what is due by them."""
    for model in models:
        kind = manifest["nodes"][model]["config"]["materialized"]
        if kind != "ephemeral":
            table = lineage.table_of(manifest, model)
            kind = "view" if kind == "view" else "table"
            duckdb_what_if.make(connection, kind, table, queries[model])
    terms = ledger.Terms(as_of, as_of, "UTC", None, FOLDER)
    ledger.solve(connection, ledger.DUE.partition(".")[2], terms)
