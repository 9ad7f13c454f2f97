"""How sets of lists lie in a DynamoDB table: pointer, book, claim, manifest and journal.

`docs/how-to/export-recommendations.md` tells readers which items they need: the pointer and the
lists. The others are the writer's:

- `book#<kind>`, 0: of the set that the pointer names, the digest of its lists, the sets in which
  each chunk of its manifest was last written, and the sets whose superseded items are still there.
- `claim#<kind>`, 0: who writes which set now, how far, and which sets were given up before it.
- `manifest#<kind>#<n>`, set: the hash of each list, and the set it was last written in.
- `journal#<kind>#<set>`, 1 …: what the set writes, and which older items it supersedes. It is
  written before anything that it names, so that what a killed export wrote is always known.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from extractors.errors import SourceError
from warehouse.export.items import Item

# A journal or manifest item holds at most so many bytes before compression: what does not compress
# still fits into an item.
CHUNK = 300_000
# A manifest of so many bytes a chunk is rewritten in small parts when a few lists change.
MANIFEST_CHUNK = 60_000

Manifest = dict[str, tuple[str, int]]
"""Whose list it is: the list's hash, and the set it was written in."""


@dataclass(frozen=True, slots=True)
class Key:
    """Where an item is."""

    pk: str
    sk: int

    def item(self, **attributes: Any) -> Item:
        """Return an item with this key."""
        return {"pk": {"S": self.pk}, "sk": {"N": str(self.sk)}, **attributes}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a set does with one partition: older items that it supersedes, and if it removes it."""

    pk: str
    superseded: tuple[int, ...]
    removed: bool


@dataclass(frozen=True, slots=True)
class Uncollected:
    """A set whose superseded items are still there, since when (epoch seconds), its journals."""

    set: int
    at: int
    journals: int


@dataclass(frozen=True, slots=True)
class Book:
    """What the writer knows of the set that readers see."""

    set: int = 0
    digest: str = ""
    lists: int = 0
    chunks: tuple[int, ...] = ()
    uncollected: tuple[Uncollected, ...] = ()


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A set that never became visible, and the journals that tell what was written of it."""

    set: int
    journals: int
    began: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """Who writes (`owner`, empty: nobody now; `place` is their machine and home) and how far.

    `began`: the journals are complete, and `done` of the planned items were taken by the table.
    """

    set: int = 0
    base: int = 0
    digest: str = ""
    journals: int = 0
    began: bool = False
    done: int = 0
    owner: str = ""
    place: str = ""
    beat: int = 0
    abandoned: tuple[Abandoned, ...] = field(default_factory=tuple)


def pointer_key(kind: str) -> Key:
    return Key(f"set#{kind}", 0)


def book_key(kind: str) -> Key:
    return Key(f"book#{kind}", 0)


def claim_key(kind: str) -> Key:
    return Key(f"claim#{kind}", 0)


def list_pk(kind: str, key: str) -> str:
    return f"{kind}#{key}"


def manifest_pk(kind: str, number: int) -> str:
    return f"manifest#{kind}#{number}"


def journal_pk(kind: str, of_set: int) -> str:
    return f"journal#{kind}#{of_set}"


def book_item(kind: str, book: Book) -> Item:
    return book_key(kind).item(book={"S": json.dumps(asdict(book))})


def book_of(item: Item | None) -> Book:
    """Return the book in an item; one of no set where there is none."""
    if item is None:
        return Book()
    held = _loaded(item, "book")
    return Book(
        held["set"],
        held["digest"],
        held["lists"],
        tuple(held["chunks"]),
        tuple(Uncollected(**part) for part in held["uncollected"]),
    )


def claim_item(kind: str, claim: Claim) -> Item:
    return claim_key(kind).item(
        owned_by={"S": claim.owner},
        beat={"N": str(claim.beat)},
        claim={"S": json.dumps(asdict(claim))},
    )


def claim_of(item: Item | None) -> Claim:
    """Return the claim in an item; nobody's where there is none."""
    if item is None:
        return Claim()
    held = _loaded(item, "claim")
    return Claim(**held | {"abandoned": tuple(Abandoned(**part) for part in held["abandoned"])})


def _loaded(item: Item, name: str) -> Any:
    try:
        return json.loads(item[name]["S"])
    except (KeyError, ValueError):
        raise SourceError(
            f"DynamoDB item {item['pk']['S']}: not what an export wrote; name a table of its own"
        ) from None


def manifest_chunks(manifest: Manifest) -> list[str]:
    """Return the chunks of a manifest, whose number is a power of two; equal ones for equal parts.

    A list stays in its chunk while the number of chunks stays.
    """
    total = sum(len(key.encode()) + 40 for key in manifest)
    count = 1
    while count * MANIFEST_CHUNK < total:
        count *= 2
    parts: list[dict[str, tuple[str, int]]] = [{} for _ in range(count)]
    for key in sorted(manifest):
        parts[zlib.crc32(key.encode()) % count][key] = manifest[key]
    return [json.dumps(part, separators=(",", ":"), ensure_ascii=False) for part in parts]


def manifest_of(chunks: Iterable[str]) -> Manifest:
    """Return the manifest in its chunks."""
    return {key: (held[0], held[1]) for chunk in chunks for key, held in json.loads(chunk).items()}


def journal_chunks(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the texts of journal items that hold the entries in order."""
    part: list[str] = []
    weight = 0
    for entry in entries:
        line = json.dumps([entry.pk, entry.superseded, entry.removed], ensure_ascii=False)
        weight += len(line.encode()) + 2
        if part and weight > CHUNK:
            yield f"[{','.join(part)}]"
            part, weight = [], len(line.encode()) + 2
        part.append(line)
    if part:
        yield f"[{','.join(part)}]"


def journal_entries(chunks: Iterable[str]) -> Iterator[Entry]:
    """Yield the entries in the texts of journal items."""
    for chunk in chunks:
        for pk, superseded, removed in json.loads(chunk):
            yield Entry(pk, tuple(superseded), removed)


def packed(text: str) -> dict[str, bytes]:
    """Return a text as a compressed attribute."""
    return {"B": zlib.compress(text.encode(), 6)}


def unpacked(item: Item, name: str) -> str:
    """Return the text of a compressed attribute."""
    return zlib.decompress(bytes(item[name]["B"])).decode()


def put(item: Item) -> dict[str, Any]:
    """Return what BatchWriteItem takes to put an item."""
    return {"PutRequest": {"Item": item}}


def delete(key: Key) -> dict[str, Any]:
    """Return what BatchWriteItem takes to delete an item."""
    return {"DeleteRequest": {"Key": key.item()}}


def batches(requests: Iterable[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the requests in lists of at most `size`."""
    batch: list[dict[str, Any]] = []
    for request in requests:
        batch.append(request)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def planned_sets(sets: Sequence[int]) -> tuple[int, ...]:
    """Return the set numbers in order, each once, without 0."""
    return tuple(sorted({number for number in sets if number}))
