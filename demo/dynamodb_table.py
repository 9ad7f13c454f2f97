"""A moto table that loads files quickly and gives pages of a scan without sorting for each."""

import bisect
from collections.abc import Iterable
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import RESULT_SIZE_LIMIT, Table


class DemoTable(Table):
    """A moto table with two short cuts; everything else, writes included, is moto's own."""

    _sorted: tuple[int, list[tuple[str, str]], list[Item]] | None = None
    _version = 0

    def put_item(self, *arguments: Any, **named: Any) -> Item:
        """Put as moto does, and forget the sorted order."""
        self._version += 1
        return super().put_item(*arguments, **named)

    def delete_item(self, *arguments: Any, **named: Any) -> Item | None:
        """Delete as moto does, and forget the sorted order."""
        self._version += 1
        return super().delete_item(*arguments, **named)

    def load(self, items: Iterable[dict[str, dict[str, Any]]]) -> None:
        """Put items that are known to be valid, without moto's checks at every attribute."""
        for attributes in items:
            typed = {name: DynamoType(value) for name, value in attributes.items()}
            item: Any = Item.__new__(Item)
            item.hash_key = typed[self.hash_key_attr]
            item.range_key = typed[str(self.range_key_attr)]
            # As moto's own copying does: its dictionary measures the item at every attribute.
            item.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
            dict.update(item.attrs, typed)
            self.items[item.hash_key][item.range_key] = item
        self._version += 1

    def describe(self, base_key: str = "TableDescription") -> dict[str, Any]:
        """Describe as moto does, with the table's size, from which the cost of a read follows."""
        answer = super().describe(base_key)
        answer[base_key]["TableSizeBytes"] = sum(item.size() for item in self._in_order()[1])
        return answer

    def _in_order(self) -> tuple[list[tuple[str, str]], list[Item]]:
        """Return keys and items in the order of a scan, remembered until the next write."""
        known, version = self._sorted, self._version
        if known is None or known[0] != version:
            pairs = [
                ((str(key.value), str(item.range_key.value)), item)
                for key, ranges in list(self.items.items())
                for item in list(ranges.values())
            ]
            pairs.sort(key=lambda pair: pair[0])
            known = (version, [key for key, _ in pairs], [item for _, item in pairs])
            self._sorted = known
        return known[1], known[2]

    def page(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a scan that has no index, filter or projection."""
        names = (self.hash_key_attr, str(self.range_key_attr))
        segments = (request.get("Segment"), request.get("TotalSegments"))
        keys, items = self._in_order()
        start, first = request.get("ExclusiveStartKey"), 0
        if start is not None:
            after = (str(start[names[0]]["S"]), str(start[names[1]]["S"]))
            first = bisect.bisect_right(keys, after)
        page: list[dict[str, Any]] = []
        size, last, more = 0, first, False
        for position in range(first, len(items)):
            item = items[position]
            if segments[1] is not None and not item.is_within_segment(segments):
                continue
            size += item.size()
            more = len(page) == request.get("Limit") or size > RESULT_SIZE_LIMIT
            if more:
                break
            page.append(item.to_json()["Attributes"])
            last = position
        answer: dict[str, Any] = {"Count": len(page), "ScannedCount": len(page), "Items": page}
        if more:
            answer["LastEvaluatedKey"] = {
                name: {"S": value} for name, value in zip(names, keys[last], strict=True)
            }
        if request.get("ReturnConsumedCapacity", "NONE") != "NONE":
            # DynamoDB's rule: 4 kB a unit, half of it for an eventually consistent read.
            units = max(1, -(-min(size, RESULT_SIZE_LIMIT) // 4096))
            units = units if request.get("ConsistentRead") else units / 2
            answer["ConsumedCapacity"] = {"TableName": self.name, "CapacityUnits": units}
        return answer
