"""Run the `warehouse` command and kill it, as `kill -9` does, in the middle of a step's writes.

python -m tests.faults.killed POINT COMMAND... : the product itself knows no fault points; the
functions around each durable step are replaced here before the command starts.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from cli.main import main
from extractors import package
from warehouse.engines import duckdb_raw, duckdb_snapshot
from warehouse.load import outbox
from warehouse.publish import versions
from warehouse.state import segments


def die() -> None:
    """End this process at once, with nothing flushed or cleaned."""
    os.kill(os.getpid(), signal.SIGKILL)


def after(owner: Any, name: str, count: int = 1, when: Callable[..., bool] | None = None) -> None:
    """Kill after the `count`th call of a function has done its work."""
    original, seen = getattr(owner, name), [0]

    def replaced(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        if when is None or when(*args, **kwargs):
            seen[0] += 1
            if seen[0] == count:
                die()
        return result

    setattr(owner, name, replaced)


def before(owner: Any, name: str, count: int = 1) -> None:
    """Kill instead of the `count`th call of a function."""
    original, seen = getattr(owner, name), [0]

    def replaced(*args: Any, **kwargs: Any) -> Any:
        seen[0] += 1
        if seen[0] == count:
            die()
        return original(*args, **kwargs)

    setattr(owner, name, replaced)


def in_dbt(seconds: float) -> None:
    """Kill the parent a little after dbt began to build; dbt lives on."""
    from orchestration import dbt

    original = dbt.DbtCliInvocation.stream

    def replaced(invocation: Any) -> Any:
        for built, event in enumerate(original(invocation)):
            if built == 3:
                time.sleep(seconds)
                die()
            yield event

    dbt.DbtCliInvocation.stream = replaced


POINTS: dict[str, Callable[[], None]] = {
    # parts of the third table are written and durable, its manifest is not
    "extract": lambda: before(package.PackageWriter, "commit", 3),
    # rows of the third package are in raw, its transaction is open
    "load": lambda: after(duckdb_raw, "apply_parts", 3),
    # a certificate's row is written, its transaction is open
    "certify": lambda: after(
        outbox, "add", 2, lambda _connection, kind, *_args, **_body: kind == "certificate"
    ),
    # some models are built; dbt goes on without its parent
    "build": lambda: in_dbt(0.5),
    # the version's file is written under its temporary name
    "publish": lambda: after(duckdb_snapshot, "copy_public"),
    # the version is recorded in state, readers still see the one before
    "switch": lambda: before(versions, "switch"),
    # the certificates' segment is written, the queue in the database is not emptied
    "state": lambda: after(segments, "append"),
}

if __name__ == "__main__":
    POINTS[sys.argv[1]]()
    sys.argv = ["warehouse", *sys.argv[2:]]
    main()
