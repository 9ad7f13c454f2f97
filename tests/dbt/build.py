"""Build the dbt project on a scratch database as a run does: dbt, solvers, dbt."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration import ledger, lineage, pair_counts, recommendations, solved
from tests import warm
from warehouse.ledger.kept import Kept, write

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
BEFORE_SOLVERS = ("--exclude", "source:solved+")
AFTER_SOLVERS = ("--select", "source:solved+")
NOTHING_POSTED = Kept()
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")


@dataclass(frozen=True, slots=True)
class Build:
    """A scratch database, and dbt's target folder beside it."""

    database: Path
    target: Path
    as_of: str
    kept: Kept = NOTHING_POSTED

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Open the database; dbt needs it closed again."""
        connection = duckdb.connect(str(self.database))
        connection.execute("set timezone = 'UTC'")
        return connection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with self.connect() as connection:
            return connection.execute(query).fetchall()

    def dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run dbt and return how it ended; its lines are in `stdout`."""
        environment = {
            **os.environ,
            "WAREHOUSE_BUILD_DATABASE": str(self.database),
            "DBT_PROJECT_DIR": str(PROJECT),
            "DBT_PROFILES_DIR": str(PROJECT),
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(self.target),
        }
        # a unit test says its own as_of by a variable, which this would override
        if arguments[0] != "test":
            environment["WAREHOUSE_AS_OF"] = self.as_of
        options = [*arguments, *warm.PRODUCT_OPTIONS]
        return warm.run("dbt", options, cwd=PROJECT, env=environment, timeout=600)

    def build(
        self, final: solved.Kept = solved.NOTHING, kinds: Sequence[str] = WITHOUT_UNIT_TESTS
    ) -> None:
        """Build everything of these kinds; fail with dbt's own lines. `final` months stay so."""
        with self.connect() as connection:
            write(connection, self.kept)
        self._succeed("build", *BEFORE_SOLVERS, *kinds)
        with self.connect() as connection:
            for name in lineage.SOLVED:
                if name in ledger.SOLVED:
                    ledger.solve(connection, name, self.terms())
                elif name in pair_counts.SOLVED:
                    pair_counts.solve(connection, name)
                elif name in recommendations.SOLVED:
                    recommendations.solve(connection, name, {})
                else:
                    solved.write(connection, name, final)
        self._succeed("build", *AFTER_SOLVERS, *kinds)

    def terms(self) -> ledger.Terms:
        """Return what entries of the ledger are proposed by."""
        as_of = datetime.fromisoformat(self.as_of)
        return ledger.Terms(as_of, as_of, "Europe/London", self.kept.closed_through, "a run")

    def listed(self, *selection: str) -> list[str]:
        """Return the names of the nodes that a selection of `dbt build` runs."""
        types = ("model", "seed", "test")
        wanted = [part for kind in types for part in ("--resource-type", kind)]
        listing = self.dbt("ls", "--quiet", "--output", "name", *wanted, *selection)
        assert listing.returncode == 0, listing.stdout
        return listing.stdout.split()

    def manifest(self) -> dict[str, Any]:
        """Return what dbt knows of the project."""
        return json.loads((self.target / "manifest.json").read_text(encoding="utf-8"))

    def results(self) -> dict[str, str]:
        """Return the status of each node that the last call of dbt ran, by its unique id."""
        document = json.loads((self.target / "run_results.json").read_text(encoding="utf-8"))
        return {one["unique_id"]: one["status"] for one in document["results"]}

    def _succeed(self, *arguments: str) -> None:
        ended = self.dbt(*arguments)
        assert ended.returncode == 0, ended.stdout
