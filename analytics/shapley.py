"""Shapley attribution: what a channel adds, averaged over all orders in which channels could come.

The worth of a set of channels is the number of conversions on paths that touch no other channel.
For this game the Shapley value has a closed form: each conversion counts equally for every channel
of its path, however often it is touched (Zhao, Mahboobi, Bagheri: Shapley value methods for
attribution modeling in online advertising, 2018). So it is exact for any number of channels, and no
coalition has to be enumerated.
"""

from fractions import Fraction

import numpy as np

from analytics.paths import Counts, Floats, Paths


def values(paths: Paths) -> list[Fraction]:
    """Return the Shapley value of each channel; they sum to the conversions."""
    counts = by_size(paths, paths.converted[None])[0]
    return [
        sum((Fraction(int(count), size) for size, count in enumerate(column, 1)), Fraction(0))
        for column in counts.T
    ]


def approximate(paths: Paths, converted: Counts) -> Floats:
    """Return for each row of conversions the Shapley values as floats."""
    counts = by_size(paths, converted)
    sizes = np.arange(1, counts.shape[1] + 1)
    return (counts / sizes[None, :, None]).sum(axis=1)


def by_size(paths: Paths, converted: Counts) -> Floats:
    """Return conversions by row, number of different channels on the path (from 1), and channel.

    They are whole numbers below 2^53, so no order of adding them up changes a sum.
    """
    touched = np.zeros((len(paths.steps), len(paths.channels)))
    for number, steps in enumerate(paths.steps):
        touched[number, list(steps)] = 1
    different = touched.sum(axis=1).astype(np.int64)
    result = np.zeros((converted.shape[0], len(paths.channels), len(paths.channels)))
    for size in np.unique(different):
        of_size = different == size
        result[:, size - 1] = converted[:, of_size].astype(np.float64) @ touched[of_size]
    return result
