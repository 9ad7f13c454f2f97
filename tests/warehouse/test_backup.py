"""A backup is of one moment, holds each file once, and comes back whole or not at all."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import warehouse
from extractors.errors import AuditError, ConfigError, SourceError
from extractors.package import package_directory
from tests.warehouse.conftest import MakePackage, raw_rows
from warehouse import config, lease
from warehouse.backup import restore, store, take
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.ledger import columns, entries, posting
from warehouse.load import package, positions, replay
from warehouse.publish import publication, versions
from warehouse.state import segments

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
Run = Callable[[int], None]


class KilledError(BaseException):
    """Stands for `kill -9`: nothing catches it to clean up."""


@pytest.fixture
def run(settings: Settings, make_package: MakePackage) -> Run:
    """Return a function that loads row `n` and publishes how many rows raw then has."""

    def one(number: int) -> None:
        start = {"mode": "incremental", "start": number - 1} if number > 1 else {}
        manifest = make_package([(str(number), number)], to=number, **start)
        with duckdb_engine.build_database(settings.build_database) as connection:
            package.load_package(connection, settings.landing, manifest, run_id=str(number))
            connection.execute("CREATE SCHEMA IF NOT EXISTS core")
            connection.execute(
                "CREATE OR REPLACE TABLE core.orders AS SELECT count(*) AS n FROM raw_s.t"
            )
            publication.publish(
                connection,
                settings,
                run_id=str(number),
                as_of=AS_OF,
                fingerprint=str(number),
                next_due_at=None,
                sources_of={("core", "orders"): [("s", "t")]},
                unmatched={},
            )

    return one


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def elsewhere(settings: Settings, tmp_path: Path) -> Settings:
    """Return the same configuration on an empty machine."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copy(settings.path, folder)
    return config.load(folder / "warehouse.yml")


def orders(settings: Settings, version: str | None = None) -> int:
    with warehouse.open(version, config=settings.path) as published:
        return published.execute("SELECT n FROM core.orders").fetchone()[0]


