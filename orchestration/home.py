"""The folder of this warehouse's Dagster instance: `python -m orchestration.home` prints it."""

import sys
from pathlib import Path

from extractors.package import write_atomically
from warehouse import config
from warehouse.config import Settings

INSTANCE = """\
# Written by the warehouse. Runs queue one after the other: they share one writer lease.
telemetry:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1
"""


def dagster_home(settings: Settings) -> Path:
    """Return the DAGSTER_HOME of a warehouse, made with its settings when it is not there yet."""
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    file = home / "dagster.yaml"
    if not file.exists():
        write_atomically(file, INSTANCE)
    return home


if __name__ == "__main__":
    sys.stdout.write(f"{dagster_home(config.load(None))}\n")
