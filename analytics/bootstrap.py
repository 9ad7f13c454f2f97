"""How far shares could be from what they are by chance: bootstrap intervals."""

import hashlib
from collections.abc import Callable

import numpy as np

from analytics.paths import Counts, Floats, Paths

# The ends of a 95 % interval then move by less than a tenth of its width from seed to seed.
REPLICATES = 200
ENDS = (2.5, 97.5)


def interval(
    paths: Paths, effects: Callable[[Counts, Counts], Floats], seed: str
) -> tuple[Floats, Floats]:
    """Return the lower and upper end of the 95 % interval of each channel's share.

    As many paths as there are are drawn from them, again and again; `effects` gives each channel's
    for rows of (converted, lost). The same paths and the same seed give the same interval. Where no
    draw holds a conversion there is nothing to share, and both ends are NaN.
    """
    shares = replicates(paths, effects, seed)
    if not len(shares):
        nothing = np.full(len(paths.channels), np.nan)
        return nothing, nothing
    low, high = np.percentile(shares, ENDS, axis=0)
    return low, high


def replicates(paths: Paths, effects: Callable[[Counts, Counts], Floats], seed: str) -> Floats:
    """Return the channels' shares in each draw that holds a conversion."""
    outcomes = np.concatenate([paths.converted, paths.lost])
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
    draws = np.random.Generator(np.random.PCG64(number))
    drawn = draws.multinomial(outcomes.sum(), outcomes / outcomes.sum(), size=REPLICATES)
    found = effects(drawn[:, : len(paths.steps)], drawn[:, len(paths.steps) :])
    whole = found.sum(axis=1)
    return found[whole > 0] / whole[whole > 0, None]
