"""The Dagster code location: wires extractors, warehouse and analytics; no logic of its own."""
