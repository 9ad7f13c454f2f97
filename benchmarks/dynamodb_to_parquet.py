"""DynamoDB pages to Parquet, ours against the stock way.

Run it as `python benchmarks/dynamodb_to_parquet.py`.

A page server in a process of its own serves 300,000 items (about 630 bytes, 17 attributes with
maps, lists, sets, NULLs, one attribute of two types and one that only the last items have) in 1 MB
pages. Ours scans them into a load package. The stock way is boto3's paginator, TypeDeserializer
and pyarrow, on the first tenth of the items: its rate is compared, because all would take minutes.
Wall time and the process's own CPU time are compared; the floor of the ratios is 5.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from boto3.dynamodb.types import TypeDeserializer

from extractors.dynamodb.client import dynamodb_client
from extractors.dynamodb.route import Route
from extractors.dynamodb.scan import scan_table

ITEMS = 300_000
STOCK_ITEMS = 30_000
ITEMS_PER_PAGE = 1_500  # about 1 MB, as DynamoDB cuts them
FLOOR = 5.0
SERVER = Path(__file__).resolve().parents[1] / "tests/extractors/dynamodb/page_server.py"

NUMBER = pa.decimal128(38, 10)
STOCK_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("pk", "sk", "event_type", "occurred_at", "product_id")),
        *((name, pa.string()) for name in ("session_id", "referrer", "user_agent", "price")),
        *((name, pa.string()) for name in ("coupon", "late")),
        ("is_bot", pa.bool_()),
        ("quantity", NUMBER),
        ("sequence", NUMBER),
        ("tags", pa.list_(pa.string())),
        ("scores", pa.list_(NUMBER)),
        (
            "context",
            pa.struct(
                [
                    ("country", pa.string()),
                    ("device", pa.string()),
                    ("geo", pa.struct([("lat", NUMBER), ("lon", NUMBER)])),
                ]
            ),
        ),
        ("products", pa.list_(pa.string())),
    ]
)


def item(number: int) -> dict[str, Any]:
    """Return one event in DynamoDB JSON."""
    event: dict[str, Any] = {
        "pk": {"S": f"CUSTOMER#{number // 7:08d}"},
        "sk": {"S": f"EVENT#{number:010d}"},
        "event_type": {"S": ("view", "click", "cart", "order")[number % 4]},
        "occurred_at": {
            "S": f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T12:{number % 60:02d}Z"
        },
        "product_id": {"S": f"PRODUCT-{number * 31 % 50_000:06d}"},
        "session_id": {"S": f"{number * 2654435761 % (1 << 96):024x}"},
        "price": {"S": "n/a"}
        if number % 23_000 == 9
        else {"N": f"{number % 500}.{number % 100:02d}"},
        "quantity": {"N": str(number % 9 + 1)},
        "sequence": {"N": f"{number * 7919}"},
        "is_bot": {"BOOL": number % 50 == 0},
        "referrer": (
            {"NULL": True} if number % 3 == 0 else {"S": f"https://example.org/{number % 1000}"}
        ),
        "user_agent": {"S": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},
        "tags": {"SS": [f"t{number % 7}", f"a{number % 5}"]},
        "scores": {"NS": [f"{number % 40}.5", "7"]},
        "context": {
            "M": {
                "device": {"S": "mobile"},
                "country": {"S": ("GB", "DE", "FR")[number % 3]},
                "geo": {"M": {"lat": {"N": f"51.{number % 9973 + 1}"}, "lon": {"N": "-0.12"}}},
            }
        },
        "products": {"L": [{"S": f"P{number % 99}"}, {"S": f"P{number % 5}"}]},
    }
    if number % 5:
        event["coupon"] = {"S": f"SAVE{number % 30}"}
    if number >= ITEMS - 1000:
        event["late"] = {"S": "new"}
    return event


def write_pages(folder: Path, count: int) -> int:
    """Write the pages of the first items into a folder; return their bytes."""
    folder.mkdir()
    size = 0
    for start in range(0, count, ITEMS_PER_PAGE):
        events = [item(number) for number in range(start, min(start + ITEMS_PER_PAGE, count))]
        page = json.dumps(events, separators=(",", ":")).encode()
        size += len(page)
        (folder / f"page-{start:09d}.json").write_bytes(page)
    return size


@contextmanager
def served(folder: Path) -> Iterator[Any]:
    """Yield a client of a page server, a process of its own."""
    server = subprocess.Popen(
        [sys.executable, str(SERVER), str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        yield dynamodb_client("eu-west-2", server.stdout.readline().strip())
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def ours(client: Any, folder: Path) -> int:
    (manifest,) = scan_table(
        client,
        "events",
        source="activity",
        cell="main",
        landing=folder,
        routes=[Route("events")],
        now=lambda: datetime.now(UTC),
    )
    return manifest.rows


def stock(client: Any, folder: Path) -> int:
    deserialize = TypeDeserializer().deserialize
    pages = client.get_paginator("scan").paginate(TableName="events", Segment=0, TotalSegments=1)
    rows = 0
    with pq.ParquetWriter(folder / "stock.parquet", STOCK_SCHEMA, compression="zstd") as writer:
        for page in pages:
            records = [
                {name: deserialize(value) for name, value in item.items()} for item in page["Items"]
            ]
            for record in records:
                record["price"] = str(record["price"])
                record["tags"], record["scores"] = sorted(record["tags"]), sorted(record["scores"])
            writer.write_table(pa.Table.from_pylist(records, schema=STOCK_SCHEMA))
            rows += len(records)
    return rows


def measured(
    way: Callable[[Any, Path], int], client: Any, folder: Path, name: str
) -> tuple[float, float]:
    """Run one way, print it, and return items per second of wall time and of CPU time."""
    folder.mkdir()
    wall, cpu = time.perf_counter(), time.process_time()
    rows = way(client, folder)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"{name:6} {rows:8,} items  {wall:6.1f} s wall {cpu:6.1f} s CPU"
        f"  {rows / wall:9,.0f} items/s  {rows / cpu:9,.0f} items/CPU-s"
    )
    return rows / wall, rows / cpu


def main() -> int:
    os.environ |= {"AWS_ACCESS_KEY_ID": "benchmark", "AWS_SECRET_ACCESS_KEY": "benchmark"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_pages(folder / "all", ITEMS)
        write_pages(folder / "first", STOCK_ITEMS)
        print(f"{ITEMS:,} items of {size // ITEMS} bytes; stock way on the first {STOCK_ITEMS:,}")
        with served(folder / "all") as client:
            fast = measured(ours, client, folder / "ours", "ours")
        with served(folder / "first") as client:
            slow = measured(stock, client, folder / "stock", "stock")
    wall, cpu = fast[0] / slow[0], fast[1] / slow[1]
    print(f"ratio {wall:.1f} by wall time, {cpu:.1f} by CPU time (floor {FLOOR:.0f})")
    return 0 if wall >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
