"""A whole small shop to read from: PostgreSQL, a DynamoDB emulator and a clock of its own."""
