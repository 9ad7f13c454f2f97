"""Invented addresses of customers, and where they move to."""

import numpy as np
import pyarrow as pa

from demo.draws import Draws, keys_of
from demo.rows.columns import DAY, NEVER, Ints, instants, pc, picked, seconds_in

STREETS = ("Mill Lane", "Harbour Road", "Chapel Street", "Orchard Way", "Station Road", "The Green")
CITIES = ("Ashford", "Brigham", "Colne Hill", "Dunmore", "Eastley", "Fernham", "Greyport")
SECOND_SHARE = 0.35  # customers who have goods sent elsewhere
MOVED_SHARE = 0.15


def addresses(users: pa.Table, seed: int, lives_from: int | None) -> pa.Table:
    """Return the rows of addresses of users (user_id, country, created_at), future ones included.

    Columns: those of the table, and line1, city and postcode once more with the prefix `moved_`,
    which are theirs from moved_at on: the customer has moved. Nobody moves before `lives_from`
    (seconds; None: never).
    """
    ids = users.column("user_id").combine_chunks()
    keys = keys_of(ids.to_pylist())
    created = seconds_in(users.column("created_at"))
    first = Draws(seed, "address", keys)
    every = np.arange(len(ids))
    second = np.flatnonzero(first.uniform("second") < SECOND_SHARE)
    tables: list[pa.Table] = []
    for kind, chosen in (("billing", every), ("delivery", second)):
        draws = Draws(seed, f"{kind} address", keys[chosen])
        at = created[chosen]
        if kind == "delivery":
            at = at + draws.integers("created", 0, 60) * DAY
        moved = np.full(len(chosen), NEVER)
        if lives_from is not None:
            later = np.maximum(at, lives_from) + draws.integers("moved", 5, 300) * DAY + 20 * 3600
            moved = np.where(draws.uniform("moves") < MOVED_SHARE, later, NEVER)
        owner = ids.take(pa.array(chosen))
        columns = {
            "address_id": pc.binary_join_element_wise(owner, pa.scalar(kind), "-"),
            "user_id": owner,
            "kind": picked([kind], np.zeros(len(chosen), np.int64)),
            **_place(draws, ""),
            "country": users.column("country").combine_chunks().take(pa.array(chosen)),
            "created_at": instants(at),
            **_place(draws, "moved_"),
            "moved_at": instants(moved),
        }
        tables.append(pa.table(columns))
    return pa.concat_tables(tables).combine_chunks()


def _place(draws: Draws, prefix: str) -> dict[str, pa.Array]:
    house = draws.integers(f"{prefix}house", 1, 180)
    street = picked(list(STREETS), draws.integers(f"{prefix}street", 0, len(STREETS)))
    city: Ints = draws.integers(f"{prefix}city", 0, len(CITIES))
    digits = pa.array(10_000 + city * 1000 + draws.integers(f"{prefix}district", 0, 1000))
    return {
        f"{prefix}line1": pc.binary_join_element_wise(
            pa.array(house).cast(pa.string()), street, " "
        ),
        f"{prefix}city": picked(list(CITIES), city),
        f"{prefix}postcode": digits.cast(pa.string()),
    }
