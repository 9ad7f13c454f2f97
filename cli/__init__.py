"""The `warehouse` command, one module per group of commands; each imports what it needs late."""
