"""One small warehouse on a real source, the states it is saved in, and runs that are struck."""

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests import warm
from tests.faults.contents import contents
from tests.faults.server import FILLER, RECORDED
from tests.relational_source import Source
from tests.shops import REPOSITORY, environment

PROJECT = Path(__file__).with_name("project")
CONFIGURATION = """\
warehouse: {{home: ./var, clock: ./clock, dbt_project: {project}}}
publication: {{keep: 1}}
load: {{max_quarantined_share: 1.0}}
sources:
  s:
    kind: postgres
    dsn: {dsn}
    tables:
      orders: {{key: [order_id]}}
      products: {{key: [product_id], history: true}}
"""
FIRST_DAY = (
    "create table products (product_id bigint primary key, price numeric(18, 4))",
    "create table orders (order_id bigint primary key, product_id bigint, quantity bigint,"
    " placed_at timestamptz)",
    "insert into products select n, n + 0.5 from generate_series(1, 20) n",
    "insert into orders select n, n % 20 + 1, n % 7 + 1, timestamptz '2026-01-01 00:00Z'"
    " + n * interval '1 minute' from generate_series(1, 300) n",
)
SECOND_DAY = (
    "update products set price = price * 2 where product_id <= 5",
    "delete from products where product_id = 20",
    "insert into products values (21, 9.99)",
    "update orders set quantity = 100 where order_id in (7, 8)",
    "delete from orders where order_id > 290",
    "insert into orders values (301, 21, 3, '2026-01-02 09:00Z'),"
    " (302, 1, 1, '294270-01-01 00:00Z')",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and whether it met its fault."""

    status: int
    output: str
    struck: bool
    fsyncs: int


@dataclass(frozen=True, slots=True)
class Moment:
    """When a running warehouse is copied, so long after an fsync, and what is lost of it.

    `nothing`, the `data` that were not fsynced, or `all` that was not, names too.
    """

    fsyncs: int
    seconds: float
    lost: str
    image: str


class Bench:
    """A folder with one warehouse in it, which is put back and run again and again."""

    def __init__(self, folder: Path, source: Source) -> None:
        self.folder, self.source = folder, source
        self.shop = folder / "shop"
        self.home = self.shop / "var"
        self.shop.mkdir()
        text = CONFIGURATION.format(project=PROJECT, dsn=json.dumps(source.dsn))
        (self.shop / "warehouse.yml").write_text(text, encoding="utf-8")
        self._dbt = warm.executable("dbt")
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.server"],
            cwd=REPOSITORY,
            env={**environment(self.shop), "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server.stdin
        self._server.stdin.close()
        self._server.wait(60)

    def set_clock(self, instant: str) -> None:
        (self.shop / "clock").write_text(instant, encoding="utf-8")

    def run(
        self,
        point: str | None = None,
        fault: str | None = None,
        moments: Sequence[Moment] = (),
        without: str | None = None,
    ) -> Ended:
        """Run the warehouse, struck at a point, copied at moments, or to its end.

        `without` names a safeguard that is taken out of the product.
        """
        # dbt is struck together with the run, and its fsyncs are recorded: then it is its own
        is_warm = point != "dbt model built" and fault not in RECORDED
        files = self._files()
        files["struck"].unlink(missing_ok=True)
        request = {
            "home": str(self.home),
            "arguments": ["run"],
            "point": point,
            "fault": fault,
            "without": without,
            "dbt": str(self._dbt) if is_warm else None,
            "moments": [asdict(moment) for moment in moments],
            **{name: str(path) for name, path in files.items()},
        }
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        answer = json.loads(self._server.stdout.readline())
        output = files["output"].read_text(encoding="utf-8", errors="replace")
        return Ended(answer["status"], output, files["struck"].exists(), answer["fsyncs"])

    def _files(self) -> dict[str, Path]:
        names = ("output", "struck", "kept", "image", "image with names")
        return {name: self.folder / name for name in names}

    def save(self, name: str) -> None:
        """Keep the warehouse as it is now."""
        shutil.copytree(self.home, self.folder / "saved" / name, symlinks=True)

    def restore(self, name: str) -> None:
        """Put the warehouse back as it was saved, and forget the last cell."""
        for path in self._files().values():
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
        self.put(self.folder / "saved" / name)

    def put(self, warehouse: Path) -> None:
        """Replace the warehouse by another; its folder stays, which may be a mounted disk."""
        self.home.mkdir(exist_ok=True)
        for path in self.home.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(warehouse, self.home, symlinks=True, dirs_exist_ok=True)

    def images(self) -> list[Path]:
        """Return what a power cut left: without the names that were not fsynced, and with them."""
        files = self._files()
        return [files["image"], files["image with names"]]

    def mend(self) -> None:
        """Free the full disk, and give the permissions back."""
        (self.home / FILLER).unlink(missing_ok=True)
        for path in (self.home, *self.home.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | stat.S_IWUSR)

    def finish(self) -> dict[str, Any]:
        """Run again, which must succeed, and return what is there then."""
        ended = self.run()
        assert ended.status == 0, ended.output
        return contents(self.home)
