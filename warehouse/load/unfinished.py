"""Say why a warehouse should run now, whatever its schedule says."""

from dataclasses import dataclass
from pathlib import Path

from extractors.package import packages
from warehouse import lease
from warehouse.load import runs
from warehouse.load.replay import REJECTED


@dataclass(frozen=True, slots=True)
class Reason:
    """Why to run: `key` stays the same until it is another reason."""

    key: str
    text: str


def reason(
    home: Path, state: Path, landing: Path, loaded: dict[tuple[str, str, str], str]
) -> Reason | None:
    """Return why a run is needed: the last one was killed, or packages landed that are not loaded.

    `loaded` maps tables (source, cell, table) to the newest package that raw holds; None while a
    run is going on, which sees to both itself.
    """
    if lease.is_held(home):
        return None
    last = runs.last(state)
    if last and last.status == "running":
        return Reason(f"killed {last.run_id}", f"the run {last.run_id} was killed")
    waiting = [
        directory
        for table, newest in sorted(loaded.items())
        for directory in packages(landing, *table)
        if not directory.name.startswith(REJECTED) and directory.name > newest
    ]
    if not waiting:
        return None
    newest = max(waiting, key=lambda directory: directory.name)
    return Reason(
        f"landed {newest.name}", f"{len(waiting)} packages landed and are not loaded, {newest} last"
    )
