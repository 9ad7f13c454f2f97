"""Engine-specific SQL: one module family per engine with the same functions."""
