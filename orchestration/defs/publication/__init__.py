"""Published versions, and the schedule that makes them."""
