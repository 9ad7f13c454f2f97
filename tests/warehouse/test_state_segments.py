"""State is append-only segments chained by hash; a broken chain is refused."""

import hashlib
import json
import multiprocessing
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from extractors.errors import AuditError
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.load import outbox
from warehouse.state import chain, segments

Record = dict[str, Any]


def state_of(directory: Path, count: int) -> list[Path]:
    """Fill a folder with segments of one record each; return their files."""
    for number in range(1, count + 1):
        segments.append(directory, [{"kind": "ab"[number % 2], "n": number}])
    return [segment(directory, number) for number in range(1, count + 1)]


def segment(directory: Path, number: int) -> Path:
    return directory / f"segment-{number:06d}.json"


def as_an_older_release(directory: Path, new: list[list[Record]]) -> None:
    """Write segments as the first release did: indented, without links and head."""
    digest = chain.GENESIS
    for number, records in enumerate(new, 1):
        document = {
            "format": 1,
            "number": number,
            "previous": digest,
            "written_at": "2026-01-01T00:00:00.000000Z",
            "records": records,
        }
        text = json.dumps(document, indent=1, sort_keys=True) + "\n"
        segment(directory, number).write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()


def test_records_come_back_in_the_order_they_were_written(tmp_path: Path) -> None:
    assert segments.append(tmp_path, [{"kind": "a", "n": 1}, {"kind": "b", "n": 2}]) == 1
    assert segments.append(tmp_path, [{"kind": "a", "n": 3}]) == 2
    assert segments.append(tmp_path, []) is None
    assert [r["n"] for r in segments.records(tmp_path)] == [1, 2, 3]
    assert [r["n"] for r in segments.records(tmp_path, "a")] == [1, 3]
    assert [r["n"] for r in segments.newest_first(tmp_path)] == [3, 2, 1]
    assert segments.records(tmp_path, "c") == []
    assert segments.records(tmp_path / "ledger") == []
    assert (segments.verify(tmp_path), segments.verify(tmp_path / "ledger")) == (2, 0)


@hypothesis_settings(deadline=None, max_examples=50)
@given(
    before=st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3), max_size=5),
    after=st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3), max_size=8),
    wanted=st.sets(st.sampled_from("abcd")),
)
def test_records_of_a_kind_are_those_of_a_plain_list_whichever_release_wrote_them(
    before: list[list[str]], after: list[list[str]], wanted: set[str]
) -> None:
    plain = [
        {"kind": kind, "n": (number, index)}
        for number, kinds in enumerate([*before, *after])
        for index, kind in enumerate(kinds)
    ]
    steps = iter(plain)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        as_an_older_release(directory, [[next(steps) for _ in kinds] for kinds in before])
        for kinds in after:
            segments.append(directory, [next(steps) for _ in kinds])
        assert segments.verify(directory) == len(before) + len(after)
        found = segments.records(directory, *wanted)
    assert [(r["kind"], tuple(r["n"])) for r in found] == [
        (r["kind"], r["n"]) for r in plain if not wanted or r["kind"] in wanted
    ]


def test_only_the_segments_that_hold_the_wanted_kind_are_read(tmp_path: Path) -> None:
    for kind in ("version", "noise", "noise", "noise", "noise"):
        segments.append(tmp_path, [{"kind": kind}])
    for number in (2, 3, 4):
        segment(tmp_path, number).unlink()  # the newest leads past them
    assert segments.records(tmp_path, "version") == [{"kind": "version"}]
    with pytest.raises(AuditError, match="segment 2 is missing before segment-000005.json"):
        segments.verify(tmp_path)


def edit(path: Path) -> None:
    path.write_text(path.read_text().replace('"n":', '"m":'))


def tear(path: Path) -> None:
    path.write_text(path.read_text()[:140])


