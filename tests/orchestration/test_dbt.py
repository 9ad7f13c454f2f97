"""dbt is over before the build database is opened again, however often somebody presses Ctrl-C."""

import subprocess
import sys
from collections.abc import Iterator

from orchestration import dbt

DEAF = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.stdout.write("ready")
sys.stdout.flush()
time.sleep(60)
"""


def test_a_second_interrupt_ends_a_dbt_that_does_not_heed_the_first() -> None:
    def events() -> Iterator[str]:
        yield "building"
        raise KeyboardInterrupt

    with subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(5) == b"ready"
        dbt._end(process, events())
        assert process.returncode == -9
