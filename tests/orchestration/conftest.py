"""The small warehouse without sources serves here too."""

from collections.abc import Iterator

import pytest

from orchestration import dbt
from tests import warm
from tests.warehouse.conftest import build, make_package, settings

__all__ = ["build", "make_package", "settings"]


@pytest.fixture(autouse=True, scope="session")
def _warm_dbt() -> Iterator[None]:
    """Let code locations that are built in this process parse with the warm dbt."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt, "executable", lambda: str(warm.executable("dbt")))
        yield
