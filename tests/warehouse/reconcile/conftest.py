"""The PostgreSQL server that these tests read."""

from tests.relational_source import postgres_server, source

__all__ = ["postgres_server", "source"]
