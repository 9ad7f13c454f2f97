"""A run with nothing new, and one with one changed table, against a full run, on one demo shop.

All are timed as whole processes. Of the run without news it prints where the time goes: Python's
imports, the scans of the DynamoDB emulator, and what the warehouse itself takes, which issue 5
wants under 5 s. A run with one changed table says how many dbt calls it made and what they built.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.orchestration.test_refusals import source
from tests.shops import Shop, environment

TIMED = """
import json, sys, time
started = time.perf_counter()
import cli.progress, cli.run, orchestration.run
imported = time.perf_counter()
from warehouse import config
result = orchestration.run.run(config.load(None))
ended = time.perf_counter()
scans = {}
for table in result.tables:
    if table["source"] == "activity":
        scans[table["table"]] = max(scans.get(table["table"], 0), table["seconds"])
print(json.dumps([imported - started, sum(scans.values()), ended - imported]))
"""
DBT_LOG = "Running with dbt="


def timed(shop: Shop) -> float:
    started = time.monotonic()
    shop.command("run")
    return time.monotonic() - started


def quiet(shop: Shop) -> tuple[float, float, float]:
    """Return the seconds of imports, of the emulator's scans, and of the whole after imports."""
    printed = subprocess.run(
        [sys.executable, "-c", TIMED],
        cwd=shop.directory,
        env=environment(shop.directory),
        check=True,
        capture_output=True,
        text=True,
    )
    imports, scans, whole = json.loads(printed.stdout.splitlines()[-1])
    return imports, scans, whole


def dbt_calls(shop: Shop) -> int:
    return (shop.directory / "var" / "logs" / "dbt.log").read_text().count(DBT_LOG)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shop = Shop(Path(folder))
        shop.command("demo", "up")
        try:
            full = timed(shop)
            nothing = sorted(timed(shop) for _ in range(3))[1]
            imports, scans, whole = sorted((quiet(shop) for _ in range(3)), key=lambda r: r[2])[1]
            calls = dbt_calls(shop)
            with source(shop) as connection:
                connection.execute("UPDATE ad_spend SET amount = amount + 1")
            one_table = timed(shop)
            calls = dbt_calls(shop) - calls
        finally:
            shop.command("demo", "down", "--delete")
    print(f"full run            {full:6.1f} s")
    print(f"nothing new         {nothing:6.1f} s (median of 3), ratio {nothing / full:.3f}")
    print(f"  Python's imports  {imports:6.1f} s")
    print(f"  emulator's scans  {scans:6.1f} s")
    print(f"  the warehouse     {whole - scans:6.1f} s (at most 5)")
    print(
        f"one changed table   {one_table:6.1f} s, ratio {one_table / full:.3f}, dbt calls {calls}"
    )


if __name__ == "__main__":
    main()
