"""What somebody did so far, oldest first: what recommendations are asked for."""

from dataclasses import dataclass

import numpy as np

from analytics.recommenders.interaction import (
    NOBODY,
    Codes,
    Floats,
    Grouping,
    Interactions,
    Mask,
    Places,
)
from analytics.recommenders.sparse import Sparse, filled


@dataclass(frozen=True, slots=True)
class Histories:
    """Ragged rows: those of row r stand from `start[r]` to `start[r + 1]`, oldest first.

    `actor` says whose each row is, so that nobody becomes their own neighbour; `NOBODY` for a
    visitor whom the training does not know.
    """

    start: Places
    item: Codes
    weight: Floats
    actor: Codes

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.start) - 1

    def part(self, first: int, last: int) -> "Histories":
        """Return the rows from `first` up to, and without, `last`."""
        begin, end = self.start[first], self.start[last]
        return Histories(
            self.start[first : last + 1] - begin,
            self.item[begin:end],
            self.weight[begin:end],
            self.actor[first:last],
        )

    def rows(self) -> Places:
        """Return the row of each event."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def strengths(self, items: int) -> Sparse:
        """Return rows x items: an item counts once, by the strongest that was done with it."""
        cell = self.rows() * items + self.item
        order = np.lexsort((-self.weight, cell))
        cell, weight = cell[order], self.weight[order]
        first = changes(cell)
        return filled(cell[first], weight[first], len(self), items)


def histories(told: Interactions, by: Grouping, wanted: Codes | None = None) -> Histories:
    """Return one row for each wanted actor or session, all of them where none are named.

    Interactions at the same time stand in the order of their items. One who did nothing has an
    empty row.
    """
    group, groups = told.groups(by)
    row = np.full(groups + 1, NOBODY, dtype=np.int64)  # the last place is that of NOBODY
    rows = np.arange(groups, dtype=np.int32) if wanted is None else wanted
    row[rows] = np.arange(len(rows))
    of = row[group]
    chosen = np.flatnonzero(of >= 0)
    order = chosen[np.lexsort((told.item[chosen], told.at[chosen], of[chosen]))]
    start = np.searchsorted(of[order], np.arange(len(rows) + 1))
    if by == "actor":
        actor = rows.astype(np.int32)
    else:
        actor = np.full(len(rows), NOBODY, dtype=np.int32)
        actor[of[order]] = told.actor[order]
    return Histories(start, told.item[order], told.weight[order], actor)


def incidence(told: Interactions, by: Grouping) -> Sparse:
    """Return groups x items, 1 where a group has an item, however often it has it."""
    group, groups = told.groups(by)
    items = len(told.item_ids)
    cell = group.astype(np.int64) * items + told.item
    # Rows are in the order of actors' cells already; those of sessions need sorting.
    cell = cell[changes(cell)] if by == "actor" else np.unique(cell[group >= 0])
    return filled(cell, np.ones(len(cell), dtype=np.int32), groups, items)


def changes(ordered: Places | Codes) -> Mask:
    """Return which values are the first of their like."""
    first = np.ones(len(ordered), dtype=np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return first


def singles(items: Codes) -> Histories:
    """Return a row for each item that holds nothing else: whoever looks at it now."""
    return Histories(
        np.arange(len(items) + 1),
        items.astype(np.int32),
        np.ones(len(items)),
        np.full(len(items), NOBODY, dtype=np.int32),
    )
