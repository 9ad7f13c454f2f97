"""Which part of a sum brought most of it."""

import numpy as np

from analytics.recommenders.history import changes
from analytics.recommenders.interaction import Codes, Places
from analytics.recommenders.sparse import Sparse


def brought_most(
    mine: Sparse, offered: Sparse, cells: Places, row: Places, item: Codes
) -> tuple[Codes, Places]:
    """Return what brought most of cells (row, item) of the product of `mine` and `offered`.

    That is the column of `mine`, and the place of the cell of `offered` that it was multiplied
    with; of equal parts the first column. `cells` are those of `offered`, in their order.
    """
    if not len(row):
        return item, row
    events = mine.lengths()[row]
    entry = np.repeat(np.arange(len(row)), events)
    first = np.concatenate([[0], np.cumsum(events)[:-1]])
    event = np.arange(len(entry)) - first[entry] + mine.start[row][entry]
    cell = mine.column[event].astype(np.int64) * offered.width + item[entry]
    place = np.minimum(np.searchsorted(cells, cell), len(cells) - 1)
    part = np.where(cells[place] == cell, mine.value[event] * offered.value[place], 0)
    most = np.maximum.reduceat(part, first)
    # Entries stand together, and their events in the order of columns.
    found = np.flatnonzero(part == most[entry])
    found = found[changes(entry[found])]
    return mine.column[event[found]], place[found]
