"""A disk small enough to be filled, where the machine allows to mount one."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

SIZE = "64m"


@contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """Have an empty small disk at `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={SIZE},mode=755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "faults", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@cache
def can_be_mounted() -> bool:
    """Return whether this process may mount one."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with mounted(Path(folder)):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False
