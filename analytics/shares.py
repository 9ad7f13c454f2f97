"""Divide a whole number of smallest units without losing or inventing one."""

from collections.abc import Sequence


def largest_remainder(total: int, weights: Sequence[int], keys: Sequence[str]) -> list[int]:
    """Return whole shares of `total` in proportion to `weights`, which sum exactly to it.

    What the rounding down leaves goes to the largest remainders, equal ones by ascending key.
    A negative total is shared like the positive one; weights must not all be 0.
    """
    whole = sum(weights)
    sign = -1 if total < 0 else 1
    divided = [divmod(abs(total) * weight, whole) for weight in weights]
    shares = [share for share, _ in divided]
    first = sorted(range(len(keys)), key=lambda place: (-divided[place][1], keys[place]))
    for place in first[: abs(total) - sum(shares)]:
        shares[place] += 1
    return [sign * share for share in shares]
