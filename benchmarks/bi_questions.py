"""Twenty questions on a demo of ten times the size, in PostgreSQL and DuckDB; see bi_questions.sql.

    python benchmarks/bi_questions.py [SHOP]

SHOP is the folder of a demo shop that was loaded, else one is made (`warehouse demo up --scale 10`,
`warehouse run`) and removed again. Its version is published into an embedded PostgreSQL and asked
as `bi_reader`, all rows fetched. Warm: each question again and again. Cold: the server was just
started, and neither it nor the system has a page of its files in memory. The ratio is the median
in PostgreSQL per that in DuckDB, in this process, on the published file; both warm. Ends with 1
where the 95th percentile of cold and warm times of any question is a second or more.
"""

import contextlib
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from tests.clients.questions import Question, questions
from tests.shops import Shop
from warehouse import config
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.publish import versions
from warehouse.serve import embedded

WARM, COLD = 20, 3
LIMIT = 1000  # ms


@contextlib.contextmanager
def loaded(scale: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        shop = Shop(path)
        try:
            shop.command("demo", "up", "--scale", scale)
            shop.command("run")
            yield path
        finally:
            shop.command("demo", "down", "--delete")


def milliseconds(ask: Callable[[], object]) -> float:
    started = time.perf_counter()
    ask()
    return (time.perf_counter() - started) * 1000


def percentile(values: list[float], share: float) -> float:
    """Return the least of the values that `share` of them do not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def forget(folder: Path) -> None:
    """Have the system drop what it keeps of the files in memory."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def warm(dsn: str, file: Path, question: Question) -> tuple[list[float], float]:
    """Return times in PostgreSQL, and the median in DuckDB."""
    with (
        psycopg.connect(dsn, autocommit=True) as there,
        contextlib.closing(duckdb_engine.published_database(file)) as here,
    ):

        def in_postgres() -> object:
            return there.execute(question.sql.encode()).fetchall()

        def in_duckdb() -> object:
            return here.execute(question.sql).fetchall()

        assert in_postgres() == in_duckdb(), question.text
        times = [milliseconds(in_postgres) for _ in range(WARM)]
        return times, statistics.median(milliseconds(in_duckdb) for _ in range(WARM))


def cold(settings: Settings, dsn: str, question: Question) -> float:
    server = embedded.server(settings)
    server.stop()
    forget(server.data)
    server.start()
    with psycopg.connect(dsn, autocommit=True) as there:
        return milliseconds(lambda: there.execute(question.sql.encode()).fetchall())


def measure(shop: Path) -> bool:
    """Print a line per question; return whether all were answered in time."""
    path = shop / "questions.yml"
    text = (shop / "warehouse.yml").read_text(encoding="utf-8")
    path.write_text(f"{text}\npublication: {{ postgres: embedded }}\n", encoding="utf-8")
    settings = config.load(path)
    try:
        dsn = embedded.start(settings).dsn
        started = time.perf_counter()
        versions.catch_up(settings)
        print(f"published into PostgreSQL in {time.perf_counter() - started:.0f} s")
        version = versions.newest_version(settings)
        assert version is not None
        file = versions.version_path(settings.published_directory, version)
        print("asker, question: warm p50, p95, worst; cold median, worst (ms); ratio to DuckDB")
        slow: list[str] = []
        for question in questions():
            times, duck = warm(dsn, file, question)
            colds = [cold(settings, dsn, question) for _ in range(COLD)]
            middle = statistics.median(times)
            if percentile(times + colds, 0.95) >= LIMIT:
                slow.append(question.text)
            figures = (middle, percentile(times, 0.95), max(times), statistics.median(colds))
            shown = " | ".join(f"{figure:.0f}" for figure in (*figures, max(colds)))
            print(
                f"| {question.asker} | {question.text} | {shown} | {middle / duck:.1f} |",
                flush=True,
            )
        print("too slow:", *slow, sep="\n  ") if slow else print("all in time")
        return not slow
    finally:
        embedded.server(settings).delete()
        path.unlink()


def main() -> None:
    with contextlib.ExitStack() as stack:
        shop = Path(sys.argv[1]) if sys.argv[1:] else stack.enter_context(loaded("10"))
        in_time = measure(shop.resolve())
    sys.exit(not in_time)


if __name__ == "__main__":
    main()
