"""A moto table whose items stay in a file until somebody asks moto for them."""

import bisect
import copy
import json
from collections.abc import Iterator
from hashlib import md5
from itertools import groupby
from threading import RLock
from typing import Any

import numpy as np
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import RESULT_SIZE_LIMIT, Table
from moto.dynamodb.models.utilities import dynamo_json_dump

from demo.dynamodb_files import ItemFile, Key, Rows


def moto_item(attributes: dict[str, dict[str, Any]], keys: tuple[str, str]) -> Item:
    """Return moto's form of an item that is known to be valid, without its checks."""
    typed = {name: DynamoType(value) for name, value in attributes.items()}
    item: Any = Item.__new__(Item)
    item.hash_key, item.range_key = (typed[key] for key in keys)
    # As moto's own copying does: its dictionary measures the item at every attribute.
    item.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    dict.update(item.attrs, typed)
    return item


def segment_byte(hash_key: str) -> int:
    """Return the number from which moto takes an item's segment of a parallel scan."""
    return md5(hash_key.encode(), usedforsecurity=False).digest()[0]


class Groups(dict[DynamoType, dict[DynamoType, Item]]):
    """moto's items by hash and range key; a hash key's are made when it is first asked for."""

    def __init__(self, file: ItemFile, keys: tuple[str, str]) -> None:
        super().__init__()
        self._file = file
        self._keys = keys
        # hash key -> its rows in the file, which no longer count
        self.taken: dict[str, tuple[int, int]] = {}
        self._has_all = False
        self._lock = RLock()

    def __missing__(self, key: DynamoType) -> dict[DynamoType, Item]:
        with self._lock:
            if not super().__contains__(key):
                self._take(*self._file.group(str(key.value)), key)
            return super().__getitem__(key)

    def _take(self, first: int, last: int, key: DynamoType) -> None:
        items = (moto_item(self._file.item(row), self._keys) for row in range(first, last))
        self.taken[str(key.value)] = (first, last)
        self[key] = {item.range_key: item for item in items if item.range_key is not None}

    def _take_all(self) -> None:
        with self._lock:
            rows = range(0 if self._has_all else len(self._file))
            for hash_key, group in groupby(rows, key=lambda row: self._file.key(row)[0]):
                if hash_key not in self.taken:
                    first, *others = group
                    self._take(first, first + len(others) + 1, DynamoType({"S": hash_key}))
            self._has_all = True

    def made(self) -> tuple[list[tuple[Key, Item]], dict[str, tuple[int, int]]]:
        """Return key and item of all that moto has in its hands, in order, and `taken`."""
        with self._lock:
            found = [
                ((str(key.value), str(item.range_key.value)), item)
                for key, group in list(super().items())
                for item in list(group.values())
                if item.range_key is not None
            ]
            return sorted(found, key=lambda pair: pair[0]), dict(self.taken)

    def __iter__(self) -> Iterator[DynamoType]:
        self._take_all()
        return super().__iter__()

    def __len__(self) -> int:
        self._take_all()
        return super().__len__()

    def values(self) -> Any:
        """Return all items, as moto's filtered scans want them."""
        self._take_all()
        return super().values()

    def items(self) -> Any:
        """Return all items with their hash keys."""
        self._take_all()
        return super().items()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Groups":
        """Copy what moto could change, as its transactions do before they begin."""
        copied = Groups(self._file, self._keys)
        with self._lock:
            copied.taken, copied._has_all = dict(self.taken), self._has_all
            for key, group in list(super().items()):
                copied[key] = copy.deepcopy(group, memo)
        return copied


