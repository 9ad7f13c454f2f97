"""Raw tables: one multi-asset per source and cell."""
