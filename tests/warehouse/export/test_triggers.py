"""No trigger e-mail is handed out twice: kills at every point, two at once, older versions."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from extractors.errors import AuditError, ConfigError
from extractors.package import write_atomically
from tests.shops import REPOSITORY
from tests.warehouse.export.handing_out import POINTS
from tests.warehouse.ledger.office import Office
from warehouse.backup import restore
from warehouse.export import forgetting, outbox, triggers
from warehouse.ledger import kept
from warehouse.state import segments

TABLE = """
create schema recommendation;
create table recommendation.email_triggers (
    trigger_id varchar, kind varchar, priority bigint, customer_id varchar, product_id varchar,
    evidence_type varchar, evidence_id varchar, evidence_at timestamptz, due_at timestamptz,
    expires_at timestamptz, status varchar);
"""
# What t1 is about is e1.
ROW = (
    "insert into recommendation.email_triggers values ('{0}', 'price_drop', 3, '{1}', 'p1', 'view',"
    " 'e' || right('{0}', 1), '2026-05-30 00:00:00+00', '2026-05-31 00:00:00+00',"
    " '{2} 00:00:00+00', '{3}');"
)
POINT_NAMES = tuple(POINTS)


def rows(*found: tuple[str, str, str, str]) -> str:
    """Return the mart with these triggers: id, customer, day on which it expires, status."""
    return TABLE + "".join(ROW.format(*one) for one in found)


TWO = (("t1", "c1", "2026-06-06", "due"), ("t2", "c2", "2026-06-06", "due"))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Return a warehouse whose version, of the first of June, has two triggers due."""
    office = Office(tmp_path)
    office.clock("2026-06-01T09:00")
    office.publish("2026-06-01", sql=rows(*TWO, ("t3", "c3", "2026-06-06", "suppressed")))
    return office


def hand_out(office: Office, name: str = "a.jsonl", **options: Any) -> list[str]:
    """Export to a file and return the ids in it, none where no file was written."""
    done = triggers.export(office.settings, office.directory / name, **options)
    return [line["trigger_id"] for line in lines(office, name)] if done.file else []


