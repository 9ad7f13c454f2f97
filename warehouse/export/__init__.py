"""Files for other services, written from a published version."""
