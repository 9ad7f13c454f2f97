"""What all tests share: where the real data is, and what is installed."""

import atexit
import os
import platform
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.demo_shops import published, real_orders
from tests.shops import Shop

REPOSITORY = Path(__file__).resolve().parents[1]
# Session fixtures that take half a minute or more to make.
SHARED = ("demo_shop", "prepared", "real_shop", "small_shop")
# By CPU seconds, measured: each starts as soon as a process is free.
DEAREST = (
    "faults/test_kill.py",
    "orchestration/test_refusals.py",
    "faults/test_matrix.py",
    "orchestration/test_increment.py",
    "warehouse/test_state_machine.py",
    "warehouse/test_readers.py",
    "dbt/test_rules.py",
    "orchestration/test_daily_runs.py",
    "orchestration/test_queue.py",
)


def pytest_report_header() -> list[str]:
    """Name the versions that results depend on."""
    packages = ("dagster", "dbt-core", "dbt-duckdb", "duckdb")
    versions = [f"{name} {version(name)}" for name in packages]
    return [", ".join([f"python {platform.python_version()}", *versions])]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the dearest files: two processes then end at about the same time."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    rank = {REPOSITORY / "tests" / path: number for number, path in enumerate(DEAREST)}
    items.sort(key=lambda item: (rank.get(item.path, len(rank)), item.path not in slow))


@cache
def process_of(file: str) -> str:
    """Return what the tests of a file are run in one process with: the file, or what it shares."""
    text = (REPOSITORY / file).read_text(encoding="utf-8")
    return next((name for name in SHARED if f"{name}: " in text), file)


class OneProcessForWhatIsShared(LoadFileScheduling):
    """Files that share a dear fixture are run in one process, which makes it once."""

    def _split_scope(self, nodeid: str) -> str:
        return process_of(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Let `make test` run by files, but for what they share."""
    return OneProcessForWhatIsShared(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_unconfigure() -> None:
    """Keep pytest's summary the last line.

    DuckDB's binding lists what hypothesis' tests left alive when the interpreter ends, which says
    nothing about the tests.
    """
    atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno()))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the real data; without it the test skips, and fails where CI is set."""
    named = os.environ.get("WAREHOUSE_SHARED_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        reason = f"no real data at {folder}; name its folder in WAREHOUSE_SHARED_DATA"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the clone."""
    return REPOSITORY


@pytest.fixture(scope="session")
def demo_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Yield the synthetic demo shop, loaded and published once; tests may read it."""
    with published(tmp_path_factory.mktemp("demo_shop")) as shop:
        yield shop


@pytest.fixture(scope="session")
def real_shop(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Iterator[Shop]:
    """Yield the shop of the real orders, loaded and published once; tests may read it."""
    folder = tmp_path_factory.mktemp("real_shop")
    with published(folder, "--orders", str(real_orders(shared_data))) as shop:
        yield shop
