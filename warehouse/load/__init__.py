"""Move load packages into raw, each in one transaction with its record and position."""
