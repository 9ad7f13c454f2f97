"""Run the `warehouse` command and kill it, as `kill -9` does, in the middle of a step's writes.

python -m tests.faults.killed POINT COMMAND...
"""

import os
import signal
import sys
import time
from typing import Any

from cli.main import main
from orchestration import dbt
from tests.faults.points import Hook, after, before, in_dbt


def die() -> None:
    """End this process at once, with nothing flushed or cleaned."""
    os.kill(os.getpid(), signal.SIGKILL)


def _later(hook: Hook, seconds: float) -> Hook:
    """Strike a little after the point."""
    return lambda strike: hook(lambda: (time.sleep(seconds), strike())[1])


def _is_certificate(_connection: Any, kind: str, *_args: Any, **_body: Any) -> bool:
    return kind == "certificate"


POINTS: dict[str, Hook] = {
    # parts of the third table are written and durable, its manifest is not
    "extract": before("extractors.package:PackageWriter", "commit", 3),
    # rows of the third package are in raw, its transaction is open
    "load": after("warehouse.engines.duckdb_raw", "apply_parts", 3),
    # a certificate's row is written, its transaction is open
    "certify": after("warehouse.load.outbox", "add", 2, _is_certificate),
    # some models are built; dbt goes on without its parent
    "build": _later(in_dbt(4), 0.5),
    # the entries of affiliates' commissions are written, no record names them
    "post": after("warehouse.ledger.posting", "write"),
    # the version's file is written under its temporary name
    "publish": after("warehouse.engines.duckdb_snapshot", "copy_public"),
    # the version is recorded in state, readers still see the one before
    "switch": before("warehouse.publish.versions", "switch"),
    # the certificates' segment is written, the queue in the database is not emptied
    "state": after("warehouse.state.segments", "append"),
}

if __name__ == "__main__":
    if warm := os.environ.get("WARM_DBT"):
        dbt.executable = lambda: warm
    POINTS[sys.argv[1]](die)
    sys.argv = ["warehouse", *sys.argv[2:]]
    main()
