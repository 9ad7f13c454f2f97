"""What the shop's PostgreSQL holds: made-up things, dated things, and their state at the clock."""
