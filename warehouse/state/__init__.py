"""What cannot be recomputed, as append-only hash-chained segments."""