def lines(office: Office, name: str) -> list[dict[str, Any]]:
    text = (office.directory / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def start(office: Office, point: str, name: str) -> "subprocess.Popen[bytes]":
    arguments = [point, str(office.directory / "warehouse.yml"), str(office.directory / name)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.warehouse.export.handing_out", *arguments], cwd=REPOSITORY
    )


def test_what_is_due_is_handed_out_with_the_links_that_tell_its_visits(office: Office) -> None:
    assert hand_out(office) == ["t1", "t2"]
    assert lines(office, "a.jsonl")[0] == {
        "trigger_id": "t1",
        "kind": "price_drop",
        "priority": 3,
        "customer_id": "c1",
        "product_id": "p1",
        "evidence_type": "view",
        "evidence_id": "e1",
        "evidence_at": "2026-05-30T00:00:00.000000Z",
        "due_at": "2026-05-31T00:00:00.000000Z",
        "expires_at": "2026-06-06T00:00:00.000000Z",
        "utm_medium": "email",
        "utm_campaign": "trigger_price_drop",
        "utm_content": "t1",
    }


def test_a_trigger_leaves_once_whatever_version_is_shown_and_never_after_it_expired(
    office: Office,
) -> None:
    assert hand_out(office) == ["t1", "t2"]
    assert hand_out(office, "b.jsonl") == []
    # a version that was built before anybody knew: the same two are due in it, and a third
    office.publish("2026-06-01", sql=rows(*TWO, ("t4", "c4", "2026-06-06", "due")))
    assert hand_out(office, "c.jsonl") == ["t4"]
    office.clock("2026-06-06")
    office.publish("2026-06-05", sql=rows(("t5", "c5", "2026-06-06", "due")))
    assert hand_out(office, "d.jsonl") == []


def test_who_was_written_to_since_as_of_waits_for_a_version_that_knows(office: Office) -> None:
    hand_out(office)
    another = rows(("t6", "c1", "2026-06-09", "due"))
    office.publish("2026-06-01", sql=another)
    done = triggers.export(office.settings, office.directory / "b.jsonl")
    assert (done.batch, done.held_back) == (None, 1)
    office.publish("2026-06-02", sql=another)
    assert hand_out(office, "b.jsonl") == ["t6"]


def test_what_was_handed_out_for_an_account_is_not_for_the_one_it_is_merged_into(
    office: Office,
) -> None:
    hand_out(office)
    # a version of before, or one that was built while the batch left: it names the other account
    office.publish("2026-06-01", sql=rows(("of-another-account-1", "c9", "2026-06-06", "due")))
    assert hand_out(office, "b.jsonl") == []


@pytest.mark.slow
@pytest.mark.parametrize("point", POINT_NAMES)
def test_an_export_that_is_killed_at_any_point_goes_on_with_the_same_batch(
    office: Office, point: str
) -> None:
    process = start(office, point, "a.jsonl")
    assert process.wait(timeout=60) == -signal.SIGKILL
    # meanwhile another trigger comes due
    office.publish("2026-06-01", sql=rows(*TWO, ("t4", "c4", "2026-06-06", "due")))
    # what the killed one left unfinished comes first; what it finished is not written again
    files = {name: hand_out(office, name) for name in ("first.jsonl", "next.jsonl")}
    recorded = {
        batch.number: [row["trigger_id"] for row in batch.triggers()]
        for batch in outbox.batches(office.state)
    }
    assert [files, recorded] == {
        "nothing is written": [
            {"first.jsonl": ["t1", "t2", "t4"], "next.jsonl": []},
            {1: ["t1", "t2", "t4"]},
        ],
        "the lines are beside state, no record names them": [
            {"first.jsonl": ["t1", "t2", "t4"], "next.jsonl": []},
            {1: ["t1", "t2", "t4"]},
        ],
        "the batch is recorded, its file is not written": [
            {"first.jsonl": ["t1", "t2"], "next.jsonl": ["t4"]},
            {1: ["t1", "t2"], 2: ["t4"]},
        ],
        "the file is written, and not recorded": [
            {"first.jsonl": ["t1", "t2"], "next.jsonl": ["t4"]},
            {1: ["t1", "t2"], 2: ["t4"]},
        ],
        "all is done": [
            {"first.jsonl": ["t4"], "next.jsonl": []},
            {1: ["t1", "t2"], 2: ["t4"]},
        ],
    }[point]


@pytest.mark.slow
def test_of_two_exports_at_once_one_finds_nothing_left(office: Office) -> None:
    processes = [start(office, "-", name) for name in ("a.jsonl", "b.jsonl")]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    files = sorted(path.name for path in office.directory.glob("*.jsonl"))
    assert len(files) == 1
    assert [row["trigger_id"] for row in lines(office, files[0])] == ["t1", "t2"]


def test_a_batch_is_written_again_as_it_was(office: Office) -> None:
    hand_out(office)
    assert hand_out(office, "again.jsonl", again=1) == ["t1", "t2"]
    assert len(outbox.batches(office.state)) == 1
    with pytest.raises(ConfigError, match=r"there is no batch 2 of triggers; there are 1 to 1"):
        hand_out(office, "again.jsonl", again=2)


def test_a_file_that_holds_something_else_is_kept_and_nothing_is_recorded(office: Office) -> None:
    (office.directory / "a.jsonl").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"a.jsonl: exists and holds something else"):
        hand_out(office)
    with pytest.raises(ConfigError, match=r"a.csv: the file must end in .jsonl"):
        hand_out(office, "a.csv")
    assert outbox.batches(office.state) == []


def test_a_version_of_before_there_were_triggers_is_named(office: Office) -> None:
    office.publish("2026-06-01", sql="create schema recommendation;")
    with pytest.raises(ConfigError, match=r"v000002 has no table recommendation.email_triggers"):
        hand_out(office)


def test_lines_that_were_changed_stop_everything_that_reads_them(office: Office) -> None:
    hand_out(office)
    [batch] = outbox.batches(office.state)
    batch.path.write_text("{}", encoding="utf-8")
    with pytest.raises(AuditError, match=r"triggers-000001.jsonl: was changed after"):
        hand_out(office, "b.jsonl")
    with pytest.raises(AuditError, match="was changed after"), duckdb.connect() as connection:
        kept.write(connection, kept.kept_in(office.state))
    batch.path.unlink()
    with pytest.raises(AuditError, match=r"triggers-000001.jsonl: is missing"):
        hand_out(office, "b.jsonl")


def test_after_a_restore_nothing_leaves_before_somebody_confirmed_the_sends(office: Office) -> None:
    write_atomically(office.settings.home / restore.UNCONFIRMED_TRIGGERS, "b000001")
    with pytest.raises(ConfigError, match=r"backup b000001 was restored: .* would be sent again"):
        hand_out(office)
    assert hand_out(office, after_restore=True) == ["t1", "t2"]
    assert restore.unconfirmed(office.settings, restore.UNCONFIRMED_TRIGGERS) is None


