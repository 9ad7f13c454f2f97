"""What the demo keeps on disk below `<directory>/var/demo`, and how it survives a kill."""

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import file_digest
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from demo import processes
from demo.dynamodb_server import DynamoDbServer
from demo.orders import utc
from demo.postgres_server import PostgresServer
from extractors.errors import ConfigError

START_OVER = "run `warehouse demo down --delete` first"


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a demo shop was made from; files stand for their content."""

    orders: str | None
    clicks: str | None
    scale: float
    seed: int


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
        self.postgres = PostgresServer(self.folder / "postgres")
        self.dynamodb = DynamoDbServer(self.folder / "dynamodb")

    @property
    def lock(self) -> Path:
        """The lock that `up`, `orders` and `down` of this shop take in turn."""
        return self.folder / "lock"

    def arguments(self) -> Arguments | None:
        """Return what the shop here was made from, None where there is none."""
        path = self.folder / "shop.json"
        if not path.exists():
            return None
        return Arguments(**json.loads(path.read_text()))

    def agree(self, arguments: Arguments) -> None:
        """Note what the shop is made from; raise when it was made from something else."""
        known = self.arguments()
        if known is None:
            processes.write_private(self.folder / "shop.json", json.dumps(asdict(arguments)))
        elif known != arguments:
            differing = ", ".join(
                name for name, value in asdict(arguments).items() if asdict(known)[name] != value
            )
            message = f"the demo shop in {self.directory} was made with another {differing}"
            raise ConfigError(f"{message}; {START_OVER}")

    def part_names(self) -> list[str]:
        """Return the sha256 of each applied part, in order."""
        return [path.stem.split("-")[1] for path in sorted(self.parts.glob("[0-9]*-*.parquet"))]

    def lines(self) -> pa.Table:
        """Return the lines of all applied parts, in the order in which they were applied."""
        found = sorted(self.parts.glob("[0-9]*-*.parquet"))
        return pa.concat_tables([parquet.read_table(path) for path in found]).combine_chunks()

    def write_first(self, sha256: str, lines: pa.Table) -> None:
        """Keep the lines that the shop starts with."""
        self._write(f"0001-{sha256}.parquet", lines)

    def write_next(self, sha256: str, lines: pa.Table) -> None:
        """Keep lines that are about to be applied."""
        self._write(f"next-{sha256}.parquet", lines)

    def settle(self, applied: list[str]) -> None:
        """Number the parts that PostgreSQL holds, and drop one that it never got."""
        for path in self.parts.glob("next-*.parquet"):
            sha256 = path.stem.removeprefix("next-")
            if sha256 in applied:
                path.replace(self.parts / f"{applied.index(sha256) + 1:04d}-{sha256}.parquet")
            else:
                path.unlink()

    def advance_clock(self, now: datetime) -> None:
        """Move the clock's file to `now`, unless it is later already."""
        text = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
        known = self.clock.read_text().strip() if self.clock.exists() else ""
        if not known or datetime.fromisoformat(known) < now:
            processes.write_private(self.clock, f"{text}\n")
            self.clock.chmod(0o644)

    def delete(self) -> None:
        """Remove everything, PostgreSQL included; the emulator is stopped already."""
        self.postgres.delete()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, lines: pa.Table) -> None:
        self.parts.mkdir(parents=True, exist_ok=True)
        aside = self.parts / f".{name}"
        parquet.write_table(lines, aside, compression="zstd")
        aside.replace(self.parts / name)


def clock_after(lines: pa.Table) -> datetime:
    """Return the next midnight UTC after the last document."""
    walls = lines.column("invoiced_at").unique().to_pylist()
    last = max(utc(wall) for wall in walls)
    return last.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
