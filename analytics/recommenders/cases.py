"""What people did next: what recommenders are asked for after learning from the time before.

A window is [start, end) in microseconds UTC. Nothing at or after its start is learned from, and
nothing before it is asked for.
"""

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from analytics.recommenders.history import Histories, changes, histories
from analytics.recommenders.interaction import NOBODY, Interactions, Places, ordered
from analytics.recommenders.sparse import Sparse, filled


@dataclass(frozen=True, slots=True)
class Cases:
    """What each was known to have done, and what they did then and had not done before.

    `wanted` is cases x items. Cases with the same `drawn` are of one actor or session: they are not
    independent, and are drawn together.
    """

    told: Histories
    wanted: Sparse
    drawn: Places

    def __len__(self) -> int:
        """Return how many cases there are."""
        return len(self.told)


def before(told: Interactions, start: int) -> Interactions:
    """Return what may be learned from."""
    return told.where(told.at < start)


def within(told: Interactions, start: int, end: int) -> Interactions:
    """Return what happened in the window."""
    return told.where((told.at >= start) & (told.at < end))


def next_items(told: Interactions, start: int, end: int) -> Cases:
    """Return a case for each new item of each session that began in the window.

    Known is the session up to then. A session that was going on when the window opened is left out:
    its beginning is learned from.
    """
    sessions = np.full(len(told.session_ids) + 1, np.iinfo(np.int64).max)
    np.minimum.at(sessions, told.session, told.at)
    began = np.flatnonzero((sessions[:-1] >= start) & (sessions[:-1] < end)).astype(np.int32)
    went = histories(within(told, start, end), "session", began)
    row = went.rows()
    # New is the first of its item in its session, but for the one that the session begins with.
    order = np.lexsort((np.arange(len(row)), went.item, row))
    new = np.zeros(len(row), dtype=np.bool_)
    new[order] = changes(row[order]) | changes(went.item[order])
    new &= np.arange(len(row)) > went.start[row]
    at = np.flatnonzero(new)
    known = at - went.start[row[at]]
    case = np.repeat(np.arange(len(at)), known)
    start_of = np.concatenate([[0], np.cumsum(known)]).astype(np.int64)
    event = np.arange(len(case)) - start_of[case] + went.start[row[at]][case]
    told_so_far = Histories(start_of, went.item[event], went.weight[event], went.actor[row[at]])
    items = len(told.item_ids)
    cell = np.arange(len(at)) * items + went.item[at]
    return Cases(told_so_far, filled(cell, np.ones(len(at)), len(at), items), row[at])


def next_orders(told: Interactions, start: int, end: int) -> Cases:
    """Return a case for the first order in the window of each actor who did something before.

    A session is an order here. Known is all that the actor did before the window.
    """
    later = within(told, start, end)
    later = later.where(later.session != NOBODY)
    order = np.lexsort((later.session, later.at, later.actor))
    first = order[changes(later.actor[order])]
    order_of = np.full(len(told.actor_ids), NOBODY, dtype=np.int32)
    order_of[later.actor[first]] = later.session[first]
    return later_items(before(told, start), later.where(order_of[later.actor] == later.session))


def later_items(known: Interactions, later: Interactions) -> Cases:
    """Return a case for each actor with a history who later did something with a new item.

    Both are of one `Interactions`: what is known of actors, and what is asked for.
    """
    items = len(known.item_ids)
    had = np.unique(known.actor.astype(np.int64) * items + known.item)
    cell = np.unique(later.actor.astype(np.int64) * items + later.item)
    cell = cell[~np.isin(cell, had, assume_unique=True)]
    actor = np.intersect1d(cell // max(items, 1), known.actor)
    case = np.full(len(known.actor_ids), NOBODY, dtype=np.int64)
    case[actor] = np.arange(len(actor))
    cell = cell[case[cell // max(items, 1)] >= 0]
    cell = case[cell // max(items, 1)] * items + cell % max(items, 1)
    told = histories(known, "actor", actor.astype(np.int32))
    return Cases(told, filled(cell, np.ones(len(cell)), len(actor), items), actor.astype(np.int64))


def shuffled(told: Interactions, seed: str) -> Interactions:
    """Return the interactions with all places in time dealt to the items anew.

    Each row keeps its item and gets the actor, session and time of another. Items stay as popular
    and sessions as long as they were, but what is in a session follows from nothing any more: who
    still finds it better than popularity does, has seen the window.
    """
    deal = draws(seed).permutation(len(told.item))
    return ordered(replace(told, item=told.item[deal]))


def draws(seed: str) -> np.random.Generator:
    """Return a stream of random numbers that is the same for the same seed."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
    return np.random.Generator(np.random.PCG64(number))
