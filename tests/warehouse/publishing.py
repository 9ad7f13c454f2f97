"""Publish a small literal build, in a process of its own that may be killed on the way.

python -m tests.warehouse.publishing POINT CONFIGURATION AMOUNT
"""

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from tests.faults.points import Hook, after, before
from warehouse import config
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.publish import publication

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMAS = "warehouse.engines.postgres_schemas"
TURN = "warehouse.engines.postgres_swap"
STORE = "warehouse.engines.postgres_store"
READERS = "warehouse.engines.postgres_readers"
CATALOG = "warehouse.engines.postgres_catalog"


def _is_old(_connection: Any, schema: str) -> bool:
    return "__old_" in schema


def _drops_content(_connection: Any, script: str) -> bool:
    return script.startswith('DROP TABLE "store".')


# Where a publication into PostgreSQL is struck. The first publication made v000001, and `keep` is
# one: this one loads v000002, shows it and drops the first.
POINTS: dict[str, Hook] = {
    "rows in, their transaction open": before(STORE, "_compare"),
    "tables loaded": after(STORE, "load"),
    "version pinned": after(SCHEMAS, "pin"),
    "readers' views pinned, their transaction open": after(READERS, "_pin"),
    "rights given": after(READERS, "grant"),
    "version recorded": before(SCHEMAS, "show"),
    "next schemas built": after("warehouse.engines.postgres_aside", "build"),
    "swap begun, its transaction open": after(TURN, "_rename"),
    "views of both versions shown": after(TURN, "rename"),
    "turned": after(TURN, "turn"),
    "swapped": after(SCHEMAS, "show"),
    "swapped schema dropped, its transaction open": after(CATALOG, "drop_schema", when=_is_old),
    "old version dropped, its transaction open": after(SCHEMAS, "_drop_version", 2),
    "one of its tables dropped": after(CATALOG, "run", when=_drops_content),
    "nothing left to collect": after(SCHEMAS, "collect"),
}


# Those at which it matters what the public schemas are made of.
SWAP = ("next schemas built", "swap begun, its transaction open", "swapped")


def publish(build: duckdb.DuckDBPyConnection, settings: Settings, amount: int) -> str:
    """Publish orders and lines of one amount, and products as ever."""
    build.execute("CREATE SCHEMA IF NOT EXISTS core")
    build.execute("CREATE OR REPLACE TABLE core.products AS SELECT 'é''s' AS name, 7 AS product_id")
    build.execute("CREATE OR REPLACE TABLE core.visits AS SELECT n FROM range(6) AS numbers (n)")
    for table in ("orders", "order_lines"):
        build.execute(
            f"CREATE OR REPLACE TABLE core.{table} AS SELECT {amount} AS amount, 'main' AS cell"
        )
    build.execute("COMMENT ON TABLE core.orders IS 'One row per order.'")
    build.execute("COMMENT ON COLUMN core.orders.amount IS 'What it''s worth, 100 %.'")
    return publication.publish(
        build,
        settings,
        run_id="run",
        as_of=AS_OF,
        fingerprint=str(amount),
        next_due_at=None,
        sources_of={("core", "orders"): [("s", "t")]},
        unmatched={},
        keys={("core", "orders"): ["amount"]},
        references={("core", "order_lines"): [("amount", ("core", "orders"), "amount")]},
    ).version


if __name__ == "__main__":
    POINTS[sys.argv[1]](lambda: os.kill(os.getpid(), signal.SIGKILL))
    loaded = config.load(Path(sys.argv[2]))
    with duckdb_engine.build_database(loaded.build_database) as connection:
        publish(connection, loaded, int(sys.argv[3]))
