"""What the tests of the command share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Command


@pytest.fixture
def warehouse(tmp_path: Path) -> Command:
    """Return the command in an empty folder."""
    return Command(tmp_path)


@pytest.fixture(scope="session")
def running_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Return the command in the folder of a small running shop; nothing is loaded from it."""
    command = Command(tmp_path_factory.mktemp("shop"))
    up = command("demo", "up", "--scale", "0.05")
    assert up.returncode == 0, up.stderr
    yield command
    command("demo", "down", "--delete")
