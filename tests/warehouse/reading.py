"""A reader of another process: opens versions, holds them, and checks that each stays whole."""

import itertools
import random
import sys
import time
from pathlib import Path

import warehouse
from warehouse.publish.reader import Published


def check(reader: Published) -> None:
    """Raise where the tables are not all of the version that the connection says it is."""
    number = int(reader.version.removeprefix("v"))
    found = reader.execute(
        "SELECT min(stamp), max(stamp), count(*) FROM core.orders UNION ALL"
        " SELECT min(stamp), max(stamp), count(*) FROM campaign.attribution UNION ALL"
        " SELECT 1 + max(version[2:]::INTEGER), NULL, count(*) FROM meta.publications"
    ).fetchall()
    before = number - 1
    expected = [
        (number, number, number % 7 + 1),
        (number, number, number % 5 + 1),
        (number if before else None, None, 2 * before),
    ]
    if found != expected:
        raise AssertionError(f"{reader.version}: {found}, not {expected}")


def main(config: Path, stop: Path, seed: int) -> None:
    """Open and hold versions for random times until `stop` exists; print how many, of which."""
    chance = random.Random(seed)
    to_the_end = warehouse.open(config=config)
    check(to_the_end)
    print("ready", flush=True)
    held: list[tuple[Published, float]] = []
    seen: set[str] = set()
    for opened in itertools.count(1):
        reader = warehouse.open(config=config)
        held.append((reader, time.monotonic() + chance.choice((0.0, 0.3, 3.0))))
        seen.add(reader.version)
        time.sleep(chance.uniform(0.2, 1.0))
        finished = stop.exists()
        for each, until in list(held):
            check(each)
            if finished or until < time.monotonic():
                each.close()
                held.remove((each, until))
        if finished:
            check(to_the_end)
            print(opened, len(seen), flush=True)
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
