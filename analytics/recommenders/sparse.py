"""Sparse matrices by rows, multiplied by scipy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from analytics.recommenders.interaction import Codes, Mask, Places

Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Sparse:
    """Row r has `value` in `column` from `start[r]` to `start[r + 1]`; `width` columns in all.

    The columns of a row are different, and in their order unless it says otherwise.
    """

    start: Places
    column: Codes
    value: Values
    width: int

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.start) - 1

    def lengths(self) -> Places:
        """Return how many cells each row has."""
        return np.diff(self.start)

    def rows(self) -> Places:
        """Return the row of each cell."""
        return np.repeat(np.arange(len(self)), self.lengths())

    def cells(self) -> Places:
        """Return each cell as one number: its row times the width plus its column."""
        return self.rows() * self.width + self.column

    def part(self, first: int, last: int) -> "Sparse":
        """Return the rows from `first` up to, and without, `last`."""
        begin, end = self.start[first], self.start[last]
        start = self.start[first : last + 1] - begin
        return Sparse(start, self.column[begin:end], self.value[begin:end], self.width)

    def of_rows(self, chosen: Mask) -> "Sparse":
        """Return the chosen rows."""
        cells = np.repeat(chosen, self.lengths())
        start = np.concatenate([[0], np.cumsum(self.lengths()[chosen])]).astype(np.int64)
        return Sparse(start, self.column[cells], self.value[cells], self.width)

    def of_cells(self, chosen: Mask) -> "Sparse":
        """Return the matrix with the chosen cells only."""
        start = np.concatenate([[0], np.cumsum(chosen)]).astype(np.int64)[self.start]
        return Sparse(start, self.column[chosen], self.value[chosen], self.width)

    def transposed(self) -> "Sparse":
        """Return the matrix by columns."""
        return _ours(csr_array(_scipy(self).T))

    def times(self, other: "Sparse") -> "Sparse":
        """Return the product; the columns of its rows are in no order."""
        return _ours(_scipy(self) @ _scipy(other))

    def ordered(self) -> "Sparse":
        """Return the matrix with the columns of each row in their order."""
        matrix = _scipy(self)
        matrix.sort_indices()
        return _ours(matrix)

    def work(self, other: "Sparse") -> Places:
        """Return for each row how many multiplications the product takes."""
        sums = np.concatenate([[0], np.cumsum(other.lengths()[self.column])])
        return (sums[self.start[1:]] - sums[self.start[:-1]]).astype(np.int64)


def stacked(first: Sparse, second: Sparse) -> Sparse:
    """Return the rows of the first matrix and then those of the second, which is as wide."""
    return Sparse(
        np.concatenate([first.start, second.start[1:] + first.start[-1]]),
        np.concatenate([first.column, second.column]),
        np.concatenate([first.value, second.value]),
        first.width,
    )


def filled(cell: Places, value: Values, rows: int, width: int) -> Sparse:
    """Return the matrix of cells (row times width plus column), which are in order and differ."""
    start = np.searchsorted(cell, np.arange(rows + 1) * width).astype(np.int64)
    return Sparse(start, (cell % max(width, 1)).astype(np.int32), value, width)


def _scipy(matrix: Sparse) -> Any:
    shape = (len(matrix), matrix.width)
    return csr_array((matrix.value, matrix.column, matrix.start.astype(np.int32)), shape=shape)


def _ours(matrix: Any) -> Sparse:
    start = matrix.indptr.astype(np.int64)
    return Sparse(start, matrix.indices.astype(np.int32, copy=False), matrix.data, matrix.shape[1])
