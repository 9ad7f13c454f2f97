"""Whole demo shops for tests that need a published version, driven by the command as users do."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

WAREHOUSE = Path(sys.executable).with_name("warehouse")
# A first load of the real data with dbt takes about a minute on 2 cores; machines are shared.
TIMEOUT_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Shop:
    """A folder with a demo's `warehouse.yml`, its stores and what was published from them."""

    directory: Path

    def warehouse(self, *arguments: str, status: int = 0) -> str:
        """Run the command in this shop and return its standard output."""
        finished = subprocess.run(
            [str(WAREHOUSE), *arguments],
            cwd=self.directory,
            env={name: value for name, value in os.environ.items() if name != "WAREHOUSE_CONFIG"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert finished.returncode == status, (
            f"warehouse {' '.join(arguments)} ended with {finished.returncode}, not {status}:\n"
            f"{finished.stdout}\n{finished.stderr}"
        )
        return finished.stdout

    def close(self) -> None:
        """Stop the shop's servers and remove what they keep."""
        self.warehouse("demo", "down", "--delete")


def real_orders(shared_data: Path) -> Path:
    """Return the file of real orders among the real data."""
    return shared_data / "online_retail_2010-12-01_2011-08-31.parquet"


def published(directory: Path, *arguments: str) -> Shop:
    """Start a demo shop in `directory`, run the warehouse once, and return it."""
    shop = Shop(directory)
    shop.warehouse("demo", "up", *arguments)
    shop.warehouse("run")
    return shop
