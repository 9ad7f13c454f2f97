"""Paths of channels that ended in an order or in none, counted."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Paths:
    """Each different path once, in a fixed order, with how often it converted and did not.

    `steps` hold places in `channels`, which are sorted.
    """

    channels: tuple[str, ...]
    steps: tuple[tuple[int, ...], ...]
    converted: Counts
    lost: Counts


def counted(rows: Iterable[tuple[Sequence[str], int, int]]) -> Paths:
    """Return the paths of rows (channels, converted, lost), whatever their order.

    Rows of the same path are added up; a path without a channel has nothing to tell and is left
    out.
    """
    converted: defaultdict[tuple[str, ...], int] = defaultdict(int)
    lost: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for path, orders, none in rows:
        if path:
            converted[tuple(path)] += orders
            lost[tuple(path)] += none
    names = sorted({name for path in converted for name in path})
    place = {name: number for number, name in enumerate(names)}
    paths = sorted(converted)
    return Paths(
        tuple(names),
        tuple(tuple(place[name] for name in path) for path in paths),
        np.array([converted[path] for path in paths], dtype=np.int64),
        np.array([lost[path] for path in paths], dtype=np.int64),
    )
