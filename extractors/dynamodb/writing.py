"""Write items to a DynamoDB table in batches, and what depends on them under a condition."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from extractors.dynamodb.errors import code_of, explained
from extractors.dynamodb.pages import THROTTLES
from extractors.errors import SourceError

Item = Mapping[str, Mapping[str, Any]]

BATCH = 25  # what one BatchWriteItem takes
# A busy table is asked again after 0 to 50 ms, 100 ms, 200 ms, … 20 s: at random within that, so
# that several writers do not come back together.
SHORTEST, LONGEST = 0.05, 20.0
# Seconds without one item being taken after which it is given up.
PATIENCE = 60.0

_ADVICE = {
    "ResourceNotFoundException": (
        "no such table; check its name, the region and the endpoint, or make it with --create-table"
    ),
    "AccessDeniedException": (
        "access denied; grant dynamodb:DescribeTable, GetItem, PutItem and BatchWriteItem on it"
    ),
    "ValidationException": "the request was refused; its keys are to be pk (S) and sk (N)",
} | dict.fromkeys(
    THROTTLES,
    "throttled for too long; raise the table's write capacity, then run the command again: it"
    " goes on where it stopped",
)
KEYS = (("pk", "HASH", "S"), ("sk", "RANGE", "N"))


class ItemTable:
    """A table whose keys are `pk` (S) and `sk` (N); items are in DynamoDB's own notation.

    Every read is strongly consistent. SourceError names the table and what to do.
    """

    def __init__(
        self, client: Any, table: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self.table = table
        self._sleep = sleep
        self._is_to_be_made = False

    def check(self, create: bool = False, *, dry_run: bool = False) -> bool:
        """Refuse a table that is not there or has other keys; return whether it is created now.

        With `dry_run` a table to create is not made, and reads as an empty one.
        """
        with explained(self._client, self.table, _ADVICE):
            try:
                found = self._client.describe_table(TableName=self.table)["Table"]
            except ClientError as error:
                if not create or code_of(error) != "ResourceNotFoundException":
                    raise
                if dry_run:
                    self._is_to_be_made = True
                else:
                    self._create()
                return True
        types = {part["AttributeName"]: part["AttributeType"] for part in _attributes(found)}
        keys = tuple(
            (part["AttributeName"], part["KeyType"], types.get(part["AttributeName"]))
            for part in found["KeySchema"]
        )
        if keys != KEYS:
            raise SourceError(
                f"DynamoDB table {self.table}: its keys are"
                f" {', '.join(f'{name} ({type_})' for name, _, type_ in keys)}, where pk (S) and sk"
                " (N) are needed; name a table of its own, which --create-table makes"
            )
        return False

    def _create(self) -> None:
        self._client.create_table(
            TableName=self.table,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind, _ in KEYS],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": type_} for name, _, type_ in KEYS
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        self._client.get_waiter("table_exists").wait(
            TableName=self.table, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )

    def get(self, pk: str, sk: int) -> dict[str, Any] | None:
        """Return an item, None where there is none."""
        if self._is_to_be_made:
            return None
        key = {"pk": {"S": pk}, "sk": {"N": str(sk)}}
        return self._patiently(
            lambda: self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        ).get("Item")

    def write(self, requests: Sequence[dict[str, Any]]) -> float:
        """Put and delete up to 25 items, again until each is taken; return the units consumed."""
        rest, units, attempt, since = list(requests), 0.0, 0, time.monotonic()
        why = ""
        while rest:
            try:
                with explained(self._client, self.table, _ADVICE, passing=THROTTLES):
                    answer = self._client.batch_write_item(
                        RequestItems={self.table: rest}, ReturnConsumedCapacity="TOTAL"
                    )
            except ClientError as error:
                left, why = rest, code_of(error)
            else:
                why = "UnprocessedItems"
                used = answer.get("ConsumedCapacity", ())
                units += sum(float(part["CapacityUnits"]) for part in used)
                left = answer.get("UnprocessedItems", {}).get(self.table, [])
            if len(left) < len(rest):
                attempt, since = 0, time.monotonic()
            rest = left
            if rest:
                attempt = self._wait(attempt, since, why)
        return units

    def put_if(self, item: Item, condition: str, values: Mapping[str, Any]) -> bool:
        """Put an item where what is there meets the condition; return whether it is there now."""
        try:
            self._patiently(
                lambda: self._client.put_item(
                    TableName=self.table,
                    Item=item,
                    **_condition(condition, values),
                ),
                "ConditionalCheckFailedException",
            )
        except ClientError:
            # botocore tries again when an answer got lost: the first one may have been taken.
            return self.get(item["pk"]["S"], int(item["sk"]["N"])) == item
        return True

    def put_together(self, puts: Sequence[tuple[Item, str, Mapping[str, Any]]]) -> bool:
        """Put all items where each meets its condition, or none; return whether they were put."""
        actions: list[dict[str, Any]] = []
        for item, condition, values in puts:
            put = {"TableName": self.table, "Item": item}
            actions.append({"Put": put | _condition(condition, values)})
        try:
            self._patiently(
                lambda: self._client.transact_write_items(TransactItems=actions),
                "TransactionCanceledException",
            )
        except ClientError:
            first = puts[0][0]
            return self.get(first["pk"]["S"], int(first["sk"]["N"])) == first
        return True

    def _patiently(self, call: Callable[[], Any], *passing: str) -> Any:
        """Return what a call answers, asked again while the table is busy."""
        attempt, since = 0, time.monotonic()
        while True:
            try:
                with explained(self._client, self.table, _ADVICE, passing=THROTTLES | {*passing}):
                    return call()
            except ClientError as error:
                if code_of(error) in passing:
                    raise
                attempt = self._wait(attempt, since, code_of(error))

    def _wait(self, attempt: int, since: float, code: str) -> int:
        """Wait before the next attempt, and return its number."""
        if time.monotonic() - since > PATIENCE:
            advice = _ADVICE["ThrottlingException"]
            raise SourceError(f"DynamoDB table {self.table}: {advice} [{code}]")
        self._sleep(random.uniform(0, min(LONGEST, SHORTEST * 2**attempt)))  # noqa: S311  no secret
        return min(attempt + 1, 30)


def _condition(condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a condition as requests say it; DynamoDB refuses one that is empty, or its values."""
    said: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
    return said | ({"ExpressionAttributeValues": values} if values else {})


def _attributes(found: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    return found.get("AttributeDefinitions", ())
