"""The shop's standby: it follows, lags, is cut, joins again, takes over; kills change nothing."""

import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from demo import servers
from demo.servers import Roles, Servers
from demo.standby import ReplicatedServer
from extractors.errors import SourceError
from localserver import processes
from tests.demo.whole_shop import StoppedError


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the folder of two servers; which of them is the primary changes from test to test."""
    # The path goes into connection strings.
    folder = tmp_path_factory.mktemp("it's a folder")
    yield folder
    Servers(folder).delete()


@pytest.fixture
def pair(place: Path) -> Servers:
    """Return a running primary with a table `kept` of one row, and its standby."""
    found = Servers(place)
    found.join()
    found.lag(0)
    found.primary.ask("drop table if exists kept")
    found.primary.ask("create table kept as select 1 as id")
    found.settle()
    return found


def again(pair: Servers) -> tuple[Servers, list[str]]:
    """Come up as the next command does; return what it said."""
    said: list[str] = []
    found = Servers(pair.folder)
    found.start(said.append)
    found.settle(said.append)
    return found, said


def ids(server: ReplicatedServer) -> list[int]:
    with psycopg.connect(server.dsn()) as connection:
        return [row[0] for row in connection.execute("select id from kept order by id").fetchall()]


def kill(server: ReplicatedServer) -> None:
    pid = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    assert processes.wait_until(lambda: processes.is_gone(pid), 10)


def test_the_standby_shows_what_is_committed_and_takes_no_writes(pair: Servers) -> None:
    pair.primary.ask("insert into kept values (2)")
    pair.settle()

    assert ids(pair.reader) == [1, 2]
    assert (pair.reader.directory, pair.reader.password) == (
        *(pair.standby.directory, pair.primary.password),
    )
    with pytest.raises(SourceError, match=r"in a read-only transaction \(log: .*postgres.log\)"):
        pair.standby.ask("insert into kept values (3)")
    passwords = (pair.folder / "replication-password", pair.standby.directory / "password")
    assert {stat.S_IMODE(path.stat().st_mode) for path in passwords} == {0o600}
    password = passwords[0].read_text().strip()
    assert password not in (pair.standby.data / "warehouse.conf").read_text()
    shown = pair.primary.ask(
        "select usename, slot_name, wal_status from pg_stat_replication, pg_replication_slots"
    )
    assert shown == ("replication", "standby", "reserved")


def test_a_second_start_changes_nothing_and_says_nothing(pair: Servers) -> None:
    made = pair.standby.data.stat().st_ino
    found, said = again(pair)

    assert (said, found.standby.data.stat().st_ino) == ([], made)
    assert found.status("shop")["standby"] == {
        "running": True,
        "address": f"postgresql://shop@127.0.0.1:{found.standby.port}/shop",
        "data": str(found.standby.data),
        "state": "follows",
        "delayed_s": 0,
        "behind_bytes": 0,
        "replay_lag_s": 0.0,
    }


def test_after_kill_9_the_standby_catches_up_at_its_address(pair: Servers) -> None:
    port, made = pair.standby.port, pair.standby.data.stat().st_ino
    kill(pair.standby)
    pair.primary.ask("insert into kept values (2)")
    assert pair.status("shop")["standby"]["state"] == "stopped"

    found, said = again(pair)

    assert (ids(found.standby), found.standby.port, said) == ([1, 2], port, [])
    assert found.standby.data.stat().st_ino == made


def damage(pair: Servers) -> None:
    (pair.standby.data / "global" / "pg_control").write_bytes(b"gone")


def lose_log(pair: Servers) -> None:
    pair.primary.settings = {"max_slot_wal_keep_size": "1MB"}
    pair.primary.configure()
    for _ in range(4):
        pair.primary.ask("select pg_switch_wal()")
        pair.primary.ask("insert into kept select 2 where false")
        pair.primary.ask("checkpoint")
    pair.standby.start()


def lose_primary(pair: Servers) -> None:
    pair.standby.start()
    pair.primary.delete()
    pair.primary.start()
    pair.primary.ask("create table kept as select 1 as id")


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (damage, "PostgreSQL did not start: "),
        (lose_log, "the primary does not have the log any more that it needs"),
        (lose_primary, "it was made from another primary"),
    ],
)
def test_a_standby_that_cannot_follow_is_copied_anew(
    pair: Servers, happens: Callable[[Servers], None], reason: str
) -> None:
    kill(pair.standby)
    happens(pair)
    pair.primary.ask("insert into kept values (2)")

    found, said = again(pair)

    assert [line.startswith(f"making the standby anew: {reason}") for line in said] == [True]
    assert ids(found.standby) == [1, 2]


def test_a_cut_standby_stays_cut_when_the_shop_was_down_until_it_joins(pair: Servers) -> None:
    pair.cut()
    pair.primary.ask("insert into kept values (2)")
    assert ids(pair.standby) == [1]
    pair.stop()
    assert [pair.primary.is_running(), pair.standby.is_running()] == [False, False]

    found, said = again(pair)
    assert said[-1] == "the standby is cut: it does not show what is new until `demo join`"
    shown = found.status("shop")["standby"]
    assert (shown["state"], shown["behind_bytes"] > 0, ids(found.reader)) == ("cut", True, [1])

    found.join()
    assert ids(found.reader) == [1, 2]
    assert found.status("shop")["standby"]["state"] == "follows"


def test_a_lagging_standby_shows_the_past_until_the_lag_ends(pair: Servers) -> None:
    said: list[str] = []
    pair.lag(3600, said.append)
    pair.primary.ask("insert into kept values (2)")
    found, later = again(pair)
    assert said == later == ["the standby shows what is new in 3600 s (`demo lag 0` ends that)"]
    shown = found.status("shop")["standby"]
    assert (shown["state"], shown["delayed_s"], ids(found.reader)) == ("delayed", 3600, [1])

    found.lag(0)
    assert ids(found.reader) == [1, 2]


def test_a_failover_keeps_what_the_standby_had_and_the_old_primary_follows(pair: Servers) -> None:
    first, second, number = pair.primary, pair.standby, pair.roles.primary
    ports = (first.port, second.port)
    pair.cut()
    first.ask("insert into kept values (2)")  # never received

    pair.promote()
    assert not first.is_running()
    assert (pair.primary.directory, pair.reader.directory) == (second.directory,) * 2
    pair.primary.ask("insert into kept values (3)")
    assert (ids(pair.reader), pair.status("shop")["standby"]) == ([1, 3], None)

    found, said = again(pair)
    assert said == ["making the standby"]
    assert (found.primary.port, found.standby.port) == (ports[1], ports[0])
    assert (ids(found.standby), ids(found.primary)) == ([1, 3], [1, 3])

    found.promote()
    found.primary.ask("insert into kept values (4)")
    found, _ = again(found)
    assert (found.primary.directory, found.roles) == (first.directory, Roles(primary=number))
    assert (ids(found.standby), ids(found.primary)) == ([1, 3, 4], [1, 3, 4])


def test_what_a_lagging_standby_had_received_survives_a_failover(pair: Servers) -> None:
    pair.lag(3600)
    pair.primary.ask("insert into kept values (2)")
    target = pair.primary.position().lsn
    received = "select pg_last_wal_receive_lsn() - '0/0'::pg_lsn >= %s"
    assert processes.wait_until(lambda: pair.standby.ask(received, [target]) == (True,), 10)
    pair.promote()
    assert (ids(pair.primary), pair.roles.lag_s) == ([1, 2], 0)


def stopping(method: Callable[..., None], before: bool) -> Callable[..., None]:
    """Return the method, ending the command before or after it as a kill could."""

    def stopped(server: ReplicatedServer) -> None:
        if not before:
            method(server)
        raise StoppedError

    return stopped


@pytest.mark.parametrize(
    ("step", "before", "is_down"),
    [
        ("kill", True, False),
        ("kill", False, True),
        ("promote", True, False),
        ("promote", False, False),
        ("promote", False, True),
    ],
)
def test_a_failover_that_was_killed_is_finished_by_the_next_command(
    pair: Servers, monkeypatch: pytest.MonkeyPatch, step: str, before: bool, is_down: bool
) -> None:
    chosen = pair.standby.directory
    with monkeypatch.context() as patched:
        patched.setattr(ReplicatedServer, step, stopping(getattr(ReplicatedServer, step), before))
        with pytest.raises(StoppedError):
            pair.promote()
    if is_down:  # the machine went down as well
        for server in (pair.primary, pair.standby):
            server.kill()

    found, _ = again(pair)

    assert (found.primary.directory, found.roles.is_promoting) == (chosen, False)
    found.primary.ask("insert into kept values (2)")
    found.settle()
    assert (ids(found.primary), ids(found.standby)) == ([1, 2], [1, 2])
    assert found.primary.position().in_recovery is False
    assert found.standby.position().in_recovery is True


def test_a_standby_that_never_catches_up_is_an_error_after_a_while(
    pair: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "PATIENCE", 0.3)
    pair.standby.ask("select pg_wal_replay_pause()")
    pair.primary.ask("insert into kept values (2)")
    with pytest.raises(SourceError, match=r"has not caught up .* in 0 s \(log: .*postgres.log"):
        pair.settle()
    pair.standby.ask("select pg_wal_replay_resume()")
