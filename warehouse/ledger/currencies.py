"""Which currencies have no minor unit: nobody can be paid a part of a yen."""

from decimal import Decimal

# ISO 4217, list one (active codes), minor unit 0. Those of three places are paid in two of them.
WHOLE = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
)


def smallest(currency: str) -> Decimal:
    """Return the smallest amount that is paid in a currency."""
    return Decimal(1) if currency in WHOLE else Decimal("0.01")
