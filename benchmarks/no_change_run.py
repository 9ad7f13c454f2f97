"""A run with nothing new against a full run, on one demo shop: run it by `make bench`.

Both are timed as whole processes, imports included. Prints the ratio and where the time of the
run without news goes: importing Python packages is the same whatever there is to do.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.shops import Shop


def timed(shop: Shop) -> float:
    started = time.monotonic()
    shop.command("run")
    return time.monotonic() - started


def imports() -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "import orchestration.run"], check=True)
    return time.monotonic() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shop = Shop(Path(folder))
        shop.command("demo", "up")
        try:
            full = timed(shop)
            quiet = sorted(timed(shop) for _ in range(3))[1]
        finally:
            shop.command("demo", "down", "--delete")
    loading = sorted(imports() for _ in range(3))[1]
    print(f"full run        {full:6.1f} s")
    print(f"nothing new     {quiet:6.1f} s, of which imports {loading:.1f} s (median of 3)")
    print(f"ratio           {quiet / full:6.3f}")


if __name__ == "__main__":
    main()
