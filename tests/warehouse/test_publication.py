"""Readers see whole versions, keep the one they opened, and can go back."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

import warehouse
from extractors.errors import AuditError, ConfigError
from warehouse import lease
from warehouse.config import Settings
from warehouse.engines import duckdb_snapshot
from warehouse.publish import publication, versions
from warehouse.publish.versions import Version

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)

Publish = Callable[[int], Version]


@pytest.fixture
def publish(build: duckdb.DuckDBPyConnection, settings: Settings) -> Publish:
    """Return a function that publishes a core.orders of one row."""

    def publish_order(amount: int) -> Version:
        build.execute("CREATE SCHEMA IF NOT EXISTS core")
        build.execute(f"CREATE OR REPLACE TABLE core.orders AS SELECT {amount} AS amount")
        build.execute("COMMENT ON TABLE core.orders IS 'One row per order.'")
        build.execute("COMMENT ON COLUMN core.orders.amount IS 'What it''s worth.'")
        return publication.publish(
            build,
            settings,
            run_id="run",
            as_of=AS_OF,
            fingerprint=str(amount),
            next_due_at=None,
            sources_of={("core", "orders"): [("s", "t")]},
            unmatched={},
        )

    return publish_order


def amount(settings: Settings, version: str | None = None) -> int:
    with warehouse.open(version, config=settings.path) as published:
        return published.execute("SELECT amount FROM core.orders").fetchone()[0]


def test_a_version_holds_the_public_tables_their_descriptions_and_meta(
    publish: Publish, settings: Settings
) -> None:
    published = publish(1)
    assert (published.version, published.as_of, published.is_current) == (
        "v000001",
        "2026-01-01T00:00:00.000000Z",
        True,
    )
    with warehouse.open(config=settings.path) as reader:
        assert reader.version == "v000001"
        assert reader.tables() == [
            "core.orders",
            "meta.certificates",
            "meta.freshness",
            "meta.keys",
            "meta.loads",
            "meta.publications",
            "meta.relationships",
            "meta.schema_changes",
        ]
        assert reader.execute(
            "SELECT comment FROM duckdb_tables() WHERE table_name = 'orders'"
            " UNION ALL SELECT comment FROM duckdb_columns() WHERE table_name = 'orders'"
        ).fetchall() == [("One row per order.",), ("What it's worth.",)]


def test_a_version_says_what_its_keys_and_references_are_and_takes_known_hashes_as_they_are(
    build: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    build.execute(
        "CREATE SCHEMA core; CREATE TABLE core.orders AS SELECT 1 AS id;"
        " CREATE TABLE core.prices AS SELECT 1 AS code, 2 AS since"
    )
    published = publication.publish(
        build,
        settings,
        run_id="run",
        as_of=AS_OF,
        fingerprint="1",
        next_due_at=None,
        sources_of={},
        unmatched={},
        keys={("core", "prices"): ["since", "code"], ("core", "orders"): ["id"]},
        references={("core", "prices"): [("code", ("core", "orders"), "id")]},
        known_hashes={("core", "prices"): (1, "as before")},
    )
    hashes = {table.table: table.content_hash for table in published.tables}
    assert hashes == {
        "orders": duckdb_snapshot.content_hash(build, "core", "orders")[1],
        "prices": "as before",
    }
    with warehouse.open(config=settings.path) as reader:
        assert reader.execute("FROM meta.keys ORDER BY ALL").fetchall() == [
            ("core", "orders", "id", 1),
            ("core", "prices", "code", 2),
            ("core", "prices", "since", 1),
        ]
        assert reader.execute("FROM meta.relationships").fetchall() == [
            ("core", "prices", "code", "core", "orders", "id")
        ]


def test_a_reader_keeps_the_version_it_opened(publish: Publish, settings: Settings) -> None:
    publish(1)
    with warehouse.open(config=settings.path) as reader:
        publish(2)
        assert reader.sql("SELECT amount FROM core.orders").fetchall() == [(1,)]
        assert amount(settings) == 2
    assert amount(settings, "v000001") == 1


def test_a_version_can_be_open_twice_in_one_process(
    publish: Publish, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    publish(1)
    with warehouse.open(config=settings.path) as one, warehouse.open(config=settings.path) as two:
        assert one.sql("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]
        assert two.sql("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]
        for reader in (one, two):
            with pytest.raises(duckdb.Error, match="locked"):
                reader.execute("SET TimeZone = 'Asia/Tokyo'")


def test_a_reader_whose_version_is_replaced_and_removed_while_it_opens_gets_the_next(
    publish: Publish, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in range(1, 6):
        publish(value)
    read_before = iter(["v000001"])
    pointer = versions.current_version
    monkeypatch.setattr(
        versions, "current_version", lambda published: next(read_before, pointer(published))
    )
    assert amount(settings) == 5


def test_a_file_that_lacks_rows_is_not_published(
    build: duckdb.DuckDBPyConnection, publish: Publish, settings: Settings
) -> None:
    publish(1)
    with pytest.raises(AuditError, match=r"core.orders has 1 rows after writing, 3 were built"):
        publication.publish(
            build,
            settings,
            run_id="run",
            as_of=AS_OF,
            fingerprint="2",
            next_due_at=None,
            sources_of={},
            unmatched={},
            known_hashes={("core", "orders"): (3, "of a table with a row more")},
        )
    assert [version.version for version in versions.versions(settings)] == ["v000001"]
    assert not (settings.published_directory / "v000002.duckdb").exists()


def test_a_rollback_shows_the_version_before_until_publishing_is_resumed(
    publish: Publish, settings: Settings
) -> None:
    publish(1)
    publish(2)
    assert versions.rollback(settings).version == "v000001"
    assert amount(settings) == 1
    assert publish(3).is_current is False
    assert amount(settings) == 1
    assert versions.held_version(settings) == "v000001"
    assert versions.resume(settings).version == "v000003"
    assert amount(settings) == 3
    assert versions.held_version(settings) is None


def test_a_rollback_waits_for_no_run(publish: Publish, settings: Settings) -> None:
    publish(1)
    publish(2)
    with lease.hold(settings.home):
        assert versions.rollback(settings).version == "v000001"
        assert publish(3).is_current is False
    assert amount(settings) == 1


def test_a_rollback_to_a_version_that_is_not_there_says_which_are(
    publish: Publish, settings: Settings
) -> None:
    publish(1)
    with pytest.raises(ConfigError, match="v000009 does not exist; there are v000001"):
        versions.rollback(settings, "v000009")
    with pytest.raises(ConfigError, match="no earlier version"):
        versions.rollback(settings)


def test_a_switch_killed_after_the_version_was_recorded_is_completed(
    publish: Publish, settings: Settings
) -> None:
    publish(1)
    publish(2)
    versions.switch(settings.published_directory, "v000001")
    assert versions.complete_switch(settings) == "v000002"
    assert amount(settings) == 2


def test_a_version_whose_file_was_removed_is_not_switched_to_and_is_built_again(
    build: duckdb.DuckDBPyConnection, publish: Publish, settings: Settings
) -> None:
    publish(1)
    assert publication.is_built(build, settings, "1", AS_OF)
    shutil.rmtree(settings.published_directory)
    versions.complete_switch(settings)
    assert versions.current_version(settings.published_directory) is None
    with pytest.raises(ConfigError, match="file of v000001 is gone"):
        versions.resume(settings)
    assert not publication.is_built(build, settings, "1", AS_OF)
    assert publish(1).version == "v000002"
    assert amount(settings) == 1


def test_old_versions_go_but_never_one_that_a_reader_of_another_process_has_open(
    publish: Publish, settings: Settings
) -> None:
    for value in range(1, 4):
        publish(value)
    reader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, warehouse\n"
            "with warehouse.open('v000001', sys.argv[1]) as w:\n"
            "    print(w.version, flush=True); sys.stdin.read()\n"
            "    print(w.execute('SELECT amount FROM core.orders').fetchone()[0])\n",
            str(settings.path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "v000001\n"
    for value in range(4, 7):
        publish(value)
    names = [version.version for version in versions.versions(settings)]
    assert names == ["v000001", "v000004", "v000005", "v000006"]
    assert reader.communicate("")[0] == "1\n"
    publish(7)
    names = [version.version for version in versions.versions(settings)]
    assert names == ["v000005", "v000006", "v000007"]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE core.mine (a INTEGER)",
        "COPY core.orders TO 'stolen.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "ATTACH 'other.duckdb'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ],
)
def test_a_reader_can_neither_write_nor_reach_files(
    statement: str, publish: Publish, settings: Settings
) -> None:
    publish(1)
    with warehouse.open(config=settings.path) as reader, pytest.raises(duckdb.Error):
        reader.execute(statement)


def test_opening_before_anything_is_published_says_what_to_run(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="nothing is published yet; run `warehouse run` first"):
        warehouse.open(config=settings.path)


def test_equal_content_has_an_equal_hash_in_another_version(publish: Publish) -> None:
    first, second, third = publish(1), publish(2), publish(1)
    assert first.tables == third.tables != second.tables


def test_a_file_left_by_a_killed_publication_is_replaced(
    publish: Publish, settings: Settings
) -> None:
    publish(1)
    stray = settings.published_directory / "v000002.duckdb"
    stray.write_bytes(b"half")
    (settings.published_directory / ".v000002.1.tmp").write_bytes(b"half")
    versions.sweep(settings.published_directory)
    assert publish(2).version == "v000002"
    assert amount(settings) == 2
    assert sorted(path.name for path in settings.published_directory.iterdir()) == [
        "current",
        "v000001.duckdb",
        "v000002.duckdb",
    ]


def test_the_published_file_can_be_read_by_the_oldest_supported_duckdb(
    publish: Publish, settings: Settings
) -> None:
    publish(1)
    path: Path = versions.version_path(settings.published_directory, "v000001")
    with warehouse.open(config=settings.path) as reader:
        tags = reader.execute("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchone()
    assert tags[0]["storage_version"].startswith("v1.5")
    assert path.is_file()