@pytest.mark.parametrize(
    ("damage", "number", "message"),
    [
        (edit, 2, "segment-000003.json: does not continue segment 2; one of the two was changed"),
        (edit, 4, "segment-000004.json: was changed after it was written"),
        (tear, 2, "segment-000002.json: not a readable state segment"),
        (Path.unlink, 2, "segment 2 is missing before segment-000003.json"),
        (Path.unlink, 4, "segment 4 is missing \\(head names 4 as the newest\\)"),
    ],
)
def test_a_segment_that_was_changed_removed_or_torn_is_named_with_what_to_do(
    damage: Callable[[Path], None], number: int, message: str, tmp_path: Path
) -> None:
    damage(state_of(tmp_path, 4)[number - 1])
    with pytest.raises(AuditError, match=f"{message}.*; restore the folder from a backup") as error:
        segments.verify(tmp_path)
    assert error.value.exit_code == 1


def test_the_newest_segment_is_checked_by_everything_that_reads_or_adds(tmp_path: Path) -> None:
    edit(state_of(tmp_path, 3)[2])
    for refused in (
        lambda: segments.records(tmp_path, "a"),
        lambda: segments.append(tmp_path, [{"kind": "a"}]),
    ):
        with pytest.raises(AuditError, match=r"segment-000003\.json: was changed"):
            refused()


def test_a_head_that_was_changed_or_belongs_to_another_state_is_refused(tmp_path: Path) -> None:
    state_of(tmp_path, 3)
    head = tmp_path / "head"
    text = head.read_text()
    head.write_text("{")
    with pytest.raises(AuditError, match="head: cannot be read"):
        segments.verify(tmp_path)
    head.write_text(text.replace(json.loads(text)["sha256"], "0" * 64))
    with pytest.raises(AuditError, match=r"segment-000003\.json: was changed"):
        segments.verify(tmp_path)
    state_of(tmp_path / "other", 1)
    shutil.copy(tmp_path / "other/head", head)
    with pytest.raises(AuditError, match="segment-000001.json: was changed"):
        segments.verify(tmp_path)


def test_a_head_that_lags_by_one_killed_writer_is_repaired_before_the_next_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state_of(tmp_path, 2)

    def killed(_directory: Path, _head: chain.Head) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(chain, "write_head", killed)
        with pytest.raises(KeyboardInterrupt):
            segments.append(tmp_path, [{"kind": "a", "n": 3}])
        assert chain.read_head(tmp_path).number == 2
        assert segments.verify(tmp_path) == 3
        assert [r["n"] for r in segments.records(tmp_path)] == [1, 2, 3]
    original, calls = chain.write_head, list[int]()

    def killed_the_second_time(directory: Path, head: chain.Head) -> None:
        calls.append(head.number)
        if len(calls) == 2:
            raise KeyboardInterrupt
        original(directory, head)

    monkeypatch.setattr(chain, "write_head", killed_the_second_time)
    with pytest.raises(KeyboardInterrupt):
        segments.append(tmp_path, [{"kind": "a", "n": 4}])
    assert (calls, chain.read_head(tmp_path).number) == ([3, 4], 3)
    assert segments.verify(tmp_path) == 4
    monkeypatch.undo()
    segments.append(tmp_path, [{"kind": "a", "n": 5}])
    assert (chain.read_head(tmp_path).number, segments.verify(tmp_path)) == (5, 5)


def test_a_head_that_is_gone_is_refused_where_its_loss_could_hide_another(tmp_path: Path) -> None:
    state_of(tmp_path, 3)
    (tmp_path / "head").unlink()
    segment(tmp_path, 3).unlink()
    with pytest.raises(AuditError, match="head: is missing, so the newest segments may be as well"):
        segments.verify(tmp_path)


def test_a_head_that_lags_by_more_is_refused(tmp_path: Path) -> None:
    state_of(tmp_path, 2)
    old = (tmp_path / "head").read_text()
    state_of(tmp_path, 2)
    (tmp_path / "head").write_text(old)
    for check in (segments.verify, segments.records):
        with pytest.raises(AuditError, match="head: names segment 2, more than one follows it"):
            check(tmp_path)


def test_a_folder_of_an_older_release_is_taken_as_it_is_and_gets_a_head(tmp_path: Path) -> None:
    as_an_older_release(tmp_path, [[{"kind": "a", "n": 1}], [{"kind": "b", "n": 2}]])
    assert segments.verify(tmp_path) == 2
    assert segments.append(tmp_path, [{"kind": "a", "n": 3}]) == 3
    assert [r["n"] for r in segments.records(tmp_path, "a")] == [1, 3]
    segment(tmp_path, 3).unlink()
    with pytest.raises(AuditError, match="segment 3 is missing"):
        segments.verify(tmp_path)


