"""Start, adopt and stop the DynamoDB emulator, whose items are kept as files."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from pyarrow import parquet

from demo import dynamodb_files, dynamodb_live
from demo.dynamodb_files import ItemFile, difference
from demo.items import RENDERED, Item, in_order, rendered_items
from demo.tables import DYNAMODB_TABLES, REGION
from extractors.errors import SourceError
from localserver import processes

# Any non-empty pair does: the emulator listens on 127.0.0.1 only and checks no signature.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "demo", "AWS_SECRET_ACCESS_KEY": "demo"}

# Up to so many puts and deletes go through the API; a start is quicker than more of them.
LIVE = 3000


class DynamoDbServer:
    """A moto process on 127.0.0.1 that serves the items of the files in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()

    @property
    def port(self) -> int:
        """The port the emulator listens on; fixed at the first start."""
        port = processes.kept_port(self.directory / "port")
        if port is None:
            raise SourceError(f"{self.directory}: no DynamoDB emulator here yet; start it first")
        return port

    @property
    def endpoint(self) -> str:
        """The URL to give to boto3 as `endpoint_url`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def version(self) -> str:
        """Which items the files hold, as named by `write`; empty before the first."""
        return _text(self.directory / "version")

    @property
    def served(self) -> str:
        """Which items the running process holds."""
        return _text(self.directory / "served") if self.is_running() else ""

    def client(self) -> Any:
        """Return a boto3 client for the emulator."""
        import boto3

        return boto3.client(
            "dynamodb",
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def counts(self) -> dict[str, int]:
        """Return the number of items of each table in the running process."""
        client = self.client()
        return {
            table: int(client.describe_table(TableName=table)["Table"]["ItemCount"])
            for table in DYNAMODB_TABLES
        }

    def is_running(self) -> bool:
        """Return whether this directory's process serves its tables."""
        return self._pid() is not None

    def update(self, version: str, tables: Mapping[str, pa.Table]) -> dict[str, tuple[int, int]]:
        """Hold other items, in the files and in the process where one runs.

        `version` names what the tables hold, which are as `demo.items.rendered` returns them; what
        `write_more` keeps is added to them. Returns how many items of each table were put and
        deleted. The version is written last: killed before that, the files count as lost; killed
        after it, `served` tells that the process lags, and it is to be started anew.
        """
        known = self.directory / "version"
        with ExitStack() as opened:
            # Opened now, they stay what they were once their files are replaced.
            held = self._open_all(opened) if known.exists() else {}
            is_live = bool(held) and self.served == self.version
            self.directory.mkdir(parents=True, exist_ok=True)
            known.unlink(missing_ok=True)
            for table in DYNAMODB_TABLES:
                dynamodb_files.write(self.directory, table, self.with_more(table, tables[table]))
            processes.write_private(known, version)
            files = self._open_all(opened)
            if not held:
                return self._restarted({table: (len(file), 0) for table, file in files.items()})
            changed = {table: difference(held[table], file) for table, file in files.items()}
            counts = {table: (len(put), len(gone)) for table, (put, gone) in changed.items()}
            if not is_live or sum(map(sum, counts.values())) > LIVE:
                return self._restarted(counts)
            for table, (put, gone) in changed.items():
                dynamodb_live.apply(self.port, table, files[table], put, gone)
            processes.write_private(self.directory / "served", version)
            return counts

    def _open_all(self, opened: ExitStack) -> dict[str, ItemFile]:
        """Open the files of every table until `opened` ends."""
        return {
            table: opened.enter_context(closing(ItemFile(self.directory, table, keys)))
            for table, keys in DYNAMODB_TABLES.items()
        }

    def _restarted(self, counts: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        """Start the process anew where it runs; return `counts`."""
        if self.is_running():
            self.stop()
            self.start()
        return counts

    def write_more(self, table: str, name: str, items: Iterable[Item]) -> None:
        """Keep further items of a table, which the next `update` and all later ones add."""
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self._more(table, name)
        aside = path.with_name(f".{path.name}")
        parquet.write_table(rendered_items(items, DYNAMODB_TABLES[table]), aside)
        aside.replace(path)

    def has_more(self, table: str, name: str) -> bool:
        """Return whether `write_more` wrote these items."""
        return self._more(table, name).exists()

    def _more(self, table: str, name: str) -> Path:
        return self.directory / f"{table}.more-{name}.parquet"

    def items(self, table: str) -> pa.Table:
        """Return what the files hold of a table, as `demo.items.rendered` returns it."""
        return dynamodb_files.read(self.directory, table, DYNAMODB_TABLES[table])

    def with_more(self, table: str, items: pa.Table) -> pa.Table:
        """Return rendered items together with those that `write_more` keeps."""
        paths = sorted(self.directory.glob(f"{table}.more-*.parquet"))
        more = [parquet.read_table(path, schema=RENDERED) for path in paths]
        return in_order([items, *more], DYNAMODB_TABLES[table]) if more else items

    def start(self) -> Self:
        """Start the process, or adopt it when it runs already."""
        with processes.locked(self.directory / "lock"):
            if not self.is_running():
                self._launch()
        return self

    def stop(self) -> None:
        """Stop the process; writes that came through its API are forgotten, files are not."""
        with processes.locked(self.directory / "lock"):
            pid = self._pid()
            if pid is not None:
                processes.end(pid, self.directory, signal.SIGTERM)
            (self.directory / "pid").unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _pid(self) -> int | None:
        text = _text(self.directory / "pid").strip()
        if text.isdigit() and processes.runs_in(int(text), self.directory):
            return int(text)
        return None

    def _launch(self) -> None:
        kept = processes.kept_port(self.directory / "port")
        if kept:
            processes.refuse_taken(kept, "the DynamoDB emulator", self.directory / "port")
        (self.directory / "pid").unlink(missing_ok=True)
        tried: frozenset[int] = frozenset()
        while True:
            port = kept or processes.free_port(str(self.directory), tried)
            reason = self._launched(port)
            if reason is None:
                processes.write_private(self.directory / "port", f"{port}\n")
                return
            if kept or processes.is_free(port) or len(tried) > 20:
                log = self.directory / "log"
                raise SourceError(f"the DynamoDB emulator did not start: {reason} (log: {log})")
            tried |= {port}  # another program took it between the look and the start

    def _launched(self, port: int) -> str | None:
        """Start the process and return None once it serves, or the reason why it does not."""
        # The process finds what we find, also where the project itself is not installed.
        paths = [str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")]
        found = {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}
        log = self.directory / "log"
        with log.open("w") as output:
            started = subprocess.run(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "demo.dynamodb_process",
                    str(self.directory),
                    str(port),
                ],
                env=os.environ | found | CREDENTIALS,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        if started.returncode == 0:
            return None
        lines = [line for line in _text(log).splitlines() if line.strip()]
        return lines[-1] if lines else "no reason given"


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
