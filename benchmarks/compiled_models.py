"""What benchmarks of models share: the project as dbt compiles it, sizes in turn, and a clock."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

PROJECT = Path(__file__).resolve().parents[1] / "dbt_project"
THREADS = 2
Nodes = Mapping[str, Any]


@dataclass
class Figures:
    """Seconds by the clock and of the processors, by step."""

    clock: dict[str, float] = field(default_factory=dict)
    processors: dict[str, float] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)

    def measure(self, name: str, work: Callable[[], Any]) -> None:
        """Do the work and note what it took."""
        clock, processors = time.perf_counter(), time.process_time()
        work()
        self.clock[name] = time.perf_counter() - clock
        self.processors[name] = time.process_time() - processors

    def total(self, *names: str) -> tuple[float, float]:
        """Return the sums of steps."""
        return sum(self.clock[one] for one in names), sum(self.processors[one] for one in names)

    def tell_steps(self, count: int) -> None:
        """Print the steps that took most."""
        for name in sorted(self.steps, key=lambda one: -self.processors[one])[:count]:
            print(f"    {self.clock[name]:6.2f} s {self.processors[name]:6.2f} s  {name}")
        sys.stdout.flush()


def options(folder: Path) -> list[str]:
    """Return what each call of dbt has to say."""
    return [
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
        *("--target-path", str(folder / "target"), "--log-path", str(folder / "target")),
        *("--vars", json.dumps({"as_of": "2026-12-27T00:00:00Z"})),
    ]


def compiled(folder: Path) -> Nodes:
    """Return the nodes of the project with their compiled SQL."""
    command = [str(Path(sys.executable).with_name("dbt")), "compile", "--quiet", *options(folder)]
    environment = {**os.environ, "WAREHOUSE_BUILD_DATABASE": str(folder / "build.duckdb")}
    subprocess.run(command, env=environment, check=True)
    document = json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    return {**document["nodes"], **document["sources"]}


def opened(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open the build database as nobody else has it open."""
    DuckDBConnectionManager.close_all_connections()
    connection = duckdb.connect(str(folder / "build.duckdb"))
    connection.execute(f"set threads = {THREADS}; set timezone = 'UTC'")
    return connection


def run_dbt(folder: Path, models: list[str], figures: Figures, *more: str) -> None:
    """Let dbt run models, and note of each what its statements took, hooks and commits too."""
    started: dict[str, tuple[float, float]] = {}

    def note(event: Any) -> None:
        if event.info.name not in {"SQLQuery", "SQLQueryStatus"}:
            return
        name = event.data.node_info.node_name
        now = time.perf_counter(), time.process_time()
        if event.info.name == "SQLQuery":
            # the first one to begin also opens the file
            if event.data.sql != "BEGIN":
                started[name] = now
        elif name and name in started:
            clock, processors = started.pop(name)
            if name not in figures.clock:
                figures.steps.append(name)
            figures.clock[name] = figures.clock.get(name, 0) + now[0] - clock
            figures.processors[name] = figures.processors.get(name, 0) + now[1] - processors

    arguments = ["run", "--select", *models, "--threads", "1", "--quiet", *more]
    arguments += options(folder)
    ended = dbtRunner(callbacks=[note]).invoke(arguments)
    if not ended.success:
        raise SystemExit(f"dbt failed: {ended.exception or 'see its lines above'}")


def each_size(script: str, sizes: Sequence[int], build: Callable[[Nodes, Path, int], None]) -> None:
    """Let the script build each size in a process of its own; the command line may name others."""
    if sys.argv[1:2] == ["--one"]:
        folder, size = Path(sys.argv[2]), int(sys.argv[3])
        build(json.loads((folder / "nodes.json").read_text(encoding="utf-8")), folder, size)
        return
    for size in map(int, sys.argv[1:] or sizes):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "nodes.json").write_text(json.dumps(compiled(folder)), encoding="utf-8")
            environment = {**os.environ, "WAREHOUSE_BUILD_DATABASE": str(folder / "build.duckdb")}
            command = [sys.executable, script, "--one", name, str(size)]
            subprocess.run(command, env=environment, check=True)


def judge_clicks(
    nodes: Nodes, folder: Path, clicks: int, order: Sequence[str], queries: tuple[str, str, str]
) -> None:
    """Make the nodes of `order` from so many clicks of affiliates, and print what it took.

    `queries` make what is given, do the same as the models in one, and return a text that says
    what came of it.
    """
    given, bare_query, outcome = queries
    figures = Figures()
    with duckdb.connect(str(folder / "build.duckdb")) as connection:
        connection.execute(f"set threads = {THREADS}; set timezone = 'UTC'")
        connection.execute("set preserve_insertion_order = false")
        for schema in ("staging", "intermediate", "seeds", "ledger"):
            connection.execute(f"create schema if not exists {schema}")
        connection.execute(f"set variable clicks = {clicks}")
        connection.execute(given)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        for node in (nodes[identity] for identity in order):
            figures.measure(node["name"], lambda node=node: make(connection, node))
            figures.steps.append(node["name"])
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        for turn in range(2):
            figures.measure(f"bare {turn}", lambda: connection.execute(bare_query))
        [[text]] = connection.execute(outcome).fetchall()
    clock, processors = figures.total(*figures.steps)
    bare = min(figures.total("bare 0"), figures.total("bare 1"))
    print(f"{clicks:,} clicks: {text}")
    print(
        f"  models {clock:.1f} s, processors {processors:.1f} s; bare query {bare[0]:.1f} s,"
        f" {bare[1]:.1f} s; ratio {clock / bare[0]:.2f}, of processor time"
        f" {processors / bare[1]:.2f}; peak memory {memory:.1f} GiB"
        f" ({before:.1f} of it by making the clicks)"
    )
    figures.tell_steps(6)


def make(connection: duckdb.DuckDBPyConnection, node: Mapping[str, Any]) -> None:
    """Make a seed or a model."""
    name = f"{node['schema']}.{node['alias']}"
    if node["resource_type"] == "seed":
        path = PROJECT / node["original_file_path"]
        kinds = json.dumps(node["config"]["column_types"]).replace('"', "'")
        connection.execute(
            f"create table {name} as from read_csv('{path}', nullstr = '', types = {kinds})"
        )
    else:
        kind = "view" if node["config"]["materialized"] == "view" else "table"
        connection.execute(f"create {kind} {name} as {node['compiled_code']}")
