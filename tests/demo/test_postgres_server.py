"""The embedded PostgreSQL: created, adopted, recovered, removed."""

import os
import shutil
import signal
import socket
import stat
from pathlib import Path

import psycopg
import pytest

from extractors.errors import ConfigError
from localserver import processes
from localserver.postgres_server import PostgresServer


def pid_of(server: PostgresServer) -> int:
    return int((server.data / "postmaster.pid").read_text().splitlines()[0])


def kill(server: PostgresServer) -> None:
    pid = pid_of(server)
    os.kill(pid, signal.SIGKILL)
    assert processes.wait_until(lambda: processes.is_gone(pid), 10)


def test_it_asks_for_the_password_that_only_the_owner_can_read(postgres: PostgresServer) -> None:
    postgres.start()

    assert stat.S_IMODE((postgres.directory / "password").stat().st_mode) == 0o600
    with psycopg.connect(postgres.dsn()) as connection:
        row = connection.execute(
            "select current_setting('server_version_num')::int / 10000, current_user,"
            " current_setting('listen_addresses'), current_setting('TimeZone')"
        ).fetchone()
    assert row == (16, "shop", "127.0.0.1", "UTC")
    wrong = postgres.dsn().replace(postgres.password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_a_second_start_adopts_the_running_server(postgres: PostgresServer) -> None:
    pid = pid_of(postgres.start())

    other = PostgresServer(postgres.directory).start()

    assert (pid_of(other), other.dsn()) == (pid, postgres.dsn())


def test_after_kill_9_it_starts_on_the_same_port_with_what_was_committed(
    postgres: PostgresServer,
) -> None:
    port = postgres.start().port
    with psycopg.connect(postgres.dsn()) as connection:
        connection.execute("create table kept (id integer)")
    kill(postgres)
    assert not postgres.is_running()

    postgres.start()

    assert postgres.port == port
    with psycopg.connect(postgres.dsn()) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_a_pid_file_from_before_a_reboot_does_not_stop_the_start(postgres: PostgresServer) -> None:
    postgres.start()
    text = (postgres.data / "postmaster.pid").read_text()
    pid = text.splitlines()[0]
    postgres.stop()
    # The number now belongs to another program: this one.
    stale = postgres.data / "postmaster.pid"
    stale.write_text(text.replace(pid, str(os.getpid()), 1))

    assert not postgres.is_running()
    assert postgres.start().is_running()


def test_a_killed_initdb_is_started_over(postgres: PostgresServer) -> None:
    half = postgres.directory / "data.making"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("16\n")

    assert postgres.start().is_running()
    assert not list(postgres.cluster.glob("data.making"))


def test_a_taken_port_is_named_with_what_to_do(postgres: PostgresServer) -> None:
    port = postgres.start().port
    postgres.stop()
    assert processes.wait_until(lambda: processes.is_free(port), 3)
    taken = pytest.raises(ConfigError, match=f"port {port} .* is taken; end the program")
    with socket.create_server(("127.0.0.1", port)), taken:
        postgres.start()


def test_settings_reach_the_server(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "replica", settings={"wal_level": "logical"})
    try:
        with psycopg.connect(server.start().dsn()) as connection:
            assert connection.execute("show wal_level").fetchone() == ("logical",)
    finally:
        server.delete()


def test_delete_leaves_nothing_wherever_the_data_were(postgres: PostgresServer) -> None:
    cluster = postgres.start().cluster

    postgres.delete()

    assert not cluster.exists()
    assert not postgres.directory.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_root_runs_it_as_nobody_where_nobody_can_reach_the_files(postgres: PostgresServer) -> None:
    closed = postgres.directory
    closed.mkdir()
    closed.chmod(0o700)

    postgres.start()

    assert postgres.cluster != closed
    user = processes.server_user()
    assert user
    assert postgres.data.stat().st_uid == user.uid
    assert Path(f"/proc/{pid_of(postgres)}").stat().st_uid == user.uid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_data_elsewhere_are_made_anew_when_their_folder_was_removed(
    postgres: PostgresServer,
) -> None:
    postgres.directory.mkdir(mode=0o700)
    abandoned = pid_of(postgres.start())
    data = postgres.data
    shutil.rmtree(postgres.directory)
    postgres.directory.mkdir(mode=0o700)

    with psycopg.connect(postgres.start().dsn()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)

    assert postgres.data == data
    assert pid_of(postgres) != abandoned


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_binaries_that_nobody_cannot_reach_are_copied(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reachable = processes.can_enter

    def only_the_cluster(user: processes.OtherUser | None, path: Path) -> bool:
        return "site-packages" not in path.parts and reachable(user, path)

    monkeypatch.setattr(processes, "can_enter", only_the_cluster)

    assert postgres.start().is_running()
    executable = Path(f"/proc/{pid_of(postgres)}/exe").readlink()
    assert executable.is_relative_to(postgres.cluster / "binaries")
