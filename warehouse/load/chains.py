"""The packages that landed of each raw table and cell, and what they can be made into again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from extractors.package import Manifest, packages, read_manifest
from warehouse.engines.duckdb_compaction import RawCell

MODE = "compacted"
REJECTED = "rejected-"


def place_of(manifest: Manifest) -> RawCell:
    """Return the raw table and cell that a package is of."""
    return RawCell(manifest.source, manifest.cell, manifest.table, manifest.entity)


def chains(landing: Path, tables: Iterable[tuple[str, str, str]]) -> dict[RawCell, list[Manifest]]:
    """Return the landed packages of each raw table and cell, oldest first; none set aside.

    `tables` are (source, cell, table); one of them may hold several raw tables.
    """
    found: dict[RawCell, list[Manifest]] = {}
    for source, cell, table in tables:
        for directory in packages(landing, source, cell, table):
            if not directory.name.startswith(REJECTED):
                manifest = read_manifest(directory)
                found.setdefault(place_of(manifest), []).append(manifest)
    return found


def earliest_known_at(chains: Iterable[Sequence[Manifest]]) -> datetime | None:
    """Return the earliest instant for which landing can still make raw as it was known then.

    None when that is every instant: nothing was removed yet.
    """
    return max((at for chain in chains if (at := _earliest(chain))), default=None)


def _earliest(chain: Sequence[Manifest]) -> datetime | None:
    landed = {manifest.load_id for manifest in chain}
    for manifest in reversed(chain):
        if not landed.issuperset(manifest.replaces):
            return manifest.finished_at
    return None


def known_at(chain: Sequence[Manifest], at: datetime) -> list[Manifest]:
    """Return the packages that had landed at an instant, from the newest base on.

    The instant is not before `earliest_known_at`.
    """
    return from_base([manifest for manifest in chain if manifest.finished_at <= at])


def from_base(chain: Sequence[Manifest]) -> list[Manifest]:
    """Return what holds all of a chain: its newest compacted package, if any, and those after."""
    bases = [index for index, manifest in enumerate(chain) if manifest.mode == MODE]
    return list(chain[bases[-1] if bases else 0 :])
