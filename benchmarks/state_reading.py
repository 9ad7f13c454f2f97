"""Read a year of hourly state, against reading and hashing the same bytes: run it by `make bench`.

9,000 segments of 25 certificates, one of 9 with a publication of 40 tables. Prints what a run's
full verification, the reading commands, `rollback` and one more segment cost, each the median of
5, on files in the page cache. SEGMENTS changes the number.
"""

import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from extractors.errors import ConfigError
from extractors.package import new_load_id
from warehouse import config
from warehouse.config import Settings
from warehouse.publish import status, versions
from warehouse.state import segments

SEGMENTS = int(os.environ.get("SEGMENTS", "9000"))
MOMENT = "2026-01-01T00:00:00.000000Z"
YML = (
    "warehouse: {home: ./var}\nsources:\n"
    "  s: {kind: postgres, dsn: 'postgresql://a@127.0.0.1:1/s', tables: {t: {key: [id]}}}\n"
)


def certificate(table: int) -> dict[str, Any]:
    identity = new_load_id()
    body = {
        "certificate_id": identity,
        "run_id": identity,
        "source": "shop",
        "cell": "main",
        "table_name": f"table_{table}",
        "kind": "exact",
        "status": "passed",
        "source_rows": 1_000_000,
        "warehouse_rows": 1_000_000,
        "source_checksum": hashlib.md5(identity.encode(), usedforsecurity=False).hexdigest(),
        "position": '{"snapshot": "1234:1234:", "floor": 1234}',
        "checked_at": MOMENT,
    }
    return {"kind": "certificate", "id": identity, "certificate": body}


def publication(number: int) -> dict[str, Any]:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return {
        "kind": "publication",
        "version": f"v{number:06d}",
        "as_of": MOMENT,
        "published_at": MOMENT,
        "run_id": new_load_id(),
        "fingerprint": digest,
        "next_due_at": None,
        "complete_up_to": MOMENT,
        "marts": [],
        "tables": [
            {"schema": "core", "table": f"mart_{n}", "rows": 1_000, "content_hash": digest}
            for n in range(40)
        ],
    }


def fill(settings: Settings) -> None:
    """Write the segments (without their fsyncs, which no reading needs) and ten version files."""
    state, published = settings.state_directory, settings.published_directory
    published.mkdir(parents=True)
    original, os.fsync = os.fsync, lambda _descriptor: None
    try:
        for number in range(1, SEGMENTS + 1):
            extra = [publication(number // 9)] if number % 9 == 0 else []
            segments.append(state, [*(certificate(n) for n in range(25)), *extra])
    finally:
        os.fsync = original
    for number in range(SEGMENTS // 9 - 9, SEGMENTS // 9 + 1):
        versions.version_path(published, f"v{number:06d}").touch()
    versions.switch(published, f"v{SEGMENTS // 9:06d}")


def floor(state: Path) -> None:
    """Read and hash every segment, and nothing else."""
    for path in sorted(state.glob("segment-*.json")):
        hashlib.sha256(path.read_bytes()).hexdigest()


def back_and_forth(settings: Settings) -> None:
    try:
        versions.rollback(settings)
    except ConfigError:  # the oldest is shown
        versions.resume(settings)


def measured(step: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(5):
        started = time.perf_counter()
        step()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.yml"
        path.write_text(YML, encoding="utf-8")
        settings = config.load(path)
        state = settings.state_directory
        fill(settings)
        size = sum(file.stat().st_size for file in state.glob("segment-*.json"))
        lowest = measured(lambda: floor(state))
        print(f"{SEGMENTS} segments, {size / 1e6:.0f} MB")
        print(f"{'read + sha256':24}{lowest * 1000:9.1f} ms")
        steps: dict[str, Callable[[], object]] = {
            "verify (each run)": lambda: segments.verify(state),
            "status": lambda: status.status(settings),
            "versions": lambda: versions.versions(settings),
            "rollback": lambda: back_and_forth(settings),
            "one more segment": lambda: segments.append(state, [certificate(1)]),
            "all certificates": lambda: segments.records(state, "certificate"),
        }
        for name, step in steps.items():
            seconds = measured(step)
            print(f"{name:24}{seconds * 1000:9.1f} ms, ratio {seconds / lowest:6.3f}")


if __name__ == "__main__":
    main()
