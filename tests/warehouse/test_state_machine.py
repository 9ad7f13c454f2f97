"""Random sequences of a warehouse's steps, killed anywhere, against a model in plain Python.

`make test` does the same 2,000 steps each time. `make soak` does 10,000 others at every run, and
shrinks what fails; WAREHOUSE_STEPS says how many, WAREHOUSE_SEED (printed) repeats them.
"""

import collections
import itertools
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, note, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from extractors.package import packages, read_manifest
from tests.warehouse import tiny_warehouse as tiny
from tests.warehouse.tiny_model import Compacted, Content, Landed, Plan, Raw, Snapshot
from tests.warehouse.tiny_shop import (
    CELL,
    EVENTS,
    SOURCE,
    TABLES,
    Change,
    Shop,
)
from warehouse.engines import duckdb_engine, duckdb_snapshot
from warehouse.load import replay
from warehouse.publish import versions
from warehouse.state import segments

STEPS_EACH = 50
counted: collections.Counter[str] = collections.Counter()

# Where each step can be killed.
EXTRACTING = ["part written", "manifest not written", "manifest written"]
ADDING = ["segment not written", "segment written", "head written"]
SWITCHING = [*ADDING, "not switched", "switched"]
LOADING = [
    *("table ready", "rows in", "history in", "columns recorded", "quarantined", "committed"),
    *(
        "refused",
        "set aside",
        "compacted rows in",
        "compaction taken",
        "queued",
        "flushed",
        *ADDING,
    ),
]
COMPACTING = [*EXTRACTING, "compaction written", "compaction taken"]
PUBLISHING = ["copied", "checked", "flushed", "old removed", *SWITCHING]


@dataclass(frozen=True, slots=True)
class Kill:
    point: str
    count: int
    is_real: bool


def kills(points: list[str]) -> st.SearchStrategy[Kill | None]:
    """None, or a kill at a call of one of the points: one in eight of a real process."""
    is_real = st.integers(0, 7).map(lambda n: n == 7)
    kill = st.builds(Kill, st.sampled_from(points), st.sampled_from([1, 1, 1, 2, 3]), is_real)
    return st.one_of(st.none(), kill)


@dataclass(frozen=True, slots=True)
class Step:
    """A kind of step: how often it comes, when it is possible, and what is drawn for it."""

    weight: int
    is_possible: Callable[[Any], object]
    method: Callable[..., None]
    drawn: Mapping[str, st.SearchStrategy[Any]]


STEPS: dict[str, Step] = {}


