"""The measures of a pair of products, computed anew with 60 digits: what the mart has to equal."""

from decimal import Decimal, localcontext

DIGITS = 60


def measures(n_a: int, n_b: int, n_ab: int, n: int) -> dict[str, float]:
    """Return each measure of `recommendation.product_pairs`, by its definition.

    npmi: Bouma (2009), Normalized (Pointwise) Mutual Information in Collocation Extraction.
    """
    with localcontext() as context:
        context.prec = DIGITS
        a, b, ab, total = Decimal(n_a), Decimal(n_b), Decimal(n_ab), Decimal(n)
        lift = ab * total / (a * b)
        exact = {
            "support": ab / total,
            "confidence": ab / a,
            "lift": lift,
            "cosine": ab / (a * b).sqrt(),
            "jaccard": ab / (a + b - ab),
            "npmi": lift.ln() / -(ab / total).ln() if ab < total else Decimal(1),
            "llr": log_likelihood_ratio(ab, a - ab, b - ab, total - a - b + ab),
        }
    return {name: float(value) for name, value in exact.items()}


def log_likelihood_ratio(
    both: Decimal, first: Decimal, second: Decimal, neither: Decimal
) -> Decimal:
    """Return G squared of a 2 x 2 table, as the sum of x ln x that Dunning (1993) gives."""
    cells = (both, first, second, neither)
    margins = (both + first, second + neither, both + second, first + neither)
    total = _x_log_x(sum(cells, Decimal(0)))
    return 2 * (sum(map(_x_log_x, cells)) + total - sum(map(_x_log_x, margins)))


def _x_log_x(x: Decimal) -> Decimal:
    return x * x.ln() if x else Decimal(0)
