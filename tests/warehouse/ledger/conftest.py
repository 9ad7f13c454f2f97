"""What the tests of the ledger share."""

from pathlib import Path

import pytest

from tests.warehouse.ledger.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Return a warehouse whose ledger is posted by hand."""
    return Office(tmp_path)
