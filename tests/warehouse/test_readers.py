"""Readers of other processes never fail and never see a mix, however often is published."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from warehouse.config import Settings
from warehouse.publish import publication, versions

READERS = 2

pytestmark = pytest.mark.slow


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Yield a folder in memory where there is one: a thousand files need not reach a disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def publish(build: duckdb.DuckDBPyConnection, settings: Settings, number: int) -> None:
    """Publish two tables that carry the publication's number, with differing numbers of rows."""
    for table, most in (("core.orders", 7), ("campaign.attribution", 5)):
        build.execute(
            f"CREATE OR REPLACE TABLE {table} AS SELECT {number} AS stamp, n"
            f" FROM range({number % most + 1}) AS r(n)"
        )
    version = publication.publish(
        build,
        settings,
        run_id=str(number),
        as_of=datetime(2026, 1, 1, tzinfo=UTC),
        fingerprint=str(number),
        next_due_at=None,
        sources_of={},
        unmatched={},
    )
    assert (version.version, version.is_current) == (f"v{number:06d}", True)


@pytest.mark.parametrize("publications", [100, pytest.param(1000, marks=pytest.mark.drill)])
def test_readers_of_many_publications_neither_fail_nor_see_a_mix(
    build: duckdb.DuckDBPyConnection, settings: Settings, tmp_path: Path, publications: int
) -> None:
    build.execute("CREATE SCHEMA core; CREATE SCHEMA campaign")
    publish(build, settings, 1)
    stop = tmp_path / "stop"
    readers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.warehouse.reading", settings.path, stop, str(seed)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(READERS)
    ]
    most_files = 0
    try:
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "ready\n"
        for number in range(2, publications + 1):
            publish(build, settings, number)
            files = len(list(settings.published_directory.glob("v*.duckdb")))
            most_files = max(most_files, files)
            if any(reader.poll() is not None for reader in readers):
                break
    finally:
        stop.touch()
        said = [reader.communicate(timeout=120) for reader in readers]
    assert [error for _, error in said] == [""] * READERS
    assert [reader.returncode for reader in readers] == [0] * READERS
    figures = [tuple(map(int, out.split())) for out, _ in said]
    assert all(versions_seen > publications // 50 for _, versions_seen in figures), figures
    # Each held the first version to the end: it outlived what retention keeps.
    kept = settings.publication.keep
    assert most_files > kept
    assert (settings.published_directory / "v000001.duckdb").is_file()
    publish(build, settings, publications + 1)
    names = [version.version for version in versions.versions(settings)]
    assert names == [f"v{publications + 1 - age:06d}" for age in reversed(range(kept))]
    print(f"opened, of different versions: {figures}; at most {most_files} files at once")