@pytest.mark.parametrize(("read_back", "handed_out"), [("sent", []), ("exported", ["t1", "t2"])])
def test_a_batch_that_a_backup_holds_unfinished_may_have_left_since(
    office: Office, monkeypatch: pytest.MonkeyPatch, read_back: str, handed_out: list[str]
) -> None:
    def full(path: Path, _text: str) -> None:
        raise OSError(28, "No space left on device", path)

    with monkeypatch.context() as patched:
        patched.setattr(triggers, "write_atomically", full)
        with pytest.raises(ConfigError, match="batch 1 is recorded"):
            hand_out(office)
    write_atomically(office.settings.home / restore.UNCONFIRMED_TRIGGERS, "b000001")
    with pytest.raises(ConfigError, match=r"backup b000001 was restored: .* would be sent again"):
        hand_out(office)
    office.publish("2026-06-02", sql=rows(("t1", "c1", "2026-06-06", read_back)))
    assert hand_out(office, after_restore=True) == handed_out
    assert outbox.unfinished(office.state) == []
    assert hand_out(office, "b.jsonl") == []


def test_the_build_database_holds_what_left(office: Office) -> None:
    nothing = kept.kept_in(office.state)
    hand_out(office)
    known = kept.kept_in(office.state)
    assert known.texts()["trigger_outbox"] != nothing.texts()["trigger_outbox"] == ""
    with duckdb.connect() as connection:
        kept.write(connection, known)
        assert connection.execute(
            "select trigger_id, batch, kind, customer_id, product_id,"
            " exported_at = timestamptz '2026-06-01 09:00:00+00' from ledger.trigger_outbox"
            " order by trigger_id"
        ).fetchall() == [
            ("t1", 1, "price_drop", "c1", "p1", True),
            ("t2", 1, "price_drop", "c2", "p1", True),
        ]


def test_a_customer_is_erased_from_every_batch_and_nothing_leaves_again(office: Office) -> None:
    hand_out(office)
    office.publish("2026-06-02", sql=rows(*TWO, ("t4", "c1", "2026-06-06", "due")))
    assert hand_out(office, "b.jsonl") == ["t4"]
    told = kept.kept_in(office.state).texts()["trigger_outbox"]
    assert forgetting.forget(office.settings, "c1") == forgetting.Forgotten(2, 2)
    left = b"".join(path.read_bytes() for path in (office.state / outbox.FOLDER).iterdir())
    assert b"c2" in left
    for name in (b"c1", b"t1", b"t4", b"e1", b"e4"):
        assert b'"' + name + b'"' not in left
    # neither by the trigger's id, nor by what it is about, whoever it is for
    office.publish(
        "2026-06-02",
        sql=rows(*TWO, ("t4", "c1", "2026-06-06", "due"), ("other-1", "c9", "2026-06-06", "due")),
    )
    assert hand_out(office, "c.jsonl") == []
    assert hand_out(office, "again.jsonl", again=1) == ["t2"]
    assert kept.kept_in(office.state).texts()["trigger_outbox"] != told
    # another one from the same batch, and the first once more
    assert forgetting.forget(office.settings, "c2") == forgetting.Forgotten(1, 1)
    assert forgetting.forget(office.settings, "c1") == forgetting.Forgotten(0, 0)
    assert len(list((office.state / outbox.FOLDER).iterdir())) == 2
    with duckdb.connect() as connection:
        kept.write(connection, kept.kept_in(office.state))
        assert connection.execute(
            "select batch, kind, customer_id, product_id, count(distinct trigger_id)"
            " from ledger.trigger_outbox group by all order by all"
        ).fetchall() == [(1, "price_drop", None, None, 2), (2, "price_drop", None, None, 1)]


@pytest.mark.parametrize(
    ("module", "name", "erased"),
    [("segments", "append", True), ("forgetting", "_remove_unnamed", False)],
)
def test_an_erasure_that_is_killed_is_done_by_the_next_one(
    office: Office, monkeypatch: pytest.MonkeyPatch, module: str, name: str, erased: bool
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise Killed

    hand_out(office)
    with monkeypatch.context() as patched:
        patched.setattr({"segments": segments, "forgetting": forgetting}[module], name, killed)
        with pytest.raises(Killed):
            forgetting.forget(office.settings, "c1")
    assert len(list((office.state / outbox.FOLDER).iterdir())) == 2
    assert forgetting.forget(office.settings, "c1") == forgetting.Forgotten(erased, erased)
    [path] = (office.state / outbox.FOLDER).iterdir()
    assert '"c1"' not in path.read_text(encoding="utf-8")
    assert hand_out(office, "b.jsonl") == []


def test_what_was_erased_of_a_batch_that_was_never_finished_does_not_leave(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _text: str) -> None:
        raise OSError(28, "No space left on device", path)

    with monkeypatch.context() as patched:
        patched.setattr(triggers, "write_atomically", full)
        with pytest.raises(ConfigError, match="batch 1 is recorded"):
            hand_out(office)
    forgetting.forget(office.settings, "c1")
    assert hand_out(office) == ["t2"]
    assert hand_out(office, "b.jsonl") == []
