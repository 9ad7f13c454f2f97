"""Read DynamoDB tables: parallel scan, native decoding, one load package per entity."""
