"""The job run by a real Dagster daemon publishes what `warehouse run` publishes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.home import dagster_home
from orchestration.run import instance
from tests.shops import Shop, differences, environment
from warehouse import config

pytestmark = [pytest.mark.slow, pytest.mark.drill]

LOCATION = ("-m", "orchestration.definitions")


def test_a_run_launched_by_the_daemon_gives_the_same_version(
    demo_shop: Shop, tmp_path: Path
) -> None:
    shop = demo_shop.sibling(tmp_path / "shop")
    settings = config.load(shop.directory / "warehouse.yml")
    home = dagster_home(settings)
    with instance(settings):
        pass  # its tables exist before two processes open them at once
    variables = environment(shop.directory) | {
        "DAGSTER_HOME": str(home),
        "WAREHOUSE_CONFIG": str(shop.directory / "warehouse.yml"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    log = (tmp_path / "daemon.log").open("w+")
    daemon = subprocess.Popen(
        ["dagster-daemon", "run", *LOCATION],
        env=variables,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        tags = json.dumps({"dagster/scheduled_execution_time": "2026-11-01T00:00:00+00:00"})
        launched = subprocess.run(
            ["dagster", "job", "launch", *LOCATION, "-j", "refresh", "--tags", tags],
            env=variables,
            check=False,
            capture_output=True,
            text=True,
        )
        assert launched.returncode == 0, launched.stderr[-4000:]
        ended = time.monotonic() + 300
        while not shop.versions() and time.monotonic() < ended:
            time.sleep(2)
        log.seek(0)
        assert shop.versions(), log.read()[-4000:]
    finally:
        os.killpg(daemon.pid, signal.SIGTERM)
        daemon.wait()
        log.close()
    assert shop.current()["tables"] == demo_shop.current()["tables"]
    assert differences(shop.published, demo_shop.published) == []
