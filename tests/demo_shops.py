"""Whole demo shops, loaded and published once, for tests that only read them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.shops import Shop


def real_orders(shared_data: Path) -> Path:
    """Return the file of real orders among the real data."""
    return shared_data / "online_retail_2010-12-01_2011-08-31.parquet"


@contextmanager
def published(directory: Path, *arguments: str) -> Iterator[Shop]:
    """Start a demo shop in `directory`, run the warehouse once, and take it down at the end."""
    shop = Shop(directory)
    shop.command("demo", "up", *arguments)
    try:
        shop.command("run")
        yield shop
    finally:
        shop.command("demo", "down", "--delete")
