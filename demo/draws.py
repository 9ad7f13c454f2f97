"""Random numbers that belong to an entity: adding one entity changes no other's."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Numbers = NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def key_of(text: str) -> int:
    """Return 64 bits that stand for `text`, the same ones on every machine."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def keys_of(texts: Iterable[str]) -> Keys:
    """Return one key per text."""
    return np.fromiter((key_of(text) for text in texts), np.uint64)


def derived(keys: Keys, purpose: str, number: NDArray[np.int64] | int = 0) -> Keys:
    """Return the keys of what belongs to entities: its `purpose` and number tell them apart."""
    with np.errstate(over="ignore"):  # the arithmetic is modulo 2**64 on purpose
        stream = np.uint64(key_of(purpose)) + np.asarray(number).astype(np.uint64) * _FIRST
        return _mixed(keys * _GOLDEN + stream)


def quantiles(points: Sequence[tuple[float, float]], shares: Numbers) -> Numbers:
    """Return the values below which `shares` lie: through the points, straight on a log scale."""
    known, values = zip(*points, strict=True)
    return np.exp(np.interp(shares, known, np.log(values)))


def _mixed(mixed: Keys) -> Keys:
    """Return splitmix64's finaliser of each number."""
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return mixed ^ (mixed >> np.uint64(31))


class Draws:
    """Uniform numbers as a function of (seed, kind of entity, entity, purpose), without a state.

    splitmix64's finaliser over key and stream: a draw needs no draw before it.
    """

    def __init__(self, seed: int, kind: str, keys: Keys) -> None:
        self._name = f"{seed}/{kind}"
        self._keys = keys
        self._known: dict[str, NDArray[np.float64]] = {}
        self._chosen: dict[str, NDArray[np.int64]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def uniform(self, purpose: str) -> NDArray[np.float64]:
        """Return one number in [0, 1) per entity, the same at every call."""
        known = self._known.get(purpose)
        if known is None:
            stream = np.uint64(key_of(f"{self._name}/{purpose}"))
            with np.errstate(over="ignore"):  # the arithmetic is modulo 2**64 on purpose
                mixed = _mixed(self._keys * _GOLDEN + stream)
            known = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
            self._known[purpose] = known
        return known

    def integers(self, purpose: str, low: int, high: int) -> NDArray[np.int64]:
        """Return one integer in [low, high) per entity."""
        return low + (self.uniform(purpose) * (high - low)).astype(np.int64)

    def choices(self, purpose: str, shares: Iterable[float]) -> NDArray[np.int64]:
        """Return one index per entity; index i comes with `shares[i]`, the last takes the rest."""
        known = self._chosen.get(purpose)
        if known is None:
            bounds = np.cumsum(list(shares))[:-1]
            known = np.searchsorted(bounds, self.uniform(purpose), side="right").astype(np.int64)
            self._chosen[purpose] = known
        return known
