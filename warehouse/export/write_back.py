"""Write the lists of a version to a DynamoDB table as a set that readers see whole or not at all.

Only lists that changed since the set that readers see are written, beside the older ones, under the
new set's number; then the pointer turns to it in one transaction. What a killed export wrote is
gone on with when it wrote the same lists, and shadowed by the next set when it did not.
"""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from warehouse.export import collecting, items, sets
from warehouse.export.claims import Holder, Table, held
from warehouse.export.items import Item, Value
from warehouse.export.sets import Abandoned, Book, Entry, Key, Uncollected

# Items a request takes, requests at once, and items between two checkpoints: a kill repeats at most
# those of one checkpoint, and a checkpoint costs one write for 200.
BATCH, THREADS, CHECKPOINT = 25, 4, 200

Contents = Callable[[], Iterator[tuple[str, Value]]]
"""Whose list, and its rows in DynamoDB's notation, in the order of the keys; each call anew."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is exported: the kind, whose lists they are, the version, its as_of."""

    kind: str
    key: str
    version: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """What a set writes: `puts` and `removed` are keys; `chunks` the manifest items written."""

    base: Book
    hashes: dict[str, str]
    digest: str
    puts: frozenset[str]
    removed: frozenset[str]
    entries: tuple[Entry, ...]
    chunks: tuple[Item, ...]
    chunk_sets: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many items are written before the pointer turns."""
        return len(self.chunks) + len(self.puts) + len(self.removed)


@dataclass(frozen=True, slots=True)
class Written:
    """What was done: the set that readers see now, its lists, and what it cost."""

    set: int
    version: str
    lists: int
    changed: int
    removed: int
    resumed_after: int
    collected: int
    write_units: int


def digest_of(hashes: dict[str, str]) -> str:
    """Return a hash of all lists, which equal sets share."""
    whole = hashlib.sha256()
    for key in sorted(hashes):
        whole.update(f"{len(key)}:{key}:{hashes[key]};".encode())
    return whole.hexdigest()


def read_manifest(table: Table, kind: str, book: Book) -> list[str]:
    """Return the chunks of the manifest of the set that readers see."""
    chunks: list[str] = []
    for number, of_set in enumerate(book.chunks):
        item = table.get(sets.manifest_pk(kind, number), of_set)
        chunks.append(sets.unpacked(collecting.present(item, table, kind), "manifest"))
    return chunks


def planned(
    table: Table,
    facts: Facts,
    book: Book,
    number: int,
    abandoned: tuple[Abandoned, ...],
    hashes: dict[str, str],
) -> Plan:
    """Return what set `number` has to write, the same for the same lists.

    A partition that an abandoned set wrote is written again even where its list did not change:
    else readers of the new set would see the abandoned one's.
    """
    kind = facts.kind
    texts = read_manifest(table, kind, book)
    before = sets.manifest_of(texts)
    leftovers = collecting.leftovers(table, kind, abandoned)
    prefix = sets.list_pk(kind, "")
    dirty = {pk[len(prefix) :] for pk in leftovers if pk.startswith(prefix)}
    puts = frozenset(
        key for key, hash_ in hashes.items() if key in dirty or before.get(key, ("",))[0] != hash_
    )
    removed = frozenset((before.keys() | dirty) - hashes.keys())
    manifest = {
        key: (hash_, number if key in puts else before[key][1]) for key, hash_ in hashes.items()
    }
    new_texts = sets.manifest_chunks(manifest)
    same_number = len(new_texts) == len(texts)
    chunks: list[Item] = []
    chunk_sets: list[int] = []
    superseded: dict[str, list[int]] = {pk: list(of_sets) for pk, of_sets in leftovers.items()}
    for position, text in enumerate(new_texts):
        pk = sets.manifest_pk(kind, position)
        if same_number and text == texts[position]:
            chunk_sets.append(book.chunks[position])
            continue
        chunk_sets.append(number)
        item = Key(pk, number).item(manifest=sets.packed(text))
        items.require_fitting(item, f"part {position} of the manifest")
        chunks.append(item)
    for position, of_set in enumerate(book.chunks):
        if position >= len(chunk_sets) or chunk_sets[position] != of_set:
            superseded.setdefault(sets.manifest_pk(kind, position), []).append(of_set)
    for key in puts | removed:
        superseded.setdefault(prefix + key, []).append(before.get(key, ("", 0))[1])
    for item in chunks:
        superseded.setdefault(item["pk"]["S"], [])
    entries = tuple(
        Entry(
            pk,
            sets.planned_sets(of_sets),
            removed=pk.startswith(prefix) and pk[len(prefix) :] in removed,
        )
        for pk, of_sets in sorted(superseded.items())
    )
    return Plan(
        book, hashes, digest_of(hashes), puts, removed, entries, tuple(chunks), tuple(chunk_sets)
    )


def planned_items(facts: Facts, plan: Plan, number: int, contents: Contents) -> Iterator[Item]:
    """Yield what the set writes, in an order of its own that is always the same."""
    yield from plan.chunks
    for key in sorted(plan.removed):
        yield Key(sets.list_pk(facts.kind, key), number).item(removed={"BOOL": True})
    for key, rows in contents():
        if key in plan.puts:
            item = Key(sets.list_pk(facts.kind, key), number).item(
                **{facts.key: {"S": key}, "version": {"S": facts.version}, "ranked": rows}
            )
            items.require_fitting(item, f"{facts.kind} of {facts.key} {key!r}")
            yield item


def hashes_of(contents: Contents) -> dict[str, str]:
    """Return the hash of each list."""
    return {key: items.fingerprint(rows) for key, rows in contents()}


def price(table: Table, facts: Facts, contents: Contents) -> Written:
    """Return what an export would do and cost now, and change nothing.

    The set is the one that readers see; what a killed export may already have done is not counted.
    """
    key = sets.book_key(facts.kind)
    book = sets.book_of(table.get(key.pk, key.sk))
    hashes = hashes_of(contents)
    if book.set and digest_of(hashes) == book.digest:
        return Written(book.set, facts.version, len(hashes), 0, 0, 0, 0, 0)
    plan = planned(table, facts, book, book.set + 1, (), hashes)
    units = sum(items.units(item) for item in planned_items(facts, plan, book.set + 1, contents))
    changed, removed = len(plan.puts), len(plan.removed)
    return Written(book.set, facts.version, len(hashes), changed, removed, 0, 0, units)


def write_back(
    table: Table,
    facts: Facts,
    contents: Contents,
    *,
    home: Path,
    grace: timedelta,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    tell: Callable[[int, int], None] = lambda *_: None,
) -> Written:
    """Make the table's readers see these lists, and remove what they superseded `grace` ago."""
    with held(table, facts.kind, home) as holder:
        key = sets.book_key(facts.kind)
        book = sets.book_of(table.get(key.pk, key.sk))
        hashes = hashes_of(contents)
        digest = digest_of(hashes)
        plan, units, done = None, 0.0, 0
        if not book.set or digest != book.digest:
            number, done = _begin(holder, book, digest)
            plan = planned(table, facts, book, number, holder.claim.abandoned, hashes)
            units += _write(table, facts, plan, holder, contents, tell)
            book = _turn(holder, facts, plan, now())
        collected, spent = collecting.collect(table, facts.kind, holder, book, now() - grace)
    return Written(
        book.set,
        facts.version,
        len(hashes),
        len(plan.puts) if plan else 0,
        len(plan.removed) if plan else 0,
        done,
        collected,
        round(units + spent),
    )


