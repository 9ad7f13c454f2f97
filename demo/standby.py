"""A PostgreSQL server that can be a streaming standby: copied from a primary, cut off, promoted."""

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import make_conninfo

from extractors.errors import SourceError
from extractors.naming import literal, quoted
from localserver import processes
from localserver.postgres_server import PostgresServer

REPLICATION_ROLE = "replication"
SLOT = "standby"
PATIENCE = 60.0  # seconds, for everything that a healthy server does in one

# A slot keeps the log that a cut standby has not fetched, up to this size; beyond it `join` copies.
PRIMARY_SETTINGS = {"max_slot_wal_keep_size": "1GB"}
STANDBY_SETTINGS = {
    "hot_standby_feedback": "on",
    "primary_slot_name": SLOT,
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "200ms",
}


@dataclass(frozen=True, slots=True)
class Position:
    """Where a server is: `lsn` is written (primary) or replayed (standby) up to, as a number."""

    system_identifier: str
    in_recovery: bool
    lsn: int
    is_receiving: bool
    seconds_since_commit: float | None


_POSITION = """
select (select system_identifier::text from pg_control_system()), pg_is_in_recovery(),
       (case when pg_is_in_recovery() then pg_last_wal_replay_lsn()
             else pg_current_wal_flush_lsn() end - '0/0'::pg_lsn)::bigint,
       exists (select from pg_stat_wal_receiver where status = 'streaming'),
       extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8
"""


class ReplicatedServer(PostgresServer):
    """One of the shop's two servers; `follows` is the primary that it copies when it is none."""

    follows: PostgresServer | None = None

    def position(self) -> Position:
        """Return where the running server is."""
        row = self.ask(_POSITION)
        if row is None:
            raise SourceError(f"PostgreSQL in {self.directory} says nothing (log: {self.log})")
        return Position(row[0], row[1], int(row[2] or 0), row[3], row[4])

    def replayed(self, lsn: int) -> bool:
        """Return whether the running standby shows everything that was written before `lsn`."""
        return self.position().lsn >= lsn

    def ask(self, query: LiteralString, values: list[Any] | None = None) -> tuple[Any, ...] | None:
        """Return the first row of a query; SourceError names the log."""
        try:
            with psycopg.connect(self.dsn(), autocommit=True, connect_timeout=10) as connection:
                found = connection.execute(query, values)
                return found.fetchone() if found.description else None
        except psycopg.Error as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SourceError(
                f"the PostgreSQL in {self.directory}: {reason} (log: {self.log})"
            ) from error

    def configure(self) -> None:
        """Give the server the settings of now; those that need a restart wait for it."""
        target, port = self.data / "warehouse.conf", self.port
        before = target.read_text() if target.exists() else ""
        self._configure(port)
        if target.read_text() != before and self.is_running():
            self.ask("select pg_reload_conf()")

    def kill(self) -> None:
        """End the server as a crash does: nothing is written to disk, nobody is told."""
        with processes.locked(self.directory / "lock"):
            self._end(signal.SIGQUIT)

    def promote(self) -> None:
        """Make the running standby a primary with a timeline of its own; waits until it is."""
        if self.position().in_recovery:
            self.ask("select pg_promote(wait => true, wait_seconds => 60)")
        if not processes.wait_until(lambda: not self.position().in_recovery, PATIENCE):
            raise SourceError(f"the standby does not become a primary (log: {self.log})")

    def make_room(self) -> None:
        """End what runs here and remove its data, so that the next start copies the primary."""
        with processes.locked(self.directory / "lock"):
            self._place()
            self._end(signal.SIGQUIT)
            shutil.rmtree(self.data, ignore_errors=True)

    def admit_standby(self, password: str) -> None:
        """On the primary: have the role and the slot that a standby needs."""
        role = quoted(REPLICATION_ROLE)
        try:
            with psycopg.connect(self.dsn(), autocommit=True) as connection:
                found = connection.execute(
                    "select from pg_roles where rolname = %s", [REPLICATION_ROLE]
                )
                verb = "create" if found.fetchone() is None else "alter"
                connection.execute(
                    f"{verb} role {role} with replication login password"
                    f" {literal(password)}".encode()
                )
                connection.execute(
                    "select pg_drop_replication_slot(slot_name) from pg_replication_slots"
                    " where slot_name = %s and not active",
                    [SLOT],
                )
                connection.execute("select pg_create_physical_replication_slot(%s, true)", [SLOT])
        except psycopg.Error as error:
            reason = str(error).splitlines()[0]
            raise SourceError(f"the primary: {reason} (log: {self.log})") from error

    def connection_to(self, primary: PostgresServer) -> str:
        """Return how the standby logs in at its primary; the password is in a file beside it."""
        return make_conninfo(
            host="127.0.0.1",
            port=primary.port,
            user=REPLICATION_ROLE,
            passfile=str(self._pass_file),
            connect_timeout=10,
        )

    def take_password(self, password: str) -> None:
        """Write the replication role's password where only the server's user reads it."""
        processes.write_private(self._pass_file, f"*:*:*:{REPLICATION_ROLE}:{password}\n")
        self._give(self._pass_file)

    @property
    def _pass_file(self) -> Path:
        return self.log.parent / "replication.pass"

    def _create(self) -> None:
        """Copy the primary, aside and renamed at the end; without one be a cluster of its own."""
        if self.follows is None:
            super()._create()
            return
        if (self.data / "standby.signal").exists() and (self.data / "PG_VERSION").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        for rest in self.cluster.glob("data.*"):
            shutil.rmtree(rest, ignore_errors=True)
        # Its roles are the primary's.
        processes.write_private(self.directory / "password", f"{self.follows.password}\n")
        self._copy(self.follows)

    def _copy(self, primary: PostgresServer) -> None:
        assert isinstance(primary, ReplicatedServer)
        note = primary.directory.parent / "replication-password"
        password = note.read_text().strip()
        primary.admit_standby(password)
        self.take_password(password)
        making = self.cluster / "data.making"
        self._own(making)
        command = [self._binary("pg_basebackup"), "-D", str(making), "--checkpoint=fast"]
        command += ["--no-sync", "--no-password", "--wal-method=stream", f"--slot={SLOT}"]
        command += [f"--dbname={self.connection_to(primary)}"]
        code, output = processes.run_as(self._runs_as, command)
        if code != 0:
            reason = output.splitlines()[-1] if output else "no output"
            raise SourceError(f"pg_basebackup failed: {reason} (the primary's log: {primary.log})")
        (making / "standby.signal").touch(mode=0o600)
        self._give(making / "standby.signal")
        making.rename(self.data)
