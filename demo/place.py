"""What the demo keeps on disk below `<directory>/var/demo`, and how it survives a kill."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from demo import database
from demo.dynamodb_server import DynamoDbServer
from demo.servers import Servers
from demo.standby import ReplicatedServer
from demo.state import FORMAT, Arguments, State
from extractors.errors import ConfigError
from localserver import processes

START_OVER = "run `warehouse demo down --delete` first"


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file that a user named."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name an existing file") from error


class Place:
    """The folder of one demo shop.

    `parts/` holds the document lines that were applied, `NNNN-<sha256>.parquet` in order; a part
    that is being applied is called `next-<sha256>.parquet` until PostgreSQL committed it.
    """

    def __init__(self, directory: Path) -> None:
        if not directory.is_dir():
            raise ConfigError(f"{directory}: no such directory; create it or name another one")
        self.directory = directory.resolve()
        self.home = self.directory / "var"
        self.folder = self.home / "demo"
        self.parts = self.folder / "parts"
        self.clock = self.folder / "clock"
        self.truth = self.folder / "truth.duckdb"
        self.servers = Servers(self.folder / "postgres")
        self.dynamodb = DynamoDbServer(self.folder / "dynamodb")

    @property
    def postgres(self) -> ReplicatedServer:
        """The server that the shop writes to."""
        return self.servers.primary

    @property
    def addresses(self) -> dict[str, str]:
        """The servers' addresses by their variable in `.env`; the warehouse reads the standby."""
        return {
            "SHOP_DSN": self.servers.reader.dsn(database.NAME),
            "SHOP_PRIMARY_DSN": self.servers.primary.dsn(database.NAME),
            "DYNAMODB_ENDPOINT": self.dynamodb.endpoint,
        }

    @property
    def lock(self) -> Path:
        """The lock that the commands which change this shop take in turn."""
        return self.folder / "lock"

    def arguments(self) -> Arguments | None:
        """Return what the shop here was made from, None where there is none."""
        path = self.folder / "shop.json"
        if not path.exists():
            return None
        noted = json.loads(path.read_text())
        if noted.pop("format", None) != FORMAT:
            message = f"the demo shop in {self.directory} was made by another release"
            raise ConfigError(f"{message}; {START_OVER}")
        return Arguments(**noted)

    def made_from(self) -> Arguments:
        """Return what the shop here was made from; ConfigError where there is none."""
        arguments = self.arguments()
        # An `up` with orders that was killed before it kept them can only be called again.
        if arguments is None or (arguments.orders and not self.part_names()):
            raise ConfigError(f"no demo shop in {self.directory}; run `warehouse demo up` first")
        return arguments

    def agree(self, arguments: Arguments) -> None:
        """Note what the shop is made from; raise when it was made from something else."""
        known = self.arguments()
        if known is None:
            noted = {"format": FORMAT} | asdict(arguments)
            processes.write_private(self.folder / "shop.json", json.dumps(noted))
        elif known != arguments:
            differing = ", ".join(
                name for name, value in asdict(arguments).items() if asdict(known)[name] != value
            )
            message = f"the demo shop in {self.directory} was made with another {differing}"
            raise ConfigError(f"{message}; {START_OVER}")

    def part_names(self) -> list[str]:
        """Return the sha256 of each applied part, in order."""
        return [path.stem.split("-")[1] for path in sorted(self.parts.glob("[0-9]*-*.parquet"))]

    def lines(self, part: str) -> pa.Table:
        """Return the lines of a part, by its sha256, applied or about to be."""
        path = next(self.parts.glob(f"*-{part}.parquet"), None)
        if path is None:
            raise ConfigError(f"{self.parts}: a part of the orders is gone; {START_OVER}")
        return parquet.read_table(path)

    def write_first(self, sha256: str, lines: pa.Table) -> None:
        """Keep the lines that the shop starts with."""
        self._write(f"0001-{sha256}.parquet", lines)

    def write_next(self, sha256: str, lines: pa.Table) -> None:
        """Keep lines that are about to be applied."""
        self._write(f"next-{sha256}.parquet", lines)

    def settle(self, applied: Sequence[str]) -> None:
        """Number the parts that PostgreSQL holds, and drop one that it never got."""
        for path in self.parts.glob("next-*.parquet"):
            sha256 = path.stem.removeprefix("next-")
            if sha256 in applied:
                path.replace(self.parts / f"{applied.index(sha256) + 1:04d}-{sha256}.parquet")
            else:
                path.unlink()

    def drop_lost(self, applied: Sequence[str]) -> None:
        """Drop parts that a failover lost: they were applied to the old primary only."""
        for path in self.parts.glob("[0-9]*-*.parquet"):
            if path.stem.split("-")[1] not in applied:
                path.unlink()

    def note(self, state: State) -> None:
        """Keep what PostgreSQL holds for the case that its data get lost; the clock last."""
        times = {"now": state.now, "made_from": state.made_from}
        texts = {name: text_of(at) if at else None for name, at in times.items()}
        if state != self.noted():
            processes.write_private(self.folder / "state.json", json.dumps(texts))
        text = f"{texts['now']}\n"
        if not self.clock.exists() or self.clock.read_text() != text:
            processes.write_private(self.clock, text)
            self.clock.chmod(0o644)

    def noted(self) -> State | None:
        """Return what `note` kept, of the parts that are here."""
        path = self.folder / "state.json"
        if not path.exists():
            return None
        times = json.loads(path.read_text())
        made_from = times["made_from"] and datetime.fromisoformat(times["made_from"])
        now = datetime.fromisoformat(times["now"])
        return State(now, made_from, tuple(self.part_names()))

    def delete(self) -> None:
        """Remove everything, PostgreSQL included; the emulator is stopped already."""
        self.servers.delete()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, lines: pa.Table) -> None:
        self.parts.mkdir(parents=True, exist_ok=True)
        aside = self.parts / f".{name}"
        parquet.write_table(lines, aside, compression="zstd")
        aside.replace(self.parts / name)


def text_of(at: datetime) -> str:
    """Return a time as the clock's file holds it: ISO 8601 in UTC, with a Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
