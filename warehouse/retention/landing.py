"""Choose which landed packages are merged into one, and which may go afterwards."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from extractors.package import Manifest
from warehouse.engines.duckdb_compaction import RawCell
from warehouse.load.chains import MODE, from_base

DAY = timedelta(days=1)


def to_merge(
    chains: Mapping[RawCell, Sequence[Manifest]], now: datetime, keep: timedelta
) -> list[RawCell]:
    """Return the raw tables and cells whose packages are due to be merged.

    A chain begins with a base: a compacted package, or the first read. It is due when a package
    after it is older than `keep`, or older than a day with as many bytes after the base as in it:
    whole reads soon fill the disk. The cells of a raw table share its columns and are merged
    together.
    """
    due = {(p.source, p.entity) for p, chain in chains.items() if _is_due(chain, now, keep)}
    return [
        place
        for place, chain in chains.items()
        if (place.source, place.entity) in due and chain[-1].mode != MODE
    ]


def _is_due(chain: Sequence[Manifest], now: datetime, keep: timedelta) -> bool:
    base, *after = from_base(chain)
    if not after:
        return False
    age = _age(after[0], now)
    grown = sum(manifest.bytes for manifest in after) >= base.bytes
    return age >= keep or (grown and age >= DAY)


def removable(
    chain: Sequence[Manifest], now: datetime, keep: timedelta
) -> tuple[Manifest | None, list[Manifest]]:
    """Return the newest compacted package that is older than `keep`, and those before it.

    Until then they stay, so that what raw knew at any time of `keep` can be made again.
    """
    for index, base in reversed(list(enumerate(chain))):
        if base.mode == MODE and _age(base, now) >= keep:
            return base, list(chain[:index])
    return None, []


def _age(manifest: Manifest, now: datetime) -> timedelta:
    return max(timedelta(0), now - manifest.finished_at)
