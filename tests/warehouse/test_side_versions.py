"""Side versions can be opened by name, are never shown, and do not touch the published ones."""

from collections.abc import Callable
from datetime import UTC, datetime

import duckdb
import pytest

import warehouse
from extractors.errors import ConfigError
from warehouse.config import Settings
from warehouse.publish import publication, side, versions

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2999, 1, 1, tzinfo=UTC)
Publish = Callable[[int], str]


def put(connection: duckdb.DuckDBPyConnection, amount: int) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS core")
    connection.execute(f"CREATE OR REPLACE TABLE core.orders AS SELECT {amount} AS amount")


@pytest.fixture
def publish(build: duckdb.DuckDBPyConnection, settings: Settings) -> Publish:
    def one(amount: int) -> str:
        put(build, amount)
        published = publication.publish(
            build,
            settings,
            run_id="run",
            as_of=AS_OF,
            fingerprint=str(amount),
            next_due_at=None,
            sources_of={},
            unmatched={},
        )
        return published.version

    return one


@pytest.fixture
def rebuild(build: duckdb.DuckDBPyConnection, settings: Settings) -> Publish:
    def one(amount: int, known_at: datetime = NOW) -> str:
        put(build, amount)
        made = side.publish(
            build,
            settings,
            known_at=known_at,
            models="models",
            run_id="run",
            as_of=AS_OF,
            sources_of={},
            unmatched={},
        )
        return made.version

    return one


def amount(settings: Settings, version: str | None = None) -> int:
    with warehouse.open(version, config=settings.path) as published:
        return published.execute("SELECT amount FROM core.orders").fetchone()[0]


def test_a_side_version_is_opened_by_name_and_readers_keep_the_published_one(
    publish: Publish, rebuild: Publish, settings: Settings
) -> None:
    publish(1)
    assert rebuild(7) == "r000001"
    assert (amount(settings), amount(settings, "r000001")) == (1, 7)
    assert [version.version for version in versions.versions(settings)] == ["v000001"]
    assert versions.newest_version(settings) == "v000001"
    with pytest.raises(ConfigError, match="version r000001 does not exist; there are v000001"):
        versions.rollback(settings, "r000001")
    assert publish(2) == "v000002"
    assert (amount(settings), amount(settings, "r000001")) == (2, 7)
    (made,) = side.side_versions(settings)
    assert (made.known_at, made.as_of) == (
        "2999-01-01T00:00:00.000000Z",
        "2026-01-01T00:00:00.000000Z",
    )
    assert made.tables[0].rows == 1


def test_equal_content_has_an_equal_hash_in_a_side_version(
    publish: Publish, rebuild: Publish, settings: Settings
) -> None:
    publish(1)
    rebuild(1)
    (shown,), (aside,) = versions.versions(settings), side.side_versions(settings)
    assert shown.tables == aside.tables


def test_a_side_version_knows_only_the_publications_of_its_time(
    publish: Publish, rebuild: Callable[..., str], settings: Settings
) -> None:
    publish(1)
    between = datetime.now(UTC)
    publish(2)
    with warehouse.open(rebuild(3, between), config=settings.path) as published:
        known = published.execute("SELECT DISTINCT version FROM meta.publications").fetchall()
    assert known == [("v000001",)]


def test_old_side_versions_go_but_no_name_is_used_twice(
    publish: Publish, rebuild: Publish, settings: Settings
) -> None:
    publish(1)
    names = [rebuild(number) for number in range(1, 5)]
    assert names == ["r000001", "r000002", "r000003", "r000004"]
    kept = [made.version for made in side.side_versions(settings)]
    assert kept == names[-settings.publication.keep :] == names[1:]
    side.remove(settings, "r000004")
    assert rebuild(5) == "r000005"
    assert amount(settings) == 1


def test_a_side_version_that_is_not_there_is_told_with_those_that_are(
    publish: Publish, rebuild: Publish, settings: Settings
) -> None:
    publish(1)
    with pytest.raises(ConfigError, match="r000001 does not exist; there are none"):
        side.remove(settings, "r000001")
    rebuild(1)
    with pytest.raises(ConfigError, match="side version v000001 does not exist; there are r000001"):
        side.remove(settings, "v000001")
    side.remove(settings, "r000001")
    with pytest.raises(ConfigError, match="version r000001 does not exist; there are v000001"):
        warehouse.open("r000001", config=settings.path)


def test_the_file_of_a_rebuild_that_was_killed_is_removed_by_the_next(
    publish: Publish, rebuild: Publish, settings: Settings
) -> None:
    publish(1)
    rebuild(1)
    stray = settings.published_directory / "r000007.duckdb"
    torn = settings.published_directory / ".r000002.1.tmp"
    stray.write_bytes(b"half")
    torn.write_bytes(b"half")
    versions.sweep(settings.published_directory)
    assert rebuild(2) == "r000002"
    assert not stray.exists()
    assert not torn.exists()
