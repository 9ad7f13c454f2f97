"""The small warehouse without sources serves here too."""

from tests.warehouse.conftest import make_package, settings

__all__ = ["make_package", "settings"]
