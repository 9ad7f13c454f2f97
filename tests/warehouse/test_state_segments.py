"""State is append-only segments chained by hash; a broken chain is refused."""

from pathlib import Path

import duckdb
import pytest

from extractors.errors import AuditError
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.load import outbox
from warehouse.state import segments


def test_records_come_back_in_the_order_they_were_written(tmp_path: Path) -> None:
    assert segments.append(tmp_path, [{"kind": "a", "n": 1}, {"kind": "b", "n": 2}]) == 1
    assert segments.append(tmp_path, [{"kind": "a", "n": 3}]) == 2
    assert segments.append(tmp_path, []) is None
    assert [r["n"] for r in segments.records(tmp_path)] == [1, 2, 3]
    assert [r["n"] for r in segments.records(tmp_path, "a")] == [1, 3]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("edit", "segment-000003.json: does not continue segment 2"),
        ("remove", "segment 2 is missing before segment-000003.json"),
        ("tear", "segment-000002.json: not a readable state segment"),
    ],
)
def test_a_segment_that_was_changed_removed_or_torn_is_named(
    damage: str, message: str, tmp_path: Path
) -> None:
    for number in range(3):
        segments.append(tmp_path, [{"kind": "a", "n": number}])
    second = tmp_path / "segment-000002.json"
    if damage == "edit":
        second.write_text(second.read_text().replace('"n": 1', '"n": 9'))
    elif damage == "remove":
        second.unlink()
    else:
        second.write_text(second.read_text()[:40])
    with pytest.raises(AuditError, match=message):
        segments.records(tmp_path)
    with pytest.raises(AuditError, match=message):
        segments.append(tmp_path, [{"kind": "a"}])


def test_records_queued_in_the_database_reach_state_once_though_killed_before_the_queue_was_emptied(
    settings: Settings, build: duckdb.DuckDBPyConnection
) -> None:
    with duckdb_engine.transaction(build):
        outbox.add(build, "certificate", "c1", n=1)
    queued = build.execute("SELECT * FROM meta.outbox").fetchall()
    outbox.flush(build, settings.state_directory)
    build.executemany("INSERT INTO meta.outbox VALUES (?, ?)", queued)
    outbox.add(build, "certificate", "c2", n=2)
    outbox.flush(build, settings.state_directory)
    assert [r["n"] for r in segments.records(settings.state_directory)] == [1, 2]
    assert outbox.pending(build) == []
