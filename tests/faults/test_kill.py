"""A run killed at any step, then run again, publishes what an undisturbed run publishes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import warm
from tests.shops import Shop, differences, environment

pytestmark = [pytest.mark.slow, pytest.mark.drill]

KILLED = -signal.SIGKILL


@pytest.fixture
def shop(demo_shop: Shop, tmp_path: Path) -> Shop:
    """Return an empty warehouse on the stores of the shared shop."""
    return demo_shop.sibling(tmp_path / "shop")


def killed_run(shop: Shop, point: str) -> None:
    """Run the warehouse and see it die at the point, not before and not after."""
    variables = environment(shop.directory)
    if point != "build":  # which is about the dbt that lives on
        variables["WARM_DBT"] = str(warm.executable("dbt"))
    result = subprocess.run(
        [sys.executable, "-m", "tests.faults.killed", point, "run"],
        cwd=shop.directory,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert result.returncode == KILLED, f"{point}: exit {result.returncode}\n{result.stderr}"


def packages(shop: Shop) -> list[Path]:
    """Return the folders of load packages, whole or torn."""
    sources = [path for path in (shop.directory / "var/landing").iterdir() if path.name[0] != "."]
    return [path for source in sources for path in source.glob("*/*/*")]


def assert_identical(shop: Shop, undisturbed: Shop) -> None:
    """Compare the current versions by content hash and row by row."""
    assert shop.current()["tables"] == undisturbed.current()["tables"]
    assert differences(shop.published, undisturbed.published) == []


def test_a_run_killed_while_extracting_loading_and_certifying_loses_and_doubles_nothing(
    shop: Shop, demo_shop: Shop
) -> None:
    killed_run(shop, "extract")
    assert any(not (path / "manifest.json").exists() for path in packages(shop))
    killed_run(shop, "load")
    killed_run(shop, "certify")
    assert shop.versions() == []
    shop.command("run")
    assert_identical(shop, demo_shop)
    assert all((path / "manifest.json").exists() for path in packages(shop))


def test_a_run_killed_while_dbt_builds_is_repeated_once_the_living_dbt_is_ended(
    shop: Shop, demo_shop: Shop
) -> None:
    killed_run(shop, "build")
    child = json.loads((shop.directory / "var/writer.lock").read_text())["child"]["pid"]
    assert Path(f"/proc/{child}").exists(), "dbt was to outlive its parent"
    shop.command("run")
    assert not _runs(child)
    assert_identical(shop, demo_shop)


def test_a_run_killed_while_publishing_is_finished_by_the_next(shop: Shop, demo_shop: Shop) -> None:
    killed_run(shop, "post")
    killed_run(shop, "publish")
    assert shop.versions() == []
    killed_run(shop, "switch")
    assert [version["is_current"] for version in shop.versions()] == [False]
    result = shop.json("run")
    assert (result["published"], result["version"]) == (False, "v000001")
    assert_identical(shop, demo_shop)
    assert sorted(path.name for path in (shop.directory / "var/published").iterdir()) == [
        "current",
        "v000001.duckdb",
    ]


def test_a_whole_process_group_killed_at_a_random_moment_leaves_everything_whole(
    shop: Shop, demo_shop: Shop
) -> None:
    for seconds in (4.0, 8.0, 14.0):
        process = subprocess.Popen(
            ["python", "-m", "cli.main", "run"],
            cwd=shop.directory,
            env=environment(shop.directory),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    shop.command("run")
    assert_identical(shop, demo_shop)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