def step(
    weight: int,
    when: Callable[[Any], object] = lambda _machine: True,
    **drawn: st.SearchStrategy[Any],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a method a step of the machine.

    Not a rule of its own: hypothesis leaves most rules out of most examples, and little happens.
    """

    def known(method: Callable[..., None]) -> Callable[..., None]:
        STEPS[method.__name__] = Step(weight, when, method, drawn)
        return method

    return known


tables = st.sampled_from(TABLES)
# A kind of change at the source, and a number that chooses the rest.
CHANGES = st.sampled_from([*("write",) * 8, *("delete",) * 3, "spoil", "repair", "widen", "add"])
NUMBERS = st.integers(0, 99)


class Warehouse(RuleBasedStateMachine):
    """Each rule is a step; what it should have done is worked out before it is compared."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.settings = tiny.create(self.folder)
        self.shop = Shop()
        self.raw = Raw(self.shop)
        self.landed: dict[str, list[Landed]] = {table: [] for table in TABLES}
        self.compacted: dict[str, dict[str, Compacted]] = {table: {} for table in TABLES}
        self.removed: set[str] = set()
        self.published: dict[str, Snapshot] = {}
        self.shown: str | None = None
        self.held: str | None = None
        self.files: set[str] = set()
        self.readers: list[tuple[duckdb.DuckDBPyConnection, str]] = []
        self.positions: dict[str, int] = {}
        self.certified: set[str] = set()
        self.typed: set[str] = set()  # loads that ever changed columns
        self.hashes: dict[str, str] = {}
        self.read_whole: set[tuple[str, int]] = set()

    def teardown(self) -> None:
        for connection, _ in self.readers:
            connection.close()
        shutil.rmtree(self.folder)

    # What changes at the source

    @step(4, table=tables, changes=st.lists(st.tuples(CHANGES, NUMBERS), min_size=1, max_size=6))
    def change(self, table: str, changes: list[tuple[str, int]]) -> None:
        """Write, delete, spoil and repair rows, or change the table itself."""
        counted["change"] += 1
        for kind, number in changes:
            self._change(table, kind, number)

    def _change(self, table: str, kind: str, number: int) -> None:
        now = len(self.shop.log)
        # Of the stream's rows most are written once.
        key = f"k{number % 7}" if table != EVENTS or number < 30 else f"k{now}"
        if kind == "write":
            self._write(table, key, number)
        elif kind == "delete":
            self.shop.log.append(Change(table, key, None))
        elif kind == "spoil":
            self.shop.log.append(Change(table, f"bad-{now}", {}, fits=False))
        elif kind == "repair":
            for bad in self.shop.rejected(table, 0, now):
                if number % 2:
                    self.shop.log.append(Change(table, bad, None))
                else:
                    self._write(table, bad, number)
        elif kind == "widen":
            self.shop.widen(table, ("n", "amount")[number % 2])
        elif len(self.shop.columns[table]) < 6:
            self.shop.add_column(table)

    def _write(self, table: str, key: str, number: int) -> None:
        makes: dict[str, Callable[[], Any]] = {
            "VARCHAR": lambda: f"text {number}" if number % 3 else None,
            "INTEGER": lambda: number,
            "BIGINT": lambda: number * 10_000_000_000,
            "DECIMAL(9,2)": lambda: Decimal(number) / 100,
            "DECIMAL(18,4)": lambda: Decimal(number) / 10_000,
        }
        row = {column.name: makes[column.type]() for column in self.shop.columns[table]}
        self.shop.log.append(Change(table, key, row | {"id": key}))

    # Steps of runs

    @rule(data=st.data())
    def one_step(self, data: st.DataObject) -> None:
        possible = [
            n for n, kind in STEPS.items() if kind.is_possible(self) for _ in range(kind.weight)
        ]
        name = data.draw(st.sampled_from(possible), label="step")
        kind = STEPS[name]
        values = {key: data.draw(drawn, label=key) for key, drawn in kind.drawn.items()}
        kind.method(self, **values)

    @initialize(numbers=st.lists(st.integers(0, 99), min_size=3, max_size=9))
    def first_run(self, numbers: list[int]) -> None:
        for number in numbers:
            self._change(TABLES[number % 3], "write", number)
        for table in TABLES:
            self._extract(table, None)
        self._catch_up(None, refreshes=False)
        self._publish(None)

    @step(
        5,
        changes=st.lists(st.tuples(tables, CHANGES, NUMBERS), max_size=9),
        killed_in=st.sampled_from([None, "extract", "catch_up", "publish"]),
        data=st.data(),
    )
    def run(
        self, changes: list[tuple[str, str, int]], killed_in: str | None, data: st.DataObject
    ) -> None:
        """Do what a run does after some changes, as far as it comes."""
        for change in changes:
            self._change(*change)
        points = {"extract": EXTRACTING, "catch_up": LOADING, "publish": PUBLISHING}
        kill = data.draw(kills(points[killed_in])) if killed_in else None
        for table in TABLES:
            self._extract(table, kill if killed_in == "extract" else None)
        self._catch_up(kill if killed_in == "catch_up" else None, refreshes=True)
        if self.raw.records:
            self._publish(kill if killed_in == "publish" else None)

    @step(
        5,
        table=tables,
        redelivered=st.integers(0, 3),
        again=st.integers(0, 5).map(lambda n: n == 5),
        kill=kills(EXTRACTING),
    )
    def extract(self, table: str, redelivered: int, again: bool, kill: Kill | None) -> None:
        """Land a package: what changed since the one before, or all of the table again."""
        self._extract(table, kill, redelivered=redelivered, again=again)

    def _extract(
        self, table: str, kill: Kill | None, *, redelivered: int = 0, again: bool = False
    ) -> None:
        last = self.landed[table][-1].read.to if self.landed[table] and not again else None
        read = self.shop.read(table, last, redelivered=redelivered if table == EVENTS else 0)
        outcome = self._perform("extract", kill, read)
        assert outcome.error is None
        known = {package.load_id for package in self.landed[table]} | self.compacted[table].keys()
        found = [
            directory.name
            for directory in packages(self.settings.landing, SOURCE, CELL, table)
            if directory.name not in known and not directory.name.startswith(replay.REJECTED)
        ]
        assert len(found) == 1 or (outcome.was_killed and not found)
        self.landed[table] += [Landed(load_id, read) for load_id in found]

    @step(5, lambda self: self._on_disk(), data=st.data(), kill=kills(LOADING))
    def load(self, data: st.DataObject, kill: Kill | None) -> None:
        """Load one package: the next, one that is loaded, or one out of its turn."""
        package = data.draw(st.sampled_from(self._on_disk()))
        table = package.read.table
        plan = Plan([], [], 0)
        if package.load_id not in self.raw.records:
            reason = self.raw.refuses(package, self.raw.standing(table))
            plan = {
                None: Plan([package], [], 0),
                "limit": Plan([], [package], 1),
                "chain": Plan([], [], 3),
            }[reason]
        self._load(plan, kill, "load", table, package.load_id)

    @step(4, refreshes=st.booleans(), kill=kills(LOADING))
    def catch_up(self, refreshes: bool, kill: Kill | None) -> None:
        """Load what landed, as each run does first; a refresh sets aside what is in its way."""
        self._catch_up(kill, refreshes=refreshes)

    def _catch_up(self, kill: Kill | None, *, refreshes: bool) -> None:
        self._load(self._plan(refreshes), kill, "catch_up", TABLES if refreshes else ())

    def _on_disk(self) -> list[Landed]:
        return [p for t in TABLES for p in self.landed[t] if p.load_id not in self.removed]

    def _plan(self, refreshes: bool) -> Plan:
        plan = Plan([], [], 0)
        for table in TABLES:
            standing, known = self.raw.standing(table), set(self.raw.records)
            base = self._base(table)
            if base and self.raw.is_behind(table, base):
                plan.loads.append((table, base))
                standing = base.loaded[-1]
                known -= {package.load_id for package in self.raw.loaded[table]}
                known |= base.records.keys()
            for package in self.landed[table]:
                if package.load_id in known:
                    continue
                reason = self.raw.refuses(package, standing)
                if reason is None:
                    plan.loads.append(package)
                    standing = package
                elif reason == "limit":
                    return Plan(plan.loads, [*plan.rejects, package], 1)
                elif refreshes:
                    plan.rejects.append(package)
                else:
                    return Plan(plan.loads, plan.rejects, 3)
        return plan

    def _base(self, table: str) -> Compacted | None:
        """Return what the newest compacted package of a table keeps."""
        return next(reversed(self.compacted[table].values()), None)

    def _load(self, plan: Plan, kill: Kill | None, step: str, *values: Any) -> None:
        def loaded(steps: Iterable[Landed | tuple[str, Compacted]]) -> None:
            for one in steps:
                if isinstance(one, Landed):
                    self.raw.load(one)
                else:
                    self.raw.take(*one)
            self.typed |= self.raw.changed_columns

        def inspect(connection: duckdb.DuckDBPyConnection) -> None:
            self._settled()
            loaded(plan.loads)
            self._check(connection, is_settled=True)

        outcome = self._perform(step, kill, *values, inspect=inspect)
        if kill:
            with self._copy_of_build() as connection:
                query = connection.execute("SELECT load_id FROM meta.loads")
                found = {row[0] for row in query.fetchall()}
                done = [one for one in plan.loads if _is_done(one, found)]
                assert outcome.was_killed or len(done) == len(plan.loads)
                assert done == plan.loads[: len(done)]
                loaded(done)
                self._check(connection, is_settled=False)
        if not outcome.was_killed:
            assert exit_code(outcome) == plan.exit_code, outcome.error
        for package in plan.rejects:
            table = package.read.table
            folder = self.settings.landing / SOURCE / CELL / table
            is_aside = (folder / f"{replay.REJECTED}{package.load_id}").is_dir()
            assert is_aside or outcome.was_killed
            if is_aside:
                self.landed[table].remove(package)

    @step(1, lambda self: any(self._unloaded()), data=st.data())
    def load_a_damaged_package(self, data: st.DataObject) -> None:
        """A part that changed after it was written is refused, whatever else is wrong."""
        package = data.draw(st.sampled_from(list(self._unloaded())))
        folder = self.settings.landing / SOURCE / CELL / package.read.table / package.load_id
        part = folder / data.draw(st.sampled_from(_files(folder)))
        whole = part.read_bytes()
        part.write_bytes(whole[:-1] if data.draw(st.booleans()) else whole[:-1] + b"\0")
        self._load(Plan([], [], 3), None, "load", package.read.table, package.load_id)
        part.write_bytes(whole)

    def _unloaded(self) -> Iterator[Landed]:
        for table in TABLES:
            for package in self.landed[table]:
                folder = self.settings.landing / SOURCE / CELL / table / package.load_id
                if package.load_id in self.raw.records | dict.fromkeys(self.removed):
                    continue
                if _files(folder):
                    yield package

    @step(
        3,
        lambda self: any(self._compactable()),
        data=st.data(),
        removes=st.booleans(),
        kill=kills(COMPACTING),
    )
    def compact(self, data: st.DataObject, removes: bool, kill: Kill | None) -> None:
        """Write a table as one package, and remove those that it stands for."""
        table = data.draw(st.sampled_from(list(self._compactable())))
        check = lambda c: self._check(c, is_settled=True)  # noqa: E731
        outcome = self._perform("compact", kill, table, inspect=check)
        assert outcome.error is None
        if not outcome.was_killed:
            self._settled()
        known = {package.load_id for package in self.landed[table]} | self.compacted[table].keys()
        folder = self.settings.landing / SOURCE / CELL / table
        new = [
            path.name
            for path in packages(self.settings.landing, SOURCE, CELL, table)
            if path.name not in known and not path.name.startswith(replay.REJECTED)
        ]
        assert len(new) == 1 or (outcome.was_killed and not new)
        self.compacted[table] |= {load_id: self.raw.part(table) for load_id in new}
        for package in self.landed[table] if removes and new else ():
            if package.load_id not in self.removed:
                shutil.rmtree(folder / package.load_id)
                self.removed.add(package.load_id)

    def _compactable(self) -> Iterator[str]:
        """Yield the tables of which something is loaded, and all that landed."""
        for table in TABLES:
            landed = {package.load_id for package in self.landed[table]}
            if landed and landed <= self.raw.records.keys():
                yield table

    @step(2, lambda self: self.raw.records, and_loads=st.booleans())
    def lose_the_build_database(self, and_loads: bool) -> None:
        counted["lose the build database"] += 1
        for path in self.settings.home.glob("build.duckdb*"):
            path.unlink()
        self.raw = Raw(self.shop)
        self.positions = {}
        if and_loads:
            self._catch_up(None, refreshes=True)

    @step(4, lambda self: self.raw.records, kill=kills(PUBLISHING))
    def publish(self, kill: Kill | None) -> None:
        self._publish(kill)

    def _publish(self, kill: Kill | None) -> None:
        before, files = set(self.published), self.files
        outcome = self._perform("publish", kill, inspect=lambda c: self._check(c, is_settled=True))
        assert outcome.error is None
        self._learn_versions()
        new = set(self.published) - before
        if outcome.was_killed:
            return
        self._settled()
        if outcome.result is False or (kill and not new):
            assert self._snapshot() == self.published[max(self.published)], "raw has changed"
        else:
            assert len(new) == 1
            kept = {*sorted(self.published)[-tiny.KEEP :], self.shown}
            open_ones = {version for _, version in self.readers}
            assert self.files == (files | new) & (kept | open_ones)

    @step(1, lambda self: self.raw.records)
    def publish_a_damaged_copy(self) -> None:
        """A file that lost a row between writing and checking becomes no version."""
        before, changed = set(self.published), list[str]()
        original = duckdb_snapshot.copy_public

        def lossy(connection: Any, target: Path, selected: Any) -> Any:
            copied = original(connection, target, selected)
            with duckdb.connect(str(target)) as copy:
                for table in selected.get("core", ()):
                    last = f"(SELECT max(rowid) FROM core.{table})"
                    copy.execute(f"DELETE FROM core.{table} WHERE rowid = {last}")
                    changed.extend(self.raw.rows(table))
            return copied

        duckdb_snapshot.copy_public = lossy
        try:
            outcome = self._perform("publish", None)
        finally:
            duckdb_snapshot.copy_public = original
        self._settled()
        self._learn_versions()
        if changed:
            assert (exit_code(outcome), set(self.published)) == (1, before)
        else:
            self.files = self._files()

    @step(2, choice=st.one_of(st.none(), st.integers(1, 8)), kill=kills(SWITCHING))
    def rollback(self, choice: int | None, kill: Kill | None) -> None:
        self._roll("rollback", kill, f"v{choice:06d}" if choice else None)

    @step(2, kill=kills(SWITCHING))
    def resume(self, kill: Kill | None) -> None:
        self._roll("resume", kill)

    def _roll(self, step: str, kill: Kill | None, *values: str | None) -> None:
        before = (self.shown, self.held)
        self._settled()
        names = sorted(self.files & self.published.keys())
        wanted: str | None = None
        if step == "resume":
            target, is_refused = None, not self.published
        else:
            earlier = [name for name in names if self.shown and name < self.shown]
            wanted = values[0] or (earlier[-1] if earlier else None)
            target, is_refused = wanted, wanted not in names
        outcome = self._perform(step, kill, *values)
        if outcome.was_killed:
            held = versions.held_version(self.settings)
            assert held in {before[1], target}
            self.held = held
            shown = versions.current_version(self.settings.published_directory)
            assert shown in {before[0], self.shown, target or self._newest()}
            self.shown = shown
            return
        assert exit_code(outcome) == (2 if is_refused else 0), outcome.error
        if not is_refused:
            self.held = target
        self._settled()

    # Readers

    @step(2, lambda self: self.shown, number=st.integers(0, 5))
    def read(self, number: int) -> None:
        """Open a reader and keep it open, or close one."""
        counted["read"] += 1
        if number < len(self.readers):
            self.readers.pop(number)[0].close()
        elif len(self.readers) < 3:
            path = versions.version_path(self.settings.published_directory, str(self.shown))
            self.readers.append((duckdb_engine.published_database(path), str(self.shown)))

    # What always holds

    @invariant()
    def readers_see_one_version_as_it_was_published(self) -> None:
        for connection, version in self.readers:
            self._check_version(connection, version)
        shown = versions.current_version(self.settings.published_directory)
        assert shown == self.shown
        if shown:
            path = versions.version_path(self.settings.published_directory, shown)
            identity = (shown, path.stat().st_ino)
            if identity not in self.read_whole:  # else nothing has touched the file since
                with duckdb_engine.published_database(path) as connection:
                    self._check_version(connection, shown)
                self.read_whole.add(identity)

    @invariant()
    def the_list_of_versions_is_the_models_and_the_chain_of_state_verifies(self) -> None:
        segments.verify(self.settings.state_directory)
        found = versions.versions(self.settings)
        assert [v.version for v in found] == sorted(self.files & self.published.keys())
        assert versions.held_version(self.settings) == self.held
        needed = {*sorted(self.published)[-tiny.KEEP :], self.shown} - {None}
        assert needed <= self._files()
        for version in found:
            for table in version.tables:
                content = repr(self.published[version.version].tables[table.table])
                assert self.hashes.setdefault(content, table.content_hash) == table.content_hash

    def _check_version(self, connection: duckdb.DuckDBPyConnection, version: str) -> None:
        expected = self.published[version].tables
        assert tiny.tables_of(connection, "core") == list(expected)
        for table, content in expected.items():
            assert _content(connection, "core", table) == content
        told = connection.execute("SELECT DISTINCT version FROM meta.publications").fetchall()
        empty = {name for name, snapshot in self.published.items() if not snapshot.tables}
        assert {row[0] for row in told} | empty == {
            v for v in self.published if v < version
        } | empty

    def _check(self, connection: duckdb.DuckDBPyConnection, *, is_settled: bool) -> None:
        """Compare the build database with the model."""
        loaded = tiny.tables_of(connection, f"raw_{SOURCE}")
        assert loaded == [t for t in TABLES if self.raw.loaded[t]]
        for table in loaded:
            assert _content(connection, f"raw_{SOURCE}", table) == self.raw.projected(table)
        self._check_history(connection)
        loads = connection.execute(
            "SELECT load_id, table_name, mode, read_rows, loaded_rows, quarantined_rows,"
            " inserted_rows, updated_rows, deleted_rows FROM meta.loads"
        ).fetchall()
        assert len(loads) == len(self.raw.records)
        assert {load_id: tuple(rest) for load_id, *rest in loads} == self.raw.records
        assert all(load[3] == load[4] + load[5] for load in loads)
        rejected = connection.execute("SELECT DISTINCT table_name, row_key FROM meta.quarantine")
        assert set(rejected.fetchall()) == {
            (table, f'["{key}"]')
            for table, loaded in self.raw.loaded.items()
            for package in loaded
            for key in package.read.rejected
        }
        positions = connection.execute(
            "SELECT table_name, position, source_position, load_id FROM meta.positions"
        ).fetchall()
        assert sorted(positions) == sorted(
            (table, f'{{"at": {loaded[-1].read.to}}}', loaded[-1].read.to, loaded[-1].load_id)
            for table, loaded in self.raw.loaded.items()
            if loaded
        )
        for table, _, position, _ in positions:
            assert position >= self.positions.get(table, 0), "a position fell"
            self.positions[table] = position
        if is_settled:
            self._check_state(connection)

    def _check_history(self, connection: duckdb.DuckDBPyConnection) -> None:
        for table, versions_of in self.raw.history.items():
            if not self.raw.loaded[table]:
                continue
            columns, _ = self.raw.projected(table)
            found = connection.execute(
                f"SELECT COLUMNS('^[^_]'), _load_id, _deleted_at IS NOT NULL"
                f" FROM raw_{SOURCE}.{table}__history"
            ).fetchall()
            expected = [
                (*(row.get(name) for name, _ in columns), load_id, is_deleted)
                for row, load_id, is_deleted in versions_of
            ]
            assert sorted(map(repr, found)) == sorted(map(repr, _typed(expected, columns)))

    def _check_state(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Compare state with the build database, whose queue was flushed."""
        assert connection.execute("SELECT count(*) FROM meta.outbox").fetchone() == (0,)
        ids = [r["id"] for r in segments.records(self.settings.state_directory) if "id" in r]
        assert len(ids) == len(set(ids)), "a record is in state twice"
        typed = {i.removeprefix("column_types:") for i in ids if i.startswith("column_types:")}
        assert self.raw.changed_columns <= typed <= self.typed
        rows = connection.execute("SELECT certificate_id, status FROM meta.certificates").fetchall()
        assert {status for _, status in rows} <= {"passed"}
        certified = {r["certificate"]["certificate_id"] for r in self._certificates()}
        assert self.certified <= certified == {identity for identity, _ in rows}
        self.certified = certified

    def _certificates(self) -> list[dict[str, Any]]:
        return segments.records(self.settings.state_directory, "certificate")

    # The model's own steps

    def _perform(
        self, step: str, kill: Kill | None, *values: Any, inspect: tiny.Inspect | None = None
    ) -> tiny.Outcome:
        counted[step] += 1
        if kill is None:
            return tiny.perform(self.settings, step, *values, inspect=inspect or (lambda _c: None))
        run = tiny.kill_there if kill.is_real else tiny.kill_here
        outcome = run(self.settings, kill.point, kill.count, step, *values)
        if outcome.was_killed:
            counted["killed for real" if kill.is_real else "killed"] += 1
            note(f"killed: {kill}")
            if step not in {"rollback", "resume"}:
                self._learn_versions()
        elif step != "extract":
            self._settled()
        return outcome

    def _newest(self) -> str | None:
        return max(self.published, default=None)

    def _settled(self) -> None:
        """The command completed a switch that was killed, if there was one."""
        wanted = self.held or self._newest()
        if wanted in self.files:
            self.shown = wanted

    def _learn_versions(self) -> None:
        """Take over what was published, by its record: it must be whole even after a kill."""
        names = {record["version"] for record in versions.publications(self.settings)}
        for name in names - self.published.keys():
            assert name == f"v{len(self.published) + 1:06d}"
            self.published[name] = self._snapshot()
        assert names == self.published.keys()
        self.files = self._files()
        shown = versions.current_version(self.settings.published_directory)
        assert shown in {self.shown, self.held or self._newest()}
        self.shown = shown

    def _snapshot(self) -> Snapshot:
        return Snapshot({t: self.raw.projected(t) for t in TABLES if self.raw.loaded[t]})

    def _files(self) -> set[str]:
        return {path.stem for path in self.settings.published_directory.glob("v*.duckdb")}

    def _copy_of_build(self) -> Any:
        """Open a copy: what is left unfinished stays so for the next step."""
        aside = self.folder / "aside"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        for path in self.settings.home.glob("build.duckdb*"):
            shutil.copyfile(path, aside / path.name)
        return duckdb_engine.build_database(aside / "build.duckdb")


def _is_done(step: Landed | tuple[str, Compacted], load_ids: set[str]) -> bool:
    if isinstance(step, Landed):
        return step.load_id in load_ids
    return step[1].records.keys() <= load_ids


def exit_code(outcome: tiny.Outcome) -> int:
    return outcome.error.exit_code if outcome.error else 0


def _files(folder: Path) -> list[str]:
    manifest = read_manifest(folder)
    return [part.name for part in (*manifest.parts, *manifest.quarantine)]


def _content(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> Content:
    """Return a table's columns with their types, and its live rows by id."""
    live = "WHERE _deleted_at IS NULL" if schema != "core" else ""
    found = connection.execute(f"SELECT COLUMNS('^[^_]') FROM {schema}.{table} {live} ORDER BY id")
    columns = tuple((name, str(kind)) for name, kind, *_ in found.description or ())
    return columns, [
        dict(zip([name for name, _ in columns], row, strict=True)) for row in found.fetchall()
    ]


def _typed(
    rows: Iterable[tuple[Any, ...]], columns: tuple[tuple[str, str], ...]
) -> Iterator[tuple[Any, ...]]:
    """Give the decimals of a model's rows the scale of their columns, as `repr` shows it."""
    scales = [Decimal(1).scaleb(-int(k[-2])) if "DECIMAL" in k else None for _, k in columns]
    for row in rows:
        values = [
            value.quantize(scale) if isinstance(value, Decimal) and scale else value
            for value, scale in zip(row, scales, strict=False)
        ]
        yield (*values, *row[len(columns) :])


def run_machine(steps: int, first_seed: int, phases: Sequence[Phase]) -> None:
    """Let the machine do at least so many steps, nine examples to a seed, and print which."""
    counted.clear()
    for number in itertools.count(first_seed):
        done = counted.total() - counted["killed"] - counted["killed for real"]
        print(f"{done} steps before seed {number}: {dict(counted.most_common())}")
        if done >= steps:
            break
        run_state_machine_as_test(
            seed(number)(Warehouse),
            settings=hypothesis_settings(
                max_examples=9,
                stateful_step_count=STEPS_EACH,
                database=None,
                deadline=None,
                phases=phases,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
    assert min(counted["killed"], counted["killed for real"]) > 0


@pytest.mark.parametrize("steps", [300, pytest.param(2000, marks=pytest.mark.drill)])
def test_random_steps_leave_what_the_model_says(steps: int) -> None:
    run_machine(steps, 0, [Phase.generate])


@pytest.mark.soak
def test_many_other_random_steps_leave_what_the_model_says() -> None:
    steps = int(os.environ.get("WAREHOUSE_STEPS", "10000"))
    first_seed = int(os.environ.get("WAREHOUSE_SEED", random.randrange(1_000_000)))
    run_machine(steps, first_seed, [Phase.generate, Phase.shrink])
