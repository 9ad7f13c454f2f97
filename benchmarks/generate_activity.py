"""Items of visits made and rendered a second on one core, beside Python writing ready dicts."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from demo.activity import Activity, activity
from demo.items import rendered
from demo.orders import OPENED, history_of
from demo.parameters import Parameters
from demo.tables import DYNAMODB_TABLES

NOW, SEED, SCALE = datetime(2026, 4, 1, tzinfo=UTC), 1, 5.0
ENTITIES = {
    "shop_activity": ("product_events", "searches", "cart_events", "trigger_sends"),
    "campaign_events": ("campaign_events",),
    "affiliate_clicks": ("affiliate_clicks",),
}


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the processor time of this process, all its threads together: one core's seconds."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def lines_of(found: Activity) -> list[pa.ChunkedArray]:
    """Return the lines of all items of the three DynamoDB tables."""
    return [
        rendered([found.items[entity] for entity in entities], DYNAMODB_TABLES[table])["item"]
        for table, entities in ENTITIES.items()
    ]


def main() -> None:
    """Print items a second of making, of making and rendering, and of the floor."""
    duckdb.execute("set threads = 1")
    history = history_of(None, None, NOW, OPENED, SEED, SCALE, Parameters())
    making, found = seconds(lambda: activity(history, SEED, Parameters()))
    rendering, lines = seconds(lambda: lines_of(found))
    items = [json.loads(line) for column in lines for line in column.to_pylist()]
    floor, _ = seconds(lambda: [json.dumps(item, separators=(",", ":")) for item in items])
    count, both = len(items), making + rendering
    print(f"items                        {count:>12,}")
    print(f"made                         {count / making:>12,.0f} a second")
    print(f"made and rendered            {count / both:>12,.0f} a second")
    print(f"json.dumps of ready items    {count / floor:>12,.0f} a second")
    print(f"ratio to json.dumps          {floor / both:>12.2f}")


if __name__ == "__main__":
    main()
