"""The analytics side of a shop: `warehouse.open()` reads the published marts."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.publish.reader import Published

__all__ = ["open"]


def open(  # noqa: A001 - the documented name; the module is used as `warehouse.open()`
    version: str | None = None, config: str | Path | None = None
) -> "Published":
    """Return a read-only DuckDB connection on the published version, or on an earlier one.

    It keeps the version it opened whatever is published later. ConfigError: no such version, or
    nothing published yet.
    """
    from warehouse.publish.reader import open_published

    return open_published(version, config)
