"""What all tests share: where the real data is, and what is installed."""

import atexit
import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.demo_shops import published, real_orders
from tests.shops import Shop

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_report_header() -> list[str]:
    """Name the versions that results depend on."""
    packages = ("dagster", "dbt-core", "dbt-duckdb", "duckdb")
    versions = [f"{name} {version(name)}" for name in packages]
    return [", ".join([f"python {platform.python_version()}", *versions])]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that hold slow tests: two processes then end at about the same time."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


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
