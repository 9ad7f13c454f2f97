"""Remove from a DynamoDB table what newer sets superseded, once no reader can want it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from extractors.errors import SourceError
from warehouse.export import sets
from warehouse.export.claims import Holder, Table
from warehouse.export.items import Item
from warehouse.export.sets import Abandoned, Book, Entry, Key, Uncollected

BATCH = 25
_SIGN = 40  # batches between two signs of life


def present(item: Item | None, table: Table, kind: str) -> Item:
    """Return an item that has to be there."""
    if item is None:
        raise SourceError(
            f"DynamoDB table {table.table}: items of the {kind} export are missing, which something"
            " else has removed; name another table, or remove this one's items and export again"
        )
    return item


def leftovers(
    table: Table, kind: str, abandoned: tuple[Abandoned, ...]
) -> dict[str, tuple[int, ...]]:
    """Return what abandoned sets may have written: partition, and the numbers of its items."""
    found: dict[str, list[int]] = {}
    for left in abandoned:
        if left.began:
            for entry in _entries(table, kind, left.set, left.journals):
                # It did not write the journals of sets abandoned before it, which come here too.
                if not entry.pk.startswith("journal#"):
                    found.setdefault(entry.pk, []).append(left.set)
        if left.journals:
            found[sets.journal_pk(kind, left.set)] = list(range(1, left.journals + 1))
    return {pk: tuple(numbers) for pk, numbers in found.items()}


def _entries(table: Table, kind: str, of_set: int, journals: int) -> Iterator[Entry]:
    """Yield the entries of a set's journals; those that a killed collection removed are done."""
    for position in range(1, journals + 1):
        item = table.get(sets.journal_pk(kind, of_set), position)
        if item is not None:
            yield from sets.journal_entries([sets.unpacked(item, "journal")])


def collect(
    table: Table, kind: str, holder: Holder, book: Book, until: datetime
) -> tuple[int, float]:
    """Remove what was superseded by sets that readers see since `until` or longer.

    Returns how many items were asked to go, and the units that it took. Killed anywhere, the next
    call does the rest: a set is struck off the book when all its items are gone.
    """
    gone, units = 0, 0.0
    for old in book.uncollected:
        if old.at > until.timestamp():
            break
        for doomed in (_superseded, _tombstones, _journals):
            for number, batch in enumerate(sets.batches(doomed(table, kind, old), BATCH)):
                units += table.write(batch)
                gone += len(batch)
                if number % _SIGN == _SIGN - 1:
                    holder.update()
        book = replace(book, uncollected=book.uncollected[1:])
        holder.together_with([(sets.book_item(kind, book), "", {})])
    return gone, units


def _superseded(table: Table, kind: str, old: Uncollected) -> Iterator[dict[str, Any]]:
    for entry in _entries(table, kind, old.set, old.journals):
        for number in entry.superseded:
            yield sets.delete(Key(entry.pk, number))


def _tombstones(table: Table, kind: str, old: Uncollected) -> Iterator[dict[str, Any]]:
    """Yield the marks of removed lists: what they hide went before them."""
    for entry in _entries(table, kind, old.set, old.journals):
        if entry.removed:
            yield sets.delete(Key(entry.pk, old.set))


def _journals(table: Table, kind: str, old: Uncollected) -> Iterator[dict[str, Any]]:
    del table
    for position in range(1, old.journals + 1):
        yield sets.delete(Key(sets.journal_pk(kind, old.set), position))
