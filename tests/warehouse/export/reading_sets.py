"""The reader's recipe of docs/how-to/export-recommendations.md, and a table that can be killed."""

from collections.abc import Mapping, Sequence
from typing import Any


class KilledError(BaseException):
    """The process is gone: nobody catches it."""


class MemoryTable:
    """A table in memory, which dies before a given number of writes; a batch may be half taken."""

    def __init__(self) -> None:
        self.table = "memory"
        self.items: dict[tuple[str, int], dict[str, Any]] = {}
        self.left: int | None = None
        self.writes = 0

    def _live(self) -> None:
        if self.left == 0:
            raise KilledError
        if self.left is not None:
            self.left -= 1
        self.writes += 1

    def get(self, pk: str, sk: int) -> dict[str, Any] | None:
        return self.items.get((pk, sk))

    def _place(self, item: Mapping[str, Any]) -> tuple[str, int]:
        return item["pk"]["S"], int(item["sk"]["N"])

    def write(self, requests: Sequence[dict[str, Any]]) -> float:
        for request in requests:
            self._live()
            if "PutRequest" in request:
                item = request["PutRequest"]["Item"]
                self.items[self._place(item)] = dict(item)
            else:
                self.items.pop(self._place(request["DeleteRequest"]["Key"]), None)
        return float(len(requests))

    def put_if(self, item: Mapping[str, Any], condition: str, values: Mapping[str, Any]) -> bool:
        self._live()
        if self._meets(item, condition, values):
            self.items[self._place(item)] = dict(item)
            return True
        return False

    def put_together(self, puts: Sequence[tuple[Any, str, Mapping[str, Any]]]) -> bool:
        self._live()
        if all(self._meets(*put) for put in puts):
            self.items |= {self._place(item): dict(item) for item, _, _ in puts}
            return True
        return False

    def _meets(self, item: Mapping[str, Any], condition: str, values: Mapping[str, Any]) -> bool:
        there = self.items.get(self._place(item))
        if condition == "attribute_not_exists(pk)":
            return there is None
        wanted = [part.split(" = ") for part in condition.split(" AND ") if part]
        return all((there or {}).get(name) == values[value] for name, value in wanted)

    def query(self, pk: str, up_to: int) -> dict[str, Any] | None:
        """Return the newest item of a partition up to a sort key."""
        found = [key for key in self.items if key[0] == pk and key[1] <= up_to]
        return self.items[max(found)] if found else None

    def seen(self, kind: str, keys: Sequence[str]) -> dict[str, Any]:
        """Return the list of each key as a reader sees it now."""
        pointer = self.get(f"set#{kind}", 0)
        number = int(pointer["set_number"]["N"]) if pointer else 0
        found = {key: self.query(f"{kind}#{key}", number) for key in keys}
        return {
            key: item["ranked"] for key, item in found.items() if item and "removed" not in item
        }
