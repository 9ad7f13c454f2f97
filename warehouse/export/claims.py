"""Let one export at a time write to a table, and let the next go on where a killed one stopped."""

import contextlib
import fcntl
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from extractors.errors import ConfigError, SourceError
from warehouse.export.items import Item
from warehouse.export.sets import Claim, claim_item, claim_key, claim_of

# Another machine's export that shows no sign for so many seconds is dead: it shows one at each
# checkpoint, and gives up on a throttled table after 60 s without progress.
SILENCE = 300.0
_POLL = 5.0


class Table(Protocol):
    """What the writer asks of a table; `extractors.dynamodb.writing.ItemTable` does it."""

    table: str

    def get(self, pk: str, sk: int) -> dict[str, Any] | None:
        """Return an item as it is now."""
        ...

    def write(self, requests: Sequence[dict[str, Any]]) -> float:
        """Put and delete at most 25 items; return the units consumed."""
        ...

    def put_if(self, item: Item, condition: str, values: Mapping[str, Any]) -> bool:
        """Put an item under a condition; return whether it is there."""
        ...

    def put_together(self, puts: Sequence[tuple[Item, str, Mapping[str, Any]]]) -> bool:
        """Put items each under its condition, all or none; return whether they are there."""
        ...


class LostClaimError(SourceError):
    """Another export has taken the table over."""


class Holder:
    """The claim that this process holds on a kind of lists in a table."""

    def __init__(self, table: Table, kind: str, claim: Claim) -> None:
        self._table, self._kind, self.claim = table, kind, claim

    def update(self, **changes: Any) -> Claim:
        """Change the claim; no change is a sign of life, too. LostClaimError: it is another's."""
        changed = replace(self.claim, beat=self.claim.beat + 1, **changes)
        if not self._table.put_if(claim_item(self._kind, changed), *self._still_ours()):
            raise LostClaimError(
                f"DynamoDB table {self._table.table}: another export has taken over, after this one"
                " was silent for too long; nothing that readers see was changed by this one"
            )
        self.claim = changed
        return changed

    def together_with(
        self, puts: Sequence[tuple[Item, str, Mapping[str, Any]]], **changes: Any
    ) -> None:
        """Put items and change the claim, all or nothing; LostClaimError where it is not ours."""
        changed = replace(self.claim, beat=self.claim.beat + 1, **changes)
        mine = (claim_item(self._kind, changed), *self._still_ours())
        if not self._table.put_together([mine, *puts]):
            raise LostClaimError(
                f"DynamoDB table {self._table.table}: another export has changed it meanwhile; run"
                " the command again"
            )
        self.claim = changed

    def _still_ours(self) -> tuple[str, Mapping[str, Any]]:
        held = {":owner": {"S": self.claim.owner}, ":beat": {"N": str(self.claim.beat)}}
        return "owned_by = :owner AND beat = :beat", held


@contextlib.contextmanager
def held(
    table: Table,
    kind: str,
    home: Path,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Holder]:
    """Hold the claim on a kind of lists. A dead export's is taken over, with what it left.

    ConfigError while another export is at work.
    """
    with _alone(home / "exports" / f"{table.table}.{kind}.lock", table.table):
        place = f"{socket.gethostname()}:{home}"
        found = _free(table, kind, place, sleep)
        mine = replace(found, owner=uuid.uuid4().hex, place=place, beat=found.beat + 1)
        condition, values = "attribute_not_exists(pk)", {}
        if found.beat:
            condition = "beat = :beat"
            values = {":beat": {"N": str(found.beat)}}
        if not table.put_if(claim_item(kind, mine), condition, values):
            raise ConfigError(_busy(table.table, "another export began"))
        holder = Holder(table, kind, mine)
        yield holder
        holder.update(owner="")


def _free(table: Table, kind: str, place: str, sleep: Callable[[float], None]) -> Claim:
    """Return the claim once nobody alive has it."""
    key = claim_key(kind)
    claim = claim_of(table.get(key.pk, key.sk))
    # Who holds the lock here knows that an export of this home is dead.
    waited = 0.0
    while claim.owner and claim.place != place and waited < SILENCE:
        sleep(_POLL)
        waited += _POLL
        now = claim_of(table.get(key.pk, key.sk))
        if now.owner and now.beat != claim.beat:
            raise ConfigError(_busy(table.table, f"an export of {now.place} is at work"))
        claim = now
    return claim


def _busy(table: str, who: str) -> str:
    return f"DynamoDB table {table}: {who}; run the command again when it is done"


@contextlib.contextmanager
def _alone(lock: Path, table: str) -> Iterator[None]:
    """Hold a lock file; the system frees it when the process is dead."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(_busy(table, "an export of this home is at work")) from None
        yield
    finally:
        os.close(descriptor)
