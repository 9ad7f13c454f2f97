"""Who did something with what, when and how strongly: arrays that recommenders learn from."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

Codes = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Grouping = Literal["actor", "session"]

NOBODY = -1

pc: Any = pyarrow.compute


@dataclass(frozen=True, slots=True)
class Interactions:
    """One row per interaction; codes are places in the sorted ids, so that ids order as codes do.

    Rows stand in the order of (actor, item, at, session, weight), whatever order they came in: sums
    of floats are then the same for the same rows. `at` is in microseconds since 1970 UTC; `session`
    is `NOBODY` where there is none. A session may as well be an order: whatever groups rows that
    belong together.
    """

    actor_ids: Any
    item_ids: Any
    session_ids: Any
    actor: Codes
    item: Codes
    session: Codes
    at: Places
    weight: Floats

    def where(self, chosen: Mask | Places) -> "Interactions":
        """Return the rows of a mask, or of places in this order, under the same codes."""
        return replace(
            self,
            actor=self.actor[chosen],
            item=self.item[chosen],
            session=self.session[chosen],
            at=self.at[chosen],
            weight=self.weight[chosen],
        )

    def groups(self, by: Grouping) -> tuple[Codes, int]:
        """Return the group of each row, `NOBODY` for none, and how many groups there are."""
        if by == "actor":
            return self.actor, len(self.actor_ids)
        return self.session, len(self.session_ids)


def interactions(
    actor: Any,
    item: Any,
    at: Any,
    session: Any = None,
    weight: Any = None,
    catalogue: Any = None,
) -> Interactions:
    """Return the interactions of pyarrow columns of equal length.

    `actor`, `item` and `session` are text; `at` is a timestamp (without a time zone it is UTC);
    `weight` is a number above 0, and 1 where the column is missing. `catalogue` names items that
    may have no interaction. Raises ValueError for a missing actor, item or time and for a weight
    that is not above 0.
    """
    actor_ids, actors = _codes(actor, "actor")
    item_ids, items = _codes(item, "item", catalogue)
    if session is None:
        session_ids, sessions = (
            pa.array([], pa.large_string()),
            np.full(len(actor), NOBODY, np.int32),
        )
    else:
        session_ids, sessions = _codes(session, None)
    weights = np.ones(len(actor)) if weight is None else _floats(weight)
    if not (weights > 0).all():
        raise ValueError(f"{int((~(weights > 0)).sum())} interactions have a weight not above 0")
    times = _microseconds(at)
    rows = Interactions(actor_ids, item_ids, session_ids, actors, items, sessions, times, weights)
    return ordered(rows)


def ordered(told: Interactions) -> Interactions:
    """Return the rows in the order that they have in every `Interactions`."""
    return told.where(np.lexsort((told.weight, told.session, told.at, told.item, told.actor)))


def mask(ids: Any, chosen: Any) -> Mask:
    """Return which of the sorted ids are among the chosen ones."""
    return np.asarray(pc.is_in(ids, value_set=_text(chosen)))


def places(ids: Any, wanted: Any) -> Codes:
    """Return the code of each wanted id, `NOBODY` for one that is not among the ids."""
    found = pc.fill_null(pc.index_in(_text(wanted), value_set=ids), NOBODY)
    return np.asarray(found, dtype=np.int32)


def _codes(column: Any, required: str | None, more: Any = None) -> tuple[Any, Codes]:
    """Return the different values in their order, and the place of each row's value in them."""
    text = _text(column)
    if required and text.null_count:
        raise ValueError(f"{text.null_count} interactions have no {required}")
    different = text if more is None else pa.concat_arrays([text, _text(more)])
    ids = pc.drop_null(pc.unique(different))
    ids = ids.take(pc.sort_indices(ids))
    return ids, places(ids, text)


def _text(column: Any) -> Any:
    text = column.cast(pa.large_string())
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text


def _floats(column: Any) -> Floats:
    return np.asarray(column.cast(pa.float64()), dtype=np.float64)


def _microseconds(column: Any) -> Places:
    if column.null_count:
        raise ValueError(f"{column.null_count} interactions have no time")
    return np.asarray(column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()), dtype=np.int64)
