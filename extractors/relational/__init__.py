"""Read relational databases under one snapshot per source and cell."""