class Order:
    """All items of a table in the order of a scan, from the file and from moto's hands."""

    def __init__(self, file: ItemFile, groups: Groups) -> None:
        self._file = file
        self._made, taken = groups.made()
        in_file = np.ones(len(file), bool)
        for first, last in taken.values():
            in_file[first:last] = False
        rows: Rows = np.flatnonzero(in_file)
        starts = [taken[key[0]][0] for key, _ in self._made]
        # Row -1 is the first item in moto's hands, -2 the second.
        numbers = -1 - np.arange(len(self._made))
        self._rows: Rows = np.insert(rows, np.searchsorted(rows, starts), numbers)
        self._sizes: Rows = self._of_all(file.sizes, [item.size() for _, item in self._made])
        self._selected: dict[tuple[int, int] | None, tuple[Rows, Rows]] = {}
        self._selected[None] = (np.arange(len(self._rows)), np.cumsum(self._sizes))

    def _of_all(self, of_file: Any, of_made: list[int]) -> Rows:
        """Return a figure of each item: the file's by row, of the others as listed."""
        found = np.zeros(len(self._rows), np.int64)
        is_made = self._rows < 0
        found[~is_made] = of_file[self._rows[~is_made]]
        found[is_made] = of_made
        return found

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def size(self) -> int:
        """The bytes of all items together."""
        return int(self._sizes.sum())

    def key(self, position: int) -> Key:
        """Return the key of the item at a position of the scan."""
        row = int(self._rows[position])
        return self._file.key(row) if row >= 0 else self._made[-1 - row][0]

    def select(self, segment: tuple[int, int] | None) -> tuple[Rows, Rows]:
        """Return the positions of a segment `(number, of how many)` and their summed sizes."""
        known = self._selected.get(segment)
        if known is None:
            number, count = segment or (0, 1)
            segments = self._of_all(
                self._file.segments, [segment_byte(key[0]) for key, _ in self._made]
            )
            positions = np.flatnonzero(segments % count == number)
            known = self._selected[segment] = (positions, np.cumsum(self._sizes[positions]))
        return known

    def joined(self, positions: Rows) -> bytes:
        """Return the items at some positions in DynamoDB JSON, with commas between them."""
        rows = self._rows[positions]
        made = np.flatnonzero(rows < 0)
        if not len(made):
            return self._file.joined(rows)
        pieces: list[bytes] = []
        for part in np.split(rows, np.unique(np.concatenate([made, made + 1]))):
            if len(part) and part[0] < 0:
                item = self._made[-1 - int(part[0])][1]
                pieces.append(dynamo_json_dump(item.to_json()["Attributes"]).encode())
            elif len(part):
                pieces.append(self._file.joined(part))
        return b",".join(pieces)


class DemoTable(Table):
    """A moto table with pages of its own; everything else, writes included, is moto's."""

    _order: tuple[int, Order] | None = None
    _writes = 0

    def serve(self, file: ItemFile) -> None:
        """Hold the items of a file."""
        self._file = file
        self.items: Any = Groups(file, self._key_names)

    @property
    def _key_names(self) -> tuple[str, str]:
        return self.hash_key_attr, str(self.range_key_attr)

    def touch(self) -> None:
        """Forget the order: somebody may have written."""
        self._writes += 1

    def in_order(self) -> Order:
        """Return all items in the order of a scan, remembered until the next write."""
        known, writes = self._order, self._writes
        if known is None or known[0] != writes:
            known = self._order = (writes, Order(self._file, self.items))
        return known[1]

    def __len__(self) -> int:
        return len(self.in_order())

    def describe(self, base_key: str = "TableDescription") -> dict[str, Any]:
        """Describe as moto does, with the table's size, from which the cost of a read follows."""
        answer = super().describe(base_key)
        answer[base_key]["TableSizeBytes"] = self.in_order().size
        return answer

    def page(self, request: dict[str, Any]) -> bytes:
        """Return the answer to a scan that has no index, filter or projection."""
        order, names = self.in_order(), self._key_names
        segments = request.get("TotalSegments")
        positions, ends = order.select(
            None if segments is None else (request.get("Segment", 0), segments)
        )
        start, first = request.get("ExclusiveStartKey"), 0
        if start is not None:
            after = (str(start[names[0]]["S"]), str(start[names[1]]["S"]))
            first = bisect.bisect_right(positions, after, key=lambda place: order.key(int(place)))
        before = int(ends[first - 1]) if first else 0
        last = int(np.searchsorted(ends, before + RESULT_SIZE_LIMIT, side="right"))
        last = min(last, first + request.get("Limit", last))
        count = last - first
        answer: dict[str, Any] = {"Count": count, "ScannedCount": count}
        if last < len(positions):
            key = order.key(int(positions[last - 1]))
            answer["LastEvaluatedKey"] = {
                name: {"S": value} for name, value in zip(names, key, strict=True)
            }
        if request.get("ReturnConsumedCapacity", "NONE") != "NONE":
            # DynamoDB's rule: 4 kB a unit, half of it for an eventually consistent read.
            size = int(ends[last - 1]) - before if count else 0
            units = max(1, -(-size // 4096))
            units = units if request.get("ConsistentRead") else units / 2
            answer["ConsumedCapacity"] = {"TableName": self.name, "CapacityUnits": units}
        rest = json.dumps(answer, separators=(",", ":")).encode()
        return b'{"Items":[' + order.joined(positions[first:last]) + b"]," + rest[1:]
