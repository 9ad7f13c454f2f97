"""`backup` and `restore` from the command line: list, verify, and an empty machine."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.command import Command
from warehouse.publish import versions
from warehouse.state import segments

SECRET = {"SHOP_DSN": "postgresql://a:b@127.0.0.1:1/shop"}
CONFIGURATION = """
sources:
  shop: { kind: postgres, dsn: "${SHOP_DSN}", tables: { o: { key: [a] } } }
"""


@pytest.fixture
def shop(warehouse: Command) -> Command:
    """Return the command where one version is published and a backup of it taken."""
    (warehouse.directory / "warehouse.yml").write_text(CONFIGURATION)
    home = warehouse.directory / "var"
    (home / "published").mkdir(parents=True)
    versions.version_path(home / "published", "v000001").write_bytes(b"marts")
    segments.append(
        home / "state",
        [
            {
                "kind": "publication",
                "version": "v000001",
                "as_of": "2011-09-01T00:00:00.000000Z",
                "published_at": "2011-09-01T00:10:00.000000Z",
                "tables": [],
            }
        ],
    )
    versions.switch(home / "published", "v000001")
    taken = json.loads(warehouse("backup", "kept", "--json", **SECRET).stdout)
    assert (taken["backup"], taken["newest"]) == ("b000001", "v000001")
    assert taken["copied_files"] == taken["files"] - 1  # all but the pointer, which is a link
    return warehouse


def test_an_empty_machine_is_restored_by_one_command_with_the_configuration_of_the_backup(
    shop: Command, tmp_path: Path
) -> None:
    machine = Command(tmp_path / "machine")
    machine.directory.mkdir()
    kept = str(shop.directory / "kept")
    line, told = machine.stops(2, "restore", kept)
    assert "SHOP_DSN" in line
    assert told == [f"{machine.directory / 'warehouse.yml'} written from the backup"]
    restored = machine("restore", kept, **SECRET)
    assert restored.returncode == 0, restored.stderr
    assert restored.stdout.startswith("restored b000001 of 20")
    assert "1 versions, newest v000001, 5 files" in restored.stdout
    shown = json.loads(machine("versions", "--json", **SECRET).stdout)
    assert [(version["version"], version["is_current"]) for version in shown] == [("v000001", True)]
    assert (machine.directory / "warehouse.yml").read_text() == CONFIGURATION
    assert "not empty" in machine.fails(2, "restore", kept, **SECRET)


def test_backups_are_listed_and_checked(shop: Command) -> None:
    taken = shop("backup", "kept", "--keep", "1", **SECRET).stdout
    assert taken.startswith("b000002: 1 versions, newest v000001, 5 files, ")
    assert "\n  removed b000001\n" in taken
    listed = json.loads(shop("backup", "kept", "--list", "--json").stdout)
    assert [(backup["backup"], backup["files"]) for backup in listed] == [("b000002", 5)]
    head, row = shop("backup", "kept", "--list").stdout.splitlines()
    assert head.split()[:3] == ["backup", "taken", "at"]
    assert row.split()[0::2][:2] == ["b000002", "v000001"]
    assert shop("backup", "kept", "--verify").stdout == "b000002: whole\n"

    shutil.rmtree(shop.directory / "kept" / "objects")
    checked = shop("backup", "kept", "--verify")
    assert checked.returncode == 1
    assert "b000002: published/v000001.duckdb is missing (objects/" in checked.stdout
    assert "b000002 cannot be restored whole" in checked.stderr


def test_what_cannot_be_a_backup_is_refused(shop: Command) -> None:
    assert "to a local folder" in shop.fails(2, "backup", "s3://bucket/shop", **SECRET)
    assert "no backups there" in shop.fails(2, "backup", "none", "--list")
    assert "two commands" in shop.fails(2, "backup", "kept", "--list", "--verify")
    assert "var is" not in shop.fails(2, "backup", "var/kept", **SECRET)