def same_text(one: Path, other: Path) -> bool:
    return one.read_bytes().split() == other.read_bytes().split()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("state")
    state_of(directory, 4)
    return directory


@hypothesis_settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_any_change_of_any_file_of_the_chain_is_refused_by_the_next_run(
    whole: Path, data: st.DataObject
) -> None:
    names = sorted(path.name for path in whole.glob("segment-*.json"))
    kind = data.draw(st.sampled_from(["flip", "truncate", "extend", "remove", "swap"]))
    name = data.draw(st.sampled_from([*names, "head"] if kind in {"flip", "truncate"} else names))
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "state"
        shutil.copytree(whole, directory)
        path = directory / name
        content = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(content) - 2))  # the last byte of head is a line's end
        if kind == "flip":
            content[at] ^= data.draw(st.integers(1, 255))
            path.write_bytes(content)
        elif kind == "truncate":
            path.write_bytes(content[:at])
        elif kind == "extend":
            path.write_bytes(content + b" ")
        elif kind == "remove":
            path.unlink()
        else:
            other = directory / data.draw(st.sampled_from([n for n in names if n != name]))
            aside = other.rename(directory / "aside")
            path.rename(other)
            aside.rename(path)
        if name == "head" and kind == "flip" and same_text(path, whole / name):
            return  # a space became another kind of white space
        with pytest.raises(AuditError):
            segments.verify(directory)


def add(directory: Path, writer: int) -> None:
    for n in range(20):
        with segments.exclusive(directory):
            segments.append(directory, [{"kind": "a", "id": f"{writer}-{n}"}])


def test_two_writers_take_turns_and_a_reader_beside_them_meets_no_broken_chain(
    tmp_path: Path,
) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=add, args=(tmp_path, n)) for n in range(2)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert segments.verify(tmp_path) <= len(segments.records(tmp_path, "a"))
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len({r["id"] for r in segments.records(tmp_path)}) == segments.verify(tmp_path) == 40


def test_a_reader_that_began_before_the_first_segments_and_their_head_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state_of(tmp_path, 2)
    read_head, seen = chain.read_head, iter([None])
    monkeypatch.setattr(chain, "read_head", lambda folder: next(seen, read_head(folder)))

    newest = chain.newest(tmp_path)

    assert newest is not None
    assert newest.path == segment(tmp_path, 2)


def test_records_queued_in_the_database_reach_state_once_though_killed_before_the_queue_was_emptied(
    settings: Settings, build: duckdb.DuckDBPyConnection
) -> None:
    state = settings.state_directory
    queued: list[Any] = []
    for n in (1, 2):  # killed twice
        with duckdb_engine.transaction(build):
            outbox.add(build, "certificate", f"c{n}", n=n)
        queued = build.execute("SELECT * FROM meta.outbox").fetchall()
        flushed = build.execute("SELECT * FROM meta.flushed").fetchall()
        outbox.flush(build, state)
        build.executemany("INSERT INTO meta.outbox VALUES (?, ?)", queued)
        build.execute("DELETE FROM meta.flushed")
        if flushed:
            build.executemany("INSERT INTO meta.flushed VALUES (?)", flushed)
        segments.append(state, [{"kind": "hold", "version": "v000001"}])
    outbox.add(build, "certificate", "c3", n=3)
    outbox.flush(build, state)
    assert [r["n"] for r in segments.records(state, "certificate")] == [1, 2, 3]
    assert outbox.pending(build) == []
    assert build.execute("SELECT * FROM meta.flushed").fetchall() == [(5,)]


def test_a_build_database_made_anew_repeats_no_record_of_state(settings: Settings) -> None:
    for path in (settings.build_database, settings.build_database.with_suffix(".second")):
        with duckdb_engine.build_database(path) as build:
            for number in (1, 2):  # a replay that was killed in between
                outbox.add(build, "column_types", f"column_types:{number}")
                outbox.add(build, "certificate", f"{path.suffix}:{number}")
                outbox.flush(build, settings.state_directory)
    assert len(segments.records(settings.state_directory, "column_types")) == 2
    assert len(segments.records(settings.state_directory)) == 6