def files(folder: Path) -> dict[str, bytes | str]:
    """Return what is in a folder, links by what they name, without locks and a restore's marks."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if (path.is_symlink() or path.is_file())
        and "lock" not in path.name
        and path.name not in (restore.UNCONFIRMED, restore.UNCONFIRMED_TRIGGERS)
    }


def listed(backups: Path, number: int = 1) -> dict[str, store.Entry]:
    return {entry.path: entry for entry in store.read(backups, f"b{number:06d}").entries}


def test_everything_a_warehouse_keeps_comes_back_and_the_next_run_goes_on(
    run: Run, settings: Settings, elsewhere: Settings, backups: Path
) -> None:
    run(1)
    run(2)
    versions.rollback(settings)
    taken = take.take(settings, backups)
    assert (taken.backup.id, taken.backup.facts["versions"]) == ("b000001", ["v000001", "v000002"])
    assert (taken.backup.facts["current"], taken.backup.facts["newest"]) == ("v000001", "v000002")
    assert taken.backup.facts["positions"][0]["position"] == {"at": 2}
    kept = files(settings.home)

    assert restore.restore(elsewhere, backups).id == "b000001"
    assert files(elsewhere.home) == kept
    assert (restore.unconfirmed(elsewhere), restore.unconfirmed(settings)) == ("b000001", None)
    assert versions.held_version(elsewhere) == "v000001"
    assert (orders(elsewhere), orders(elsewhere, "v000002")) == (1, 2)

    shutil.rmtree(settings.home)
    restore.restore(settings, backups)
    run(3)
    assert versions.resume(settings).version == "v000003"
    assert orders(settings) == 3
    assert segments.verify(settings.state_directory) >= 4
    with duckdb_engine.build_database(settings.build_database) as connection:
        assert positions.position(connection, "s", "main", "t") == {"at": 3}
        assert raw_rows(connection) == [("1", 1), ("2", 2), ("3", 3)]


def test_posted_entries_come_back_and_damaged_ones_are_not_backed_up(
    run: Run, settings: Settings, elsewhere: Settings, backups: Path
) -> None:
    run(1)
    state = settings.state_directory
    pair = {"expense": Decimal(1), "pending": Decimal(-1)}
    rows = [
        {
            "entry_id": one,
            "transaction_id": "t",
            "account": one,
            "currency": "GBP",
            "amount": amount,
        }
        for one, amount in pair.items()
    ]
    with segments.exclusive(state):
        segments.append(state, posting.write(state, columns.table(rows, columns.ENTRIES), "r"))
    take.take(settings, backups)
    restore.restore(elsewhere, backups)
    assert entries.verify(elsewhere.state_directory) == 1
    assert entries.postings(elsewhere.state_directory)[0].rows == 2
    [file] = (state / entries.FOLDER).iterdir()
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(AuditError, match=r"entries-000001\.parquet: was changed"):
        take.take(settings, backups)


def test_a_backup_without_a_build_database_is_restored_and_made_again_from_landing(
    run: Run, settings: Settings, elsewhere: Settings, backups: Path
) -> None:
    run(1)
    settings.build_database.unlink()
    take.take(settings, backups)
    restore.restore(elsewhere, backups)
    assert not elsewhere.build_database.exists()
    with duckdb_engine.build_database(elsewhere.build_database) as connection:
        tables = [("s", "main", "t")]
        rules = package.LoadRules()
        replay.catch_up(connection, elsewhere.landing, tables, run_id="r", rules=rules)
        assert raw_rows(connection) == [("1", 1)]


def test_the_next_backup_copies_only_what_is_new(
    run: Run, settings: Settings, backups: Path
) -> None:
    run(1)
    first = take.take(settings, backups)
    assert first.copied_files == len([e for e in first.backup.entries if e.sha256])
    assert take.take(settings, backups).copied_files == 0
    run(2)
    third = take.take(settings, backups)
    new = {
        path for path, entry in listed(backups, 3).items() if listed(backups, 2).get(path) != entry
    }
    assert third.copied_files == len(new - {"published/current"})
    assert {path.partition("/")[0] for path in new} == {
        "build.duckdb",
        "landing",
        "published",
        "state",
    }
    assert not any(path.startswith("published/v000001") for path in new)


def test_old_backups_go_with_the_files_that_only_they_had(
    run: Run, settings: Settings, elsewhere: Settings, backups: Path
) -> None:
    for number in (1, 2, 3):
        run(number)
        taken = take.take(settings, backups, keep=2)
    assert (taken.removed, store.ids(backups)) == (("b000001",), ["b000002", "b000003"])
    named = {e.sha256 for i in (2, 3) for e in listed(backups, i).values() if e.sha256}
    assert {path.name for path in (backups / "objects").rglob("*") if path.is_file()} == named
    restore.restore(elsewhere, backups, "b000002")
    assert orders(elsewhere) == 2


def test_a_killed_backup_leaves_the_earlier_whole_and_is_repeated(
    run: Run,
    settings: Settings,
    elsewhere: Settings,
    backups: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run(1)
    take.take(settings, backups)
    run(2)
    original = store.add

    def add(directory: Path, source: Path) -> str:
        if source.suffix == ".parquet":
            (directory / "objects" / ".1.tmp").write_bytes(b"half")
            raise KilledError
        return original(directory, source)

    monkeypatch.setattr(store, "add", add)
    with pytest.raises(KilledError):
        take.take(settings, backups)
    monkeypatch.undo()
    assert store.ids(backups) == ["b000001"]
    assert store.verify(backups, ["b000001"]) == []
    taken = take.take(settings, backups, keep=2)
    assert taken.backup.id == "b000002"
    assert not list((backups / "objects").glob(".*"))
    restore.restore(elsewhere, backups)
    assert orders(elsewhere) == 2


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_damage_is_named_and_nothing_is_restored(
    damage: str, run: Run, settings: Settings, elsewhere: Settings, backups: Path
) -> None:
    run(1)
    run(2)
    take.take(settings, backups)
    entry = listed(backups)["published/v000001.duckdb"]
    place = store.object_path(backups, entry.sha256 or "")
    if damage == "changed":
        content = bytearray(place.read_bytes())
        content[len(content) // 2] ^= 1
        place.write_bytes(content)
    else:
        place.unlink()
    faults = store.verify(backups, ["b000001"])
    problem = {"changed": "damaged", "missing": "missing"}[damage]
    assert [(fault.path, fault.problem) for fault in faults] == [(entry.path, problem)]
    with pytest.raises(AuditError, match=f"published/v000001.duckdb is {problem}"):
        restore.restore(elsewhere, backups)
    assert files(elsewhere.home) == {}
    place.unlink(missing_ok=True)
    assert take.take(settings, backups).copied_files == 1
    restore.restore(elsewhere, backups, "b000001")
    assert orders(elsewhere, "v000001") == 1


def test_a_changed_list_is_refused(
    run: Run, settings: Settings, elsewhere: Settings, backups: Path
) -> None:
    run(1)
    take.take(settings, backups)
    path = backups / "backups" / "b000001.json"
    path.write_text(path.read_text().replace("v000001", "v000009"))
    with pytest.raises(AuditError, match="b000001.json: not a list of a backup as it was written"):
        restore.restore(elsewhere, backups)


@pytest.mark.parametrize("target", ["..", ".", "", "a/b", "/tmp"])
def test_a_list_whose_links_lead_out_of_the_folder_is_refused(
    target: str, run: Run, settings: Settings, elsewhere: Settings, backups: Path
) -> None:
    run(1)
    found = take.take(settings, backups).backup
    link = store.Entry("published/up", target=target)
    below = [replace(e, path=f"published/up/up/{e.path}") for e in found.entries if e.sha256]
    store.write(backups, replace(found, entries=(link, *below)))
    with pytest.raises(AuditError, match="not a list of a backup as it was written"):
        restore.restore(elsewhere, backups)
    assert sorted(path.name for path in elsewhere.path.parent.iterdir()) == ["warehouse.yml"]


def test_a_copy_that_another_program_left_among_the_lists_is_no_backup(
    run: Run, settings: Settings, backups: Path
) -> None:
    run(1)
    take.take(settings, backups)
    listed_at = backups / "backups" / "b000001.json"
    shutil.copy(listed_at, listed_at.with_name("b000001 (conflicted copy).json"))
    assert take.take(settings, backups).backup.id == "b000002"
    assert store.ids(backups) == ["b000001", "b000002"]


def test_a_folder_of_landing_that_a_link_leads_to_is_in_the_backup(
    run: Run, settings: Settings, elsewhere: Settings, backups: Path, tmp_path: Path
) -> None:
    run(1)
    before = files(settings.landing)
    (settings.landing / "s").rename(tmp_path / "other disk")
    (settings.landing / "s").symlink_to(tmp_path / "other disk")
    take.take(settings, backups)
    restore.restore(elsewhere, backups)
    assert files(elsewhere.landing) == before


def test_a_restore_killed_between_two_moves_is_finished_by_the_next(
    run: Run,
    settings: Settings,
    elsewhere: Settings,
    backups: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run(1)
    take.take(settings, backups)
    original, left = Path.rename, [0]
    kept = files(settings.home)

    def rename(self: Path, target: Path) -> Path:
        if left[0] == 0:
            raise KilledError
        left[0] -= 1
        return original(self, target)

    for moves in range(4):  # landing, build.duckdb, state, published
        left[0] = moves
        shutil.rmtree(elsewhere.home, ignore_errors=True)
        monkeypatch.setattr(Path, "rename", rename)
        with pytest.raises(KilledError):
            restore.restore(elsewhere, backups)
        monkeypatch.undo()
        assert versions.current_version(elsewhere.published_directory) is None
        with pytest.raises(ConfigError, match="a restore was not finished"):
            restore.require_finished(elsewhere)
        restore.restore(elsewhere, backups)
        restore.require_finished(elsewhere)
        assert files(elsewhere.home) == kept


def test_a_restore_killed_while_it_copies_begins_again(
    run: Run,
    settings: Settings,
    elsewhere: Settings,
    backups: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run(1)
    take.take(settings, backups)

    def killed(*_: Any) -> None:
        raise KilledError

    monkeypatch.setattr(restore, "write_atomically", killed)
    with pytest.raises(KilledError):
        restore.restore(elsewhere, backups)
    monkeypatch.undo()
    with pytest.raises(ConfigError, match="a restore was not finished"):
        restore.require_finished(elsewhere)
    restore.restore(elsewhere, backups)
    assert files(elsewhere.home) == files(settings.home)


def test_nothing_is_restored_over_a_warehouse(run: Run, settings: Settings, backups: Path) -> None:
    run(1)
    take.take(settings, backups)
    shutil.rmtree(settings.state_directory)
    before = files(settings.home)
    with pytest.raises(
        ConfigError, match=r"var/published, .*var/landing, .*build.duckdb: not empt"
    ):
        restore.restore(settings, backups)
    assert files(settings.home) == before


def test_a_landing_outside_the_home_comes_back_to_its_place(
    run: Run, settings: Settings, elsewhere: Settings, backups: Path
) -> None:
    run(1)
    take.take(settings, backups)
    text = elsewhere.path.read_text().replace("{home: ./var}", "{home: ./var, landing: ./landed}")
    elsewhere.path.write_text(text)
    restore.restore(config.load(elsewhere.path), backups)
    assert files(elsewhere.path.parent / "landed") == files(settings.landing)
    assert not (elsewhere.home / "landing").exists()


def test_hidden_files_are_not_part_of_a_backup(run: Run, settings: Settings, backups: Path) -> None:
    run(1)
    (settings.landing / ".scan" / "s").mkdir(parents=True)
    (settings.landing / ".scan" / "s" / "scan.json").write_text("{}")
    take.take(settings, backups)
    assert not [path for path in listed(backups) if "/." in path]


def test_a_package_that_landed_but_is_not_loaded_is_in_the_backup(
    run: Run, settings: Settings, backups: Path, make_package: MakePackage
) -> None:
    run(1)
    manifest = make_package([("2", 2)], mode="incremental", start=1, to=2)
    take.take(settings, backups)
    place = package_directory(settings.landing, manifest).relative_to(settings.landing)
    assert f"landing/{place}/manifest.json" in listed(backups)


def test_a_backup_waits_for_the_writer_and_says_who_it_is(
    run: Run, settings: Settings, backups: Path
) -> None:
    run(1)
    with lease.hold(settings.home), pytest.raises(SourceError, match="lease is held by process"):
        take.take(settings, backups)


def test_two_backups_at_once_into_one_folder_are_refused(
    run: Run, settings: Settings, backups: Path
) -> None:
    run(1)
    with store.exclusive(backups), pytest.raises(SourceError, match="another backup or restore"):
        take.take(settings, backups)


@pytest.mark.parametrize("place", ["var", "var/landing/backups"])
def test_a_backup_inside_what_it_is_of_is_refused(place: str, run: Run, settings: Settings) -> None:
    run(1)
    with pytest.raises(ConfigError, match="name a folder on another disk"):
        take.take(settings, settings.path.parent / place)


def test_the_backups_of_another_warehouse_are_not_mixed_with_these(
    run: Run, settings: Settings, elsewhere: Settings, backups: Path
) -> None:
    run(1)
    take.take(settings, backups)
    segments.append(elsewhere.state_directory, [{"kind": "resume", "at": "then"}])
    with pytest.raises(ConfigError, match="holds the backups of another warehouse"):
        take.take(elsewhere, backups)


def test_a_warehouse_that_never_ran_has_nothing_to_back_up(
    settings: Settings, backups: Path
) -> None:
    with pytest.raises(ConfigError, match="nothing to back up yet"):
        take.take(settings, backups)
    assert not settings.home.exists()


def test_the_configuration_is_kept_unless_a_secret_stands_in_it(
    run: Run, settings: Settings, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(1)
    assert not take.take(settings, backups).holds_configuration
    with pytest.raises(ConfigError, match="b000001 holds no configuration"):
        restore.configuration(backups)
    text = settings.path.read_text().replace(
        "'postgresql://nobody@127.0.0.1:1/none'", "${SHOP_DSN}"
    )
    settings.path.write_text(text)
    monkeypatch.setenv("SHOP_DSN", "postgresql://nobody@127.0.0.1:1/none")
    assert take.take(config.load(settings.path), backups).holds_configuration
    assert restore.configuration(backups).decode() == text


def test_a_backup_that_is_not_there_is_told_with_those_that_are(
    run: Run, settings: Settings, elsewhere: Settings, backups: Path
) -> None:
    with pytest.raises(ConfigError, match="no backups there"):
        restore.restore(elsewhere, backups)
    run(1)
    take.take(settings, backups)
    with pytest.raises(ConfigError, match="no backup b000007; there are b000001"):
        restore.restore(elsewhere, backups, "b000007")
    assert not elsewhere.home.exists()
