"""Hold the warehouse still while a command writes to the ledger."""

from collections.abc import Iterator
from contextlib import contextmanager

from warehouse import lease
from warehouse.backup import restore
from warehouse.config import Settings
from warehouse.ledger import entries
from warehouse.state import segments


@contextmanager
def held(settings: Settings, wait: float) -> Iterator[lease.Lease]:
    """Hold the writer lease, so that no run proposes or posts meanwhile.

    State and all that is posted are checked first: money goes out by them. What a killed command
    left is removed. SourceError names another holder after `wait` seconds.
    """
    with lease.hold(settings.home, wait=wait) as taken:
        restore.require_finished(settings)
        segments.verify(settings.state_directory)
        entries.verify(settings.state_directory)
        entries.sweep(settings.state_directory)
        yield taken
