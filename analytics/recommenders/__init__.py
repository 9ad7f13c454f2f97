"""Recommenders over arrays: what goes with what, and what whom.

Made of numpy and sparse matrices only; the same rows give the same lists in whatever order they
come, and equal scores stand in the order of the items' ids. Whoever uses them

1. makes `interactions(actor, item, at, session, weight)` of pyarrow columns. Ids become codes:
   places in the sorted `actor_ids`, `item_ids` and `session_ids`, from which `ids.take(codes)`
   brings the text back; `places(ids, wanted)` and `mask(ids, chosen)` go the other way. Actors
   who bought and actors who viewed are told apart by making the interactions of each kind alone
   (with the same `catalogue`, so that their codes agree) and blending what was learned;
2. fits: `popularity.fit(told)`, `item_item.fit(told, by="session")`, ...;
3. asks the `Recommender` that comes back: `related(items, k, allowed)` for what to show beside a
   product, `recommend(histories(told, "actor"), k, allowed)` for people. `allowed` is a mask over
   the items: no other is in any list. What somebody has already done something with is not
   recommended to them, unless `without_seen=False`;
4. gets `Lists`: row, rank, item, score, reason, n, source. `user_user` also says whose taste is
   like whose: `alike(actors, k)`, where `item` is an actor;
5. asks what that is worth: `cases.before(told, start)` is what may be learned from,
   `cases.next_orders`, `next_items` or `later_items` what happened then,
   `evaluation.evaluate(model, cases)` the measures, `evaluation.differences(one, other, seed)`
   whether one recommender is better than another by more than chance.
"""

from analytics.recommenders.history import Histories, histories
from analytics.recommenders.interaction import NOBODY, Interactions, interactions, mask, places
from analytics.recommenders.lists import Lists, Recommender

__all__ = [
    "NOBODY",
    "Histories",
    "Interactions",
    "Lists",
    "Recommender",
    "histories",
    "interactions",
    "mask",
    "places",
]
