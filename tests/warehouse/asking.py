"""Ask PostgreSQL over and over by many connections, in a process of its own.

python -m tests.warehouse.asking DSN READERS STOP

Each answer names its version; publication n has the amount n, so that any mix shows. Prints JSON:
the errors, the answers that are a mix, how many were given, and of how many versions.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg

ASKED = """
select p.version, o.amount, l.amount, t.amount
from meta.publication as p
cross join core.orders as o
cross join core.order_lines as l
cross join (select max(amount) as amount from core.orders) as t
"""
# One in five takes its time, so that what it reads outlives the switch and is collected later.
SLOW = ASKED + "where pg_sleep(0.02) is not null"
# Without one, readers would leave the publisher no processor.
_PAUSE = 0.01


def ask(dsn: str, number: int, stop: Path, found: dict[str, Any], ready: threading.Barrier) -> None:
    """Ask as `bi_reader` until `stop` is there."""
    query = (SLOW if number % 5 == 4 else ASKED).encode()
    answers, mixed, errors, versions = 0, [], [], set[str]()
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=number % 2 or None) as reader:
        reader.execute("set role bi_reader")
        ready.wait(60)
        while not stop.exists():
            time.sleep(_PAUSE)
            try:
                rows = reader.execute(query).fetchall()
            except psycopg.Error as error:
                errors.append(f"{error.sqlstate} {error}")
                continue
            answers += 1
            versions |= {row[0] for row in rows}
            expected = [(f"v{row[1]:06d}", row[1], row[1], row[1]) for row in rows]
            if len(rows) != 1 or rows != expected:
                mixed.append(rows)
    found["answers"].append(answers)
    found["mixed"] += mixed
    found["errors"] += errors
    found["versions"] |= versions


if __name__ == "__main__":
    dsn, readers, stop = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    found: dict[str, Any] = {"answers": [], "mixed": [], "errors": [], "versions": set()}
    ready = threading.Barrier(readers + 1)
    threads = [
        threading.Thread(target=ask, args=(dsn, number, stop, found, ready))
        for number in range(readers)
    ]
    for thread in threads:
        thread.start()
    ready.wait(60)
    print("ready", flush=True)
    for thread in threads:
        thread.join()
    found["versions"] = len(found["versions"])
    print(json.dumps(found))
