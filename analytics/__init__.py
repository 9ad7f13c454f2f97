"""Pure numeric functions on tables and arrays: no I/O, no other part of the warehouse."""
