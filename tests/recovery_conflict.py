"""Conflicts of a real standby's replay with what reads it."""

from typing import LiteralString

import psycopg

from demo.servers import Servers
from localserver import processes

# How many sessions a standby's replay has ended in this database.
ENDED: LiteralString = """
    select confl_snapshot + confl_lock from pg_stat_database_conflicts
    where datname = current_database()
"""


def allow_conflicts(servers: Servers) -> None:
    """Have the standby end readers soon, and its primary not wait for them; `settle` ends that."""
    standby, primary = servers.standby, servers.primary
    standby.settings |= {"hot_standby_feedback": "off", "max_standby_streaming_delay": "50ms"}
    standby.configure()
    released = "select xmin is null from pg_replication_slots"
    assert processes.wait_until(lambda: primary.ask(released) == (True,), 30)


def provoke_conflict(servers: Servers, *statements: str) -> None:
    """Run `statements` on the primary until their replay has ended a session of the standby.

    Once is not always enough: a vacuum leaves an old row where any other snapshot of the
    primary's still needs it, for example autovacuum's.
    """
    before = servers.standby.ask(ENDED)

    def is_ended() -> bool:
        with psycopg.connect(servers.primary.dsn(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())
        target = servers.primary.position().lsn
        assert processes.wait_until(lambda: servers.standby.replayed(target), 30)
        return servers.standby.ask(ENDED) != before

    assert processes.wait_until(is_ended, 30)
