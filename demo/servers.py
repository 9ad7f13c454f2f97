"""The shop's two PostgreSQL servers: who is the primary, and a standby that follows or does not.

What should be is written down first (`roles.json`) and then made true, step by step, by whatever
command comes next: a kill between two steps leaves nothing that the next one does not repair.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from demo.standby import PATIENCE, PRIMARY_SETTINGS, STANDBY_SETTINGS, ReplicatedServer
from extractors.errors import SourceError
from localserver import processes

Progress = Callable[[str], None]

# A healthy standby is connected in a fraction of a second.
CONNECTS_WITHIN = 10.0
NOT_RUNNING = "is not running; run `warehouse demo up` first"
NO_STANDBY = "there is no standby since the failover; `warehouse demo join` makes one"


def _silent(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Roles:
    """What should be: `primary` is the number of a server; the other one is the standby.

    `is_promoting` until that server has become one. `is_cut`: the standby receives nothing.
    `lag_s`: it replays each commit only so many seconds later.
    """

    primary: int = 1
    is_promoting: bool = False
    is_cut: bool = False
    lag_s: int = 0


class Servers:
    """Primary and standby below `folder`; every method but `status` wants the shop's lock held."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._members = {number: ReplicatedServer(folder / str(number)) for number in (1, 2)}

    @property
    def roles(self) -> Roles:
        """What should be."""
        path = self.folder / "roles.json"
        return Roles(**json.loads(path.read_text())) if path.exists() else Roles()

    @property
    def primary(self) -> ReplicatedServer:
        """The server that the shop writes to."""
        return self._members[self.roles.primary]

    @property
    def standby(self) -> ReplicatedServer:
        """The server that follows the primary; it may not exist yet."""
        return self._members[3 - self.roles.primary]

    @property
    def reader(self) -> ReplicatedServer:
        """The server to read from: the standby, and the primary where there is none."""
        return self.standby if self._has_standby() else self.primary

    def start(self, progress: Progress = _silent) -> None:
        """Have the primary running, and the standby where there is one; `settle` makes it."""
        primary = self.primary
        if self.roles.is_promoting:
            self._finish_promotion(progress)
        elif not primary.is_running():
            progress("starting PostgreSQL")
        primary.follows, primary.settings = None, PRIMARY_SETTINGS
        primary.start()
        standby = self.standby
        if self._has_standby() and not standby.is_running():
            self._direct(standby)
            try:
                standby.start()
            except SourceError as error:
                self._remake(progress, str(error))

    def settle(self, progress: Progress = _silent) -> None:
        """Return when the standby shows all that the primary has committed.

        Makes the standby where there is none, and anew where it cannot follow. One that is cut or
        delayed is not waited for.
        """
        roles = self.roles
        if not self._has_standby():
            progress("making the standby" if not roles.is_cut else "making the cut standby anew")
            roles = self._write(replace(roles, is_cut=False))
            self._make()
        standby = self.standby
        self._direct(standby)
        standby.configure()
        if roles.is_cut:
            progress("the standby is cut: it does not show what is new until `demo join`")
            return
        wrong = self._misfit()
        if wrong:
            self._remake(progress, wrong)
        if roles.lag_s:
            progress(f"the standby shows what is new in {roles.lag_s} s (`demo lag 0` ends that)")
            return
        self._await_replay()

    def stop(self) -> None:
        """Stop both; the primary first, so that it hands over all it has."""
        self.primary.stop()
        self.standby.stop()

    def delete(self) -> None:
        """Stop both and remove all that they wrote."""
        for member in self._members.values():
            member.delete()
        for name in ("roles.json", "replication-password"):
            (self.folder / name).unlink(missing_ok=True)

    def lag(self, seconds: int, progress: Progress = _silent) -> None:
        """Have the standby show each commit only `seconds` after it; 0 ends that and catches up."""
        self._require_running("primary", "standby")
        self._write(replace(self.roles, lag_s=seconds))
        self.settle(progress)

    def cut(self) -> None:
        """Have the standby receive nothing more, until `join`."""
        self._require_running("primary", "standby")
        self._write(replace(self.roles, is_cut=True))
        standby = self.standby
        self._direct(standby)
        standby.configure()
        if not processes.wait_until(lambda: not standby.position().is_receiving, PATIENCE):
            raise SourceError(f"the standby goes on receiving (log: {standby.log})")

    def uncut(self) -> None:
        """Have the standby receive again from the next `start` and `settle` on."""
        self._write(replace(self.roles, is_cut=False))

    def join(self, progress: Progress = _silent) -> None:
        """Connect the standby again; where it cannot follow any more, copy the primary anew."""
        self.uncut()
        self.start(progress)
        self.settle(progress)

    def promote(self, progress: Progress = _silent) -> None:
        """Fail over: the primary dies at once, the standby takes its place.

        What the standby had not received is lost. The next `join` or `up` makes the old primary a
        fresh standby.
        """
        if self.roles.is_promoting:
            self._finish_promotion(progress)
            return
        self._require_running("standby")
        self._write(Roles(primary=3 - self.roles.primary, is_promoting=True))
        self._finish_promotion(progress)

    def status(self, database: str) -> dict[str, Any]:
        """Return address, state and lag of both servers; no password.

        `standby` is None where there is none. Its `state` is follows, delayed, cut or stopped,
        `behind_bytes` what it has still to replay of the primary's log, `replay_lag_s` the seconds
        since the last commit that it shows (0 when nothing is missing; None: cannot be told).
        """
        roles = self.roles
        primary = self._shown(self.primary, database)
        standby = self._shown(self.standby, database)
        found: dict[str, Any] = {"primary": primary, "standby": None}
        if self._has_standby():
            found["standby"] = standby | self._distance() | {"state": _state(roles, standby)}
            found["standby"]["delayed_s"] = roles.lag_s
        return found

    def _shown(self, server: ReplicatedServer, database: str) -> dict[str, Any]:
        port = processes.kept_port(server.directory / "port")
        return {
            "running": server.is_running(),
            "address": f"postgresql://{server.user}@127.0.0.1:{port}/{database}" if port else None,
            "data": str(server.data),
        }

    def _distance(self) -> dict[str, Any]:
        """Return how far the standby is behind, None for what cannot be told now."""
        unknown: dict[str, Any] = {"behind_bytes": None, "replay_lag_s": None}
        if not self.standby.is_running():
            return unknown
        shown = self.standby.position()
        if not self.primary.is_running():
            return unknown | {"replay_lag_s": shown.seconds_since_commit}
        behind = max(self.primary.position().lsn - shown.lsn, 0)
        return {
            "behind_bytes": behind,
            "replay_lag_s": round(shown.seconds_since_commit or 0.0, 3) if behind else 0.0,
        }

    def _write(self, roles: Roles) -> Roles:
        processes.write_private(self.folder / "roles.json", json.dumps(asdict(roles)))
        return roles

    def _has_standby(self) -> bool:
        return (self.standby.data / "standby.signal").exists()

    def _require_running(self, *names: str) -> None:
        for name in names:
            server = self.primary if name == "primary" else self.standby
            if name == "standby" and not self._has_standby():
                raise SourceError(NO_STANDBY)
            if not server.is_running():
                raise SourceError(f"the {name} in {server.directory} {NOT_RUNNING}")

    def _direct(self, standby: ReplicatedServer) -> None:
        """Give the standby the settings of what should be; they count from the next reload."""
        roles, primary = self.roles, self.primary
        connection = "" if roles.is_cut else standby.connection_to(primary)
        standby.follows = primary
        standby.settings = (
            PRIMARY_SETTINGS
            | STANDBY_SETTINGS
            | {"primary_conninfo": connection, "recovery_min_apply_delay": f"{roles.lag_s}s"}
        )

    def _make(self) -> None:
        note = self.folder / "replication-password"
        if not note.exists():
            processes.write_private(note, f"{secrets.token_urlsafe(24)}\n")
        standby = self.standby
        # Where the data of an old primary are, and itself may still run.
        standby.make_room()
        self._direct(standby)
        standby.start()

    def _remake(self, progress: Progress, reason: str) -> None:
        progress(f"making the standby anew: {reason}")
        self._write(replace(self.roles, is_cut=False))
        self._make()

    def _misfit(self) -> str | None:
        """Return why the standby cannot follow the primary, if so."""
        primary, standby = self.primary, self.standby
        if not standby.is_running():
            return "it does not run"
        if primary.position().system_identifier != standby.position().system_identifier:
            return "it was made from another primary"

        def lost() -> bool:
            slot = primary.ask(
                "select wal_status = 'lost' from pg_replication_slots where slot_name = 'standby'"
            )
            return slot is None or bool(slot[0])

        def decided() -> bool:
            return standby.position().is_receiving or lost()

        processes.wait_until(decided, CONNECTS_WITHIN)
        if standby.position().is_receiving:
            return None
        return "the primary does not have the log any more that it needs"

    def _await_replay(self) -> None:
        target, standby = self.primary.position().lsn, self.standby
        if not processes.wait_until(lambda: standby.replayed(target), PATIENCE):
            raise SourceError(
                f"the standby has not caught up with the primary in {PATIENCE:.0f} s"
                f" (log: {standby.log})"
            )

    def _finish_promotion(self, progress: Progress) -> None:
        """Take the steps of a failover that are still to be taken."""
        chosen, old = self.primary, self.standby
        old.kill()
        chosen.follows = None
        if not chosen.is_running():
            # Without an address: of the dead primary it gets nothing any more.
            chosen.settings = PRIMARY_SETTINGS
            chosen.start()
        progress("promoting the standby")
        chosen.promote()
        chosen.settings = PRIMARY_SETTINGS
        chosen.configure()
        self._write(replace(self.roles, is_promoting=False))


def _state(roles: Roles, standby: dict[str, Any]) -> str:
    if not standby["running"]:
        return "stopped"
    if roles.is_cut:
        return "cut"
    return "delayed" if roles.lag_s else "follows"
