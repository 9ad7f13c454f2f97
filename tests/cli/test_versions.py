"""`versions`, `status`, `rollback` and `publish --resume` on what is published."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from cli.run import warn_if_earlier
from tests.cli.command import Command
from warehouse import config
from warehouse.publish import versions as published
from warehouse.state import segments

CONFIGURATION = """
sources:
  shop: { kind: postgres, dsn: postgresql://a:b@127.0.0.1:1/shop, tables: { o: { key: [a] } } }
"""


@pytest.fixture
def shop(warehouse: Command) -> Command:
    (warehouse.directory / "warehouse.yml").write_text(CONFIGURATION)
    return warehouse


@pytest.fixture
def three_versions(shop: Command) -> Command:
    """Return the command where three versions are published; none of these reads their rows."""
    home = shop.directory / "var"
    (home / "published").mkdir(parents=True)
    for number in (1, 2, 3):
        segments.append(home / "state", [publication(number)])
        published.version_path(home / "published", f"v00000{number}").touch()
    published.switch(home / "published", "v000003")
    return shop


def publication(number: int) -> dict[str, Any]:
    return {
        "kind": "publication",
        "version": f"v00000{number}",
        "as_of": f"2011-09-0{number}T00:00:00.000000Z",
        "published_at": f"2011-09-0{number}T00:10:00.000000Z",
        "published_by": "ana@depot" if number > 1 else None,
        "run_id": f"run{number}",
        "fingerprint": f"print{number}",
        "next_due_at": None,
        "complete_up_to": f"2011-09-0{number}T00:30:00.000000Z",
        "marts": [
            {
                "mart": "core.orders",
                "cell": "main",
                "complete_up_to": f"2011-09-0{number}T00:00:00.000000Z",
                "is_complete": True,
                "unmatched_rows": 0,
            }
        ],
        "tables": [
            {"schema": "core", "table": "orders", "rows": 1000 + number, "content_hash": "ab" * 32}
        ],
    }


def shown(command: Command) -> str:
    (current,) = [v for v in json.loads(command("versions", "--json").stdout) if v["is_current"]]
    return current["version"]


def test_versions_are_listed_with_their_tables_and_hashes(three_versions: Command) -> None:
    listed = json.loads(three_versions("versions", "--json").stdout)
    assert [version["version"] for version in listed] == ["v000001", "v000002", "v000003"]
    assert listed[2] == {
        "version": "v000003",
        "as_of": "2011-09-03T00:00:00.000000Z",
        "published_at": "2011-09-03T00:10:00.000000Z",
        "published_by": "ana@depot",
        "is_current": True,
        "tables": [{"schema": "core", "table": "orders", "rows": 1003, "content_hash": "ab" * 32}],
    }
    text = three_versions("versions")
    assert text.returncode == 0
    head, first, *_, oldest = text.stdout.splitlines()
    assert head.split() == ["version", "as", "of", "published", "at", "by", "tables", "rows"]
    assert first == (
        "v000003  2011-09-03T00:00:00Z  2011-09-03T00:10:00Z  ana@depot       1  1,003  current"
    )
    assert oldest.split() == ["v000001", oldest.split()[1], oldest.split()[2], "-", "1", "1,001"]


def test_a_rollback_shows_an_earlier_version_until_publish_resumes(
    three_versions: Command,
) -> None:
    rolled = three_versions("rollback")
    assert rolled.returncode == 0, rolled.stderr
    assert rolled.stdout == (
        "readers see v000002 as of 2011-09-02T00:00:00Z (held until `publish --resume`)\n"
    )
    assert shown(three_versions) == "v000002"
    status = json.loads(three_versions("status", "--json").stdout)
    assert set(status) >= {"version", "as_of", "hold", "tables", "marts"}
    assert (status["version"], status["hold"]) == ("v000002", "v000002")
    text = three_versions("status").stdout
    assert "held; v000003 is the newest" in text
    *_, head, mart = text.splitlines()
    assert head.split("  ")[-1].strip() == "unmatched rows"
    assert mart.split() == ["core.orders", "main", "2011-09-02T00:00:00Z", "yes", "0"]

    assert three_versions("rollback", "v000001", "--json").returncode == 0
    assert shown(three_versions) == "v000001"
    resumed = three_versions("publish", "--resume")
    assert resumed.stdout == "readers see v000003 as of 2011-09-03T00:00:00Z (the newest)\n"
    assert json.loads(three_versions("status", "--json").stdout)["hold"] is None


def test_a_rollback_goes_forward_to_a_later_version_too(three_versions: Command) -> None:
    assert three_versions("rollback", "v000001").returncode == 0
    assert three_versions("rollback", "v000002").stdout.startswith("readers see v000002")
    assert shown(three_versions) == "v000002"
    status = json.loads(three_versions("status", "--json").stdout)
    assert (status["hold"], status["targets"]) == (
        "v000002",
        [{"name": "duckdb", "version": "v000002", "lags": False, "problem": None}],
    )


@pytest.mark.parametrize(
    "command", [("publish", "--resume"), ("rollback", "v000003")], ids=["publish", "rollback"]
)
def test_a_switch_that_was_killed_shows_as_a_lag_until_the_next_writing_command(
    command: tuple[str, ...], three_versions: Command
) -> None:
    published.switch(three_versions.directory / "var" / "published", "v000002")
    for reading in ("versions", "status"):
        assert three_versions(reading).returncode == 0
    text = three_versions("status").stdout.splitlines()
    assert text[0] == "version v000002 as of 2011-09-02T00:00:00Z"
    assert text[1].startswith("target duckdb lags: it shows v000002, v000003 is to be shown;")
    status = json.loads(three_versions("status", "--json").stdout)
    assert status["targets"] == [
        {"name": "duckdb", "version": "v000002", "lags": True, "problem": None}
    ]
    assert three_versions(*command).returncode == 0
    assert shown(three_versions) == "v000003"
    assert json.loads(three_versions("status", "--json").stdout)["targets"][0]["lags"] is False


def test_a_version_that_does_not_exist_is_named_with_those_that_do(
    three_versions: Command,
) -> None:
    line = three_versions.fails(2, "rollback", "v000009")
    assert "version v000009 does not exist; there are v000001, v000002, v000003" in line
    assert shown(three_versions) == "v000003"


def test_publish_does_nothing_without_being_told_what(three_versions: Command) -> None:
    assert "--resume" in three_versions.fails(2, "publish")


@pytest.mark.parametrize(
    "arguments", [["rollback"], ["publish", "--resume"], ["status"], ["versions"]]
)
def test_without_a_version_every_command_says_so(shop: Command, arguments: list[str]) -> None:
    line = shop.fails(2, *arguments)
    assert "nothing is published yet" in line or "no earlier version" in line


def test_without_a_version_json_is_still_json(shop: Command) -> None:
    listed, status = shop("versions", "--json"), shop("status", "--json")
    assert (listed.returncode, json.loads(listed.stdout)) == (2, [])
    found = json.loads(status.stdout)
    assert (status.returncode, found["version"], found["tables"]) == (2, None, [])


def test_status_reads_no_build_database(three_versions: Command) -> None:
    (three_versions.directory / "var" / "build.duckdb").write_bytes(b"not a database")
    started = time.monotonic()
    assert three_versions("status").returncode == 0
    assert time.monotonic() - started < 10


def test_a_broken_state_is_an_audit_failure(three_versions: Command, tmp_path: Path) -> None:
    segment = tmp_path / "var" / "state" / "segment-000002.json"
    segment.write_text(segment.read_text().replace("v000002", "v000007"))
    assert "segment-000002.json: was changed" in three_versions.fails(1, "versions")


def test_side_versions_are_listed_apart(three_versions: Command) -> None:
    home = three_versions.directory / "var"
    aside = publication(1) | {
        "kind": "side_version",
        "version": "r000001",
        "published_by": "ann@desk",
        "known_at": "2011-09-01T00:20:00.000000Z",
        "models": "print",
    }
    segments.append(home / "state", [aside])
    published.version_path(home / "published", "r000001").touch()
    listed = json.loads(three_versions("versions", "--json").stdout)
    assert [version["version"] for version in listed] == ["v000001", "v000002", "v000003"]
    (found,) = json.loads(three_versions("versions", "--side", "--json").stdout)
    assert (found["version"], found["known_at"], found["is_current"]) == (
        "r000001",
        "2011-09-01T00:20:00.000000Z",
        False,
    )
    head, row = three_versions("versions").stdout.splitlines()[-2:]
    assert head.split()[:2] == ["side", "version"]
    assert row.split()[:3] == ["r000001", "2011-09-01T00:00:00Z", "2011-09-01T00:20:00Z"]
    assert "does not exist" in three_versions.fails(2, "rollback", "r000001")
    assert shown(three_versions) == "v000003"
    assert three_versions("rebuild", "--remove", "r000001").stdout == "removed r000001\n"
    assert json.loads(three_versions("versions", "--side", "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give --known-at, or --remove"),
        (["--known-at", "v000009"], "version v000009 does not exist"),
        (["--known-at", "2999-01-01T00:00:00Z"], "has not come yet"),
        (["--known-at", "last week"], "is not an instant"),
        (["--remove", "r000009"], "r000009 does not exist; there are none"),
    ],
)
def test_a_rebuild_of_what_is_not_there_says_so(
    three_versions: Command, arguments: list[str], words: str
) -> None:
    assert words in three_versions.fails(2, "rebuild", *arguments)


def test_a_version_of_an_earlier_time_than_the_one_before_is_warned_of(
    shop: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = config.load(shop.directory / "warehouse.yml")
    segments.append(settings.state_directory, [publication(1)])
    segments.append(settings.state_directory, [publication(2)])
    warn_if_earlier(settings)
    assert capsys.readouterr().err == ""
    mistyped = {**publication(3), "as_of": "2010-09-03T00:00:00.000000Z"}
    segments.append(settings.state_directory, [mistyped])
    warn_if_earlier(settings)
    assert capsys.readouterr().err == (
        "warning: readers now see nothing after 2010-09-03T00:00:00Z; v000002 was as of"
        " 2011-09-02T00:00:00Z: `warehouse rollback v000002` shows it again, and a run without"
        " --as-of publishes all there is\n"
    )
