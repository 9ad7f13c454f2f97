"""A full package written aside and swapped in leaves what a merge in place leaves."""

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from extractors.package import Column, Mode, package_directory
from tests.warehouse.conftest import COLUMNS, MakePackage, write_part
from warehouse.config import Settings
from warehouse.engines import duckdb_raw, duckdb_upsert
from warehouse.engines.duckdb_engine import META, build_database, transaction
from warehouse.engines.duckdb_package import Applied, Incoming, Stamp
from warehouse.load.package import load_package

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEYS = "abcdefgh"
MERGE, SWAP = 2.0, -1.0
DELETED = Column("_deleted", "BOOLEAN", "", "")

Rows = dict[str, tuple[int | None, bool]]


def applied(
    connection: duckdb.DuckDBPyConnection, part: Path, load: str, cell: str, swap_share: float
) -> Applied:
    rows = connection.execute("SELECT count(*) FROM read_parquet(?)", [str(part)]).fetchone()[0]
    incoming = Incoming("s", "t", COLUMNS, ("id",), (part,), rows, has_deletes=True)
    stamp = Stamp(cell, load, NOON, len(load))
    return duckdb_upsert.upsert(connection, incoming, stamp, covers_all=True, swap_share=swap_share)


ROWS = st.dictionaries(
    st.sampled_from(KEYS), st.tuples(st.one_of(st.none(), st.integers(0, 2)), st.booleans())
)


@given(st.lists(st.tuples(ROWS, st.sampled_from(("here", "there"))), min_size=2, max_size=5))
@hypothesis_settings(max_examples=20, deadline=None)
def test_a_swap_leaves_what_a_merge_leaves(
    tmp_path_factory: pytest.TempPathFactory, packages: list[tuple[Rows, str]]
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    found: list[Any] = []
    parts = [folder / f"{number}.parquet" for number in range(len(packages))]
    for part, (rows, _) in zip(parts, packages, strict=True):
        write_part(part, [(k, n, gone) for k, (n, gone) in rows.items()], [*COLUMNS, DELETED])
    for share in (MERGE, SWAP):
        with duckdb.connect() as connection:
            connection.execute(META)
            duckdb_raw.ensure_table(connection, "s", "t", COLUMNS)
            steps: list[Any] = []
            for number, (part, (_, cell)) in enumerate(zip(parts, packages, strict=True)):
                with transaction(connection):
                    steps.append(applied(connection, part, "x" * (number + 1), cell, share))
                steps.append(connection.execute("FROM raw_s.t ORDER BY ALL").fetchall())
            found.append(steps)
    assert found[0] == found[1]


def test_a_full_package_that_changes_most_rows_is_swapped_in_and_outlives_a_restart(
    settings: Settings, make_package: MakePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    swapped: list[str] = []
    original = duckdb_upsert._swap

    def noting(connection: duckdb.DuckDBPyConnection, incoming: Incoming, stamp: Stamp) -> None:
        swapped.append(stamp.load_id)
        original(connection, incoming, stamp)

    monkeypatch.setattr(duckdb_upsert, "_swap", noting)
    wider = (COLUMNS[0], Column("n", "BIGINT", "n", "int8"))
    packages = [
        make_package([(key, 1) for key in KEYS]),
        make_package([(key, 1 if key > "b" else 2) for key in KEYS], to=2),
        make_package([(key, 2**40) for key in KEYS if key > "a"], to=3, columns=wider),
    ]
    for manifest in packages:
        with build_database(settings.build_database) as connection:
            load_package(connection, settings.landing, manifest, run_id="run")
    assert swapped == [packages[2].load_id]
    with build_database(settings.build_database) as connection:
        assert connection.execute(
            "SELECT id, n, _load_id, _deleted_at IS NULL FROM raw_s.t ORDER BY id"
        ).fetchall() == [("a", 2, packages[2].load_id, False)] + [
            (key, 2**40, packages[2].load_id, True) for key in KEYS if key > "a"
        ]
        assert list(duckdb_raw.columns_of(connection, "raw_s", "t").items())[:2] == [
            ("id", "VARCHAR"),
            ("n", "BIGINT"),
        ]
        assert connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'raw_s'"
        ).fetchall() == [("t",)]


def test_a_swap_that_is_rolled_back_leaves_the_table_as_it_was(
    build: duckdb.DuckDBPyConnection, settings: Settings, tmp_path: Path, make_package: MakePackage
) -> None:
    load_package(build, settings.landing, make_package([(k, 1) for k in KEYS]), run_id="run")
    before = build.execute("FROM raw_s.t ORDER BY ALL").fetchall()
    write_part(tmp_path / "part.parquet", [("a", 9, False)], [*COLUMNS, DELETED])
    build.execute("BEGIN")
    applied(build, tmp_path / "part.parquet", "x", "main", SWAP)
    assert build.execute("FROM raw_s.t ORDER BY ALL").fetchall() != before
    build.execute("ROLLBACK")
    assert build.execute("FROM raw_s.t ORDER BY ALL").fetchall() == before


KILLED = """
import os, sys
from pathlib import Path
from extractors.package import read_manifest
from warehouse.engines.duckdb_engine import build_database
from warehouse.load import package, schema_changes
schema_changes.record = lambda *_: os.kill(os.getpid(), 9)
landing, directory, build = map(Path, sys.argv[1:])
with build_database(build) as connection:
    package.load_package(connection, landing, read_manifest(directory), run_id="killed")
"""


@pytest.mark.parametrize(
    ("mode", "rows"),
    [
        ("full", [(key, 2) for key in KEYS]),
        ("incremental", [("a", 2), ("z", 26)]),
        ("stream", [("a", 2, False, 1), ("a", None, True, 2)]),
    ],
)
def test_a_load_killed_with_its_rows_in_raw_leaves_nothing_and_can_be_done_again(
    mode: Mode, rows: list[Any], settings: Settings, make_package: MakePackage
) -> None:
    first = make_package([(key, 1) for key in KEYS])
    with build_database(settings.build_database) as connection:
        load_package(connection, settings.landing, first, run_id="run")
        before = connection.execute("FROM raw_s.t ORDER BY ALL").fetchall()
    second = make_package(rows, mode=mode, start=None if mode == "full" else 1, to=2)
    directory = package_directory(settings.landing, second)
    arguments = [settings.landing, directory, settings.build_database]
    process = subprocess.run([sys.executable, "-c", KILLED, *map(str, arguments)], check=False)
    assert process.returncode == -signal.SIGKILL
    with build_database(settings.build_database) as connection:
        assert connection.execute("FROM raw_s.t ORDER BY ALL").fetchall() == before
        record = load_package(connection, settings.landing, second, run_id="run")
        assert record.changed_rows == len(rows)
