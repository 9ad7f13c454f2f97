"""Likelihood ratios that others publish, of 2 x 2 tables (both, first only, second only, none)."""

# Apache Mahout, LogLikelihoodTest
MAHOUT = [
    ((1, 0, 0, 1), 2.772589),
    ((10, 0, 0, 10), 27.72589),
    ((5, 1995, 0, 100_000), 39.33052),
    ((1000, 1995, 1000, 100_000), 4730.737),
    ((1000, 1000, 1000, 100_000), 5734.343),
    ((1000, 1000, 1000, 99_000), 5714.932),
]