def _begin(holder: Holder, book: Book, digest: str) -> tuple[int, int]:
    """Claim the number of the set that is written; return it, and how far it is written already."""
    claim = holder.claim
    if claim.set <= book.set:  # the last export was completed
        holder.update(
            set=book.set + 1, base=book.set, digest=digest,
            journals=0, began=False, done=0, abandoned=(),
        )  # fmt: skip
        return book.set + 1, 0
    if (claim.base, claim.digest) == (book.set, digest):
        return claim.set, claim.done
    given_up = Abandoned(claim.set, claim.journals, claim.began)
    holder.update(
        set=claim.set + 1, base=book.set, digest=digest,
        journals=0, began=False, done=0, abandoned=(*claim.abandoned, given_up),
    )  # fmt: skip
    return claim.set + 1, 0


def _write(
    table: Table,
    facts: Facts,
    plan: Plan,
    holder: Holder,
    contents: Contents,
    tell: Callable[[int, int], None],
) -> float:
    """Write the journals and then the items of the claimed set; return the units consumed."""
    number, units = holder.claim.set, 0.0
    if not holder.claim.began:
        journals = list(sets.journal_chunks(plan.entries))
        holder.update(journals=len(journals))
        pk = sets.journal_pk(facts.kind, number)
        for position, text in enumerate(journals, 1):
            units += table.write([sets.put(Key(pk, position).item(journal=sets.packed(text)))])
        holder.update(began=True)
    done = holder.claim.done
    rest = islice(planned_items(facts, plan, number, contents), done, None)
    with ThreadPoolExecutor(THREADS) as pool:
        for window in sets.batches(map(sets.put, rest), CHECKPOINT):
            units += sum(pool.map(table.write, sets.batches(window, BATCH)))
            done += len(window)
            holder.update(done=done)
            tell(done, plan.count)
    return units


def _turn(holder: Holder, facts: Facts, plan: Plan, moment: datetime) -> Book:
    """Turn the pointer from the set that the plan began with to the claimed one."""
    number = holder.claim.set
    at = int(moment.timestamp())
    here = Uncollected(number, at, holder.claim.journals)
    book = Book(
        number,
        plan.digest,
        len(plan.hashes),
        plan.chunk_sets,
        (*plan.base.uncollected, here),
    )
    pointer = sets.pointer_key(facts.kind).item(
        set_number={"N": str(number)},
        version={"S": facts.version},
        as_of=items.attribute(facts.as_of),
        lists={"N": str(len(plan.hashes))},
        turned_at=items.attribute(moment.astimezone(UTC).replace(microsecond=0)),
    )
    condition, values = "attribute_not_exists(pk)", {}
    if plan.base.set:
        # Never backwards: it turns from the very set that the plan began with.
        condition, values = "set_number = :base", {":base": {"N": str(plan.base.set)}}
    holder.together_with(
        [(pointer, condition, values), (sets.book_item(facts.kind, book), "", {})],
        abandoned=(),
    )
    return book
