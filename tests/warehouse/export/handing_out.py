"""Hand out trigger e-mails in a process of its own, which may be killed on the way.

python -m tests.warehouse.export.handing_out POINT CONFIGURATION FILE, or - for no point
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.faults.points import Hook, after, before
from warehouse import config
from warehouse.export import outbox, triggers

TRIGGERS = "warehouse.export.triggers"


def _is(kind: str) -> Any:
    return lambda _state, record: record["kind"] == kind


POINTS: dict[str, Hook] = {
    "nothing is written": before("warehouse.export.outbox", "write"),
    "the lines are beside state, no record names them": after("warehouse.export.outbox", "write"),
    "the batch is recorded, its file is not written": after(
        TRIGGERS, "_append", 1, _is(outbox.KIND)
    ),
    "the file is written, and not recorded": before(TRIGGERS, "_append", 1, _is(outbox.FILE)),
    "all is done": after(TRIGGERS, "_append", 1, _is(outbox.FILE)),
}

if __name__ == "__main__":
    point, configuration, file = sys.argv[1:]
    if point in POINTS:
        POINTS[point](lambda: os.kill(os.getpid(), signal.SIGKILL))
    triggers.export(config.load(Path(configuration)), Path(file), wait=60)
