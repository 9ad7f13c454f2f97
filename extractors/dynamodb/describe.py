"""Ask a table what it is: key, size, billing; and what a scan of it will cost."""

import math
from dataclasses import dataclass
from typing import Any

from extractors.dynamodb.errors import explained, place
from extractors.errors import SourceError

# An ordinary read costs half a unit per 4 KiB, a consistent one a whole unit.
_UNIT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class TableReport:
    """What DescribeTable says. Item count and size are DynamoDB's own, up to six hours old."""

    table: str
    identity: str
    key: dict[str, str]
    items: int
    bytes: int
    billing_mode: str
    provisioned: int | None

    def scan_units(self, *, consistent: bool = False) -> float:
        """Return the read units that a whole scan consumes, about."""
        units = math.ceil(self.bytes / _UNIT_BYTES)
        return float(units) if consistent else units / 2

    def scan_seconds(self, rate: float | None, *, consistent: bool = False) -> float | None:
        """Return how long a scan takes at `rate` units per second, None without a limit."""
        return self.scan_units(consistent=consistent) / rate if rate else None

    @property
    def units_per_item(self) -> float | None:
        """Return what an item costs on average, None where the table was empty."""
        return self.bytes / self.items / _UNIT_BYTES / 2 if self.items else None


def inspect(client: Any, table: str) -> TableReport:
    """Return the report of a table; SourceError says what is wrong and what to do."""
    with explained(client, table):
        description = client.describe_table(TableName=table)["Table"]
    if description["TableStatus"] not in ("ACTIVE", "UPDATING"):
        raise SourceError(
            f"{place(client, table)}: is {description['TableStatus']}; wait until it is ACTIVE"
        )
    types = {
        attribute["AttributeName"]: attribute["AttributeType"]
        for attribute in description["AttributeDefinitions"]
    }
    provisioned = description.get("ProvisionedThroughput", {}).get("ReadCapacityUnits") or None
    created = description["CreationDateTime"]
    return TableReport(
        table=table,
        identity=" ".join(
            [description["TableArn"], description.get("TableId", ""), created.isoformat()]
        ),
        key={
            element["AttributeName"]: types[element["AttributeName"]]
            for element in sorted(description["KeySchema"], key=lambda e: e["KeyType"] != "HASH")
        },
        items=description.get("ItemCount", 0),
        bytes=description.get("TableSizeBytes", 0),
        billing_mode=description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        provisioned=provisioned,
    )
