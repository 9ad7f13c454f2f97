"""Start many runs of one warehouse at once: `python -m tests.orchestration.queued CONFIG COUNT`.

Each is a process of its own, forked once everything is imported: what 200 runs that a queue lets
go at the same moment do to the lease and the build database, without 200 times the imports.
"""

import os
import sys
import traceback
from pathlib import Path

from orchestration.opening import running
from orchestration.options import Options
from warehouse import config


def run(settings: config.Settings) -> None:
    """Go through what every run does around its steps, with all tables read."""
    with running(settings, Options(wait=600)) as pipeline:
        list(pipeline.ingest("shop", "main", ["orders"]))


def main() -> int:
    settings = config.load(Path(sys.argv[1]))
    children: list[int] = []
    for _ in range(int(sys.argv[2])):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                run(settings)
                code = 0
            except BaseException:  # noqa: BLE001  a forked child must not return into the loop
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    return sum(os.waitpid(child, 0)[1] != 0 for child in children)


if __name__ == "__main__":
    sys.exit(main())
