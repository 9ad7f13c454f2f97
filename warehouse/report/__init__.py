"""Pages that managers read: one per domain, from a published version."""
