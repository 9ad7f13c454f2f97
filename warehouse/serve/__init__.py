"""The PostgreSQL of the warehouse's own, where BI tools connect."""
