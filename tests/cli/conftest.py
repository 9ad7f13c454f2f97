"""What the tests of the command share."""

from pathlib import Path

import pytest

from tests.cli.command import Command


@pytest.fixture
def warehouse(tmp_path: Path) -> Command:
    """Return the command in an empty folder."""
    return Command(tmp_path)
