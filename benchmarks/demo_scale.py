"""How `demo up` and `warehouse run` grow with `--scale`, in time and in memory; see `make bench`.

Each scale gets a shop of its own. Memory is that of all processes of the shop and of the command
together: the largest sum seen of their proportional shares (a page that two processes share counts
once), and the largest resident size that a single process ever had. Prints, per scale, the
ratio of seconds per item to those at the smallest scale: 1 is linear growth.

    python benchmarks/demo_scale.py [SCALE ...]     else 1 3 10; Linux only
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

EVERY = 0.5  # seconds between two looks at the processes

MIB = 1024


@dataclass
class Memory:
    """What the processes of a shop took, in KiB."""

    together: int = 0
    single: dict[str, int] = field(default_factory=dict)

    def look(self, shop: Path, command: int) -> None:
        """Take the figures of now into account."""
        together = 0
        for pid in members(shop, command):
            try:
                status = figures(Path(f"/proc/{pid}/status").read_text())
                together += figures(Path(f"/proc/{pid}/smaps_rollup").read_text())["Pss"]
                name = name_of(Path(f"/proc/{pid}/cmdline").read_bytes())
            except (OSError, KeyError):
                continue  # it has ended
            self.single[name] = max(self.single.get(name, 0), status["VmHWM"])
        self.together = max(self.together, together)


def members(shop: Path, command: int) -> list[int]:
    """Return the processes below `command`, and the servers that run in the shop's folder."""
    parents: dict[int, int] = {}
    found: set[int] = {command}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            pid = int(entry.name)
            try:
                parents[pid] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if Path(entry, "cwd").readlink().is_relative_to(shop / "var"):
                    found.add(pid)
            except OSError:
                continue
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return sorted(found)


def figures(text: str) -> dict[str, int]:
    """Return the figures in kB of a file of /proc."""
    lines = (line.split() for line in text.splitlines())
    return {words[0][:-1]: int(words[1]) for words in lines if words[-1] == "kB"}


def name_of(command: bytes) -> str:
    """Return what to call a process: PostgreSQL's by their role, others by what they run."""
    words = [word for word in command.decode(errors="replace").replace("\0", " ").split() if word]
    if words and words[0] == "postgres:":
        return f"postgres {words[1]}"
    known = ("demo.dynamodb_process", "postgres", "dbt", "warehouse")
    return next((name for name in known if any(name in word for word in words[:6])), words[0])


def timed(shop: Path, *words: str) -> tuple[float, Memory]:
    """Run a command of the warehouse; return its seconds and the memory it took."""
    memory, done = Memory(), Event()
    started = time.monotonic()
    said = shop / "said.txt"
    with said.open("w") as output:
        process = subprocess.Popen(["warehouse", *words], cwd=shop, stdout=output, stderr=output)

    def watch() -> None:
        while not done.wait(EVERY):
            memory.look(shop, process.pid)

    watcher = Thread(target=watch)
    watcher.start()
    code = process.wait()
    seconds = time.monotonic() - started
    done.set()
    watcher.join()
    if code:
        raise SystemExit(f"warehouse {' '.join(words)} ended with {code}: {said.read_text()}")
    return seconds, memory


def rows(shop: Path) -> tuple[int, int]:
    """Return how many rows and items the shop holds."""
    text = subprocess.run(
        ["warehouse", "demo", "status", "--json"],
        cwd=shop,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    tables = json.loads(text)["tables"]
    counts = [
        sum(table["rows"] for table in tables if table["source"] == source)
        for source in ("shop", "activity")
    ]
    return counts[0], counts[1]


def main() -> None:
    scales = [float(word) for word in sys.argv[1:]] or [1.0, 3.0, 10.0]
    smallest: dict[str, float] = {}
    for scale in scales:
        with tempfile.TemporaryDirectory() as folder:
            shop = Path(folder)
            shop.chmod(0o755)
            try:
                steps = {"up": timed(shop, "demo", "up", "--scale", f"{scale:g}")}
                table_rows, items = rows(shop)
                steps["run"] = timed(shop, "run")
            finally:
                timed(shop, "demo", "down", "--delete")
        print(f"scale {scale:g}: {table_rows:,} rows, {items:,} items")
        for name, (seconds, memory) in steps.items():
            each = seconds / (table_rows + items)
            ratio = each / smallest.setdefault(name, each)
            largest = sorted(memory.single.items(), key=lambda pair: -pair[1])[:4]
            listed = ", ".join(f"{who} {size // MIB:,}" for who, size in largest)
            print(
                f"  {name:4} {seconds:7.1f} s, ratio to linear {ratio:5.2f}, together"
                f" {memory.together // MIB:6,} MiB; largest processes (MiB): {listed}",
                flush=True,
            )


if __name__ == "__main__":
    main()
