"""Decide from two positions whether a read may continue the previous one."""

from dataclasses import dataclass, field
from typing import Any

from extractors.relational.catalogue import Relation
from extractors.relational.plan import Plan, reading_mode

# xmin is a 32-bit number: beyond half its circle, older cannot be told from newer.
_HALF_CIRCLE = 2**31


@dataclass(frozen=True, slots=True)
class Facts:
    """What a snapshot knows of the server it was taken on.

    `xmin` is the oldest transaction that was open then: every row that a later snapshot sees and
    this one does not carries an xid from it on. Transactions from `xmax` on had not begun.
    `lsn_before` and `lsn_after` are WAL positions around the snapshot, as numbers.
    """

    system_identifier: str
    timeline: int
    server_version: str
    in_recovery: bool
    replay_lag_s: float | None
    xmin: int
    xmax: int
    database: str
    lsn_before: int
    lsn_after: int
    other_transactions_visible: bool

    def shown(self) -> dict[str, Any]:
        """Return the facts for a manifest."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Start:
    """How a table is read now, and why.

    With `incremental`, rows with xid >= `xmin` (None: none can have changed) and all rows of the
    member tables `added` since are read.
    """

    mode: str
    reason: str
    xmin: int | None = None
    added: tuple[int, ...] = field(default=())


def position(plan: Plan, facts: Facts) -> dict[str, Any]:
    """Return where a table stands after a read under the snapshot."""
    return {
        "xmin": facts.xmin,
        "system_identifier": facts.system_identifier,
        "timeline": facts.timeline,
        "lsn": facts.lsn_after,
        "database": facts.database,
        "relation": plan.relation.oid,
        "members": list(plan.relation.members),
        "columns": plan.fingerprint,
    }


def start(plan: Plan, since: dict[str, Any] | None, facts: Facts) -> Start:
    """Return whether the read continues `since` or must cover the whole table."""
    mode, reason = reading_mode(plan.spec, plan.relation)
    if mode == "full":
        return Start("full", reason)
    if since is None:
        return Start("full", "first read")
    broken = _broken(since, plan, facts)
    if broken:
        return Start("full", broken)
    if facts.xmax <= since["xmin"]:
        return Start("incremental", "no transaction wrote since the previous snapshot")
    return Start("incremental", reason, since["xmin"], _added(since, plan.relation))


def left_behind(since: dict[str, Any] | None, facts: Facts) -> str | None:
    """Return why the server shows an older state than a position, if so.

    Such a state would bring back what was deleted since. Only a primary may go back: somebody
    restored it.
    """
    if since is None or since.get("system_identifier") != facts.system_identifier:
        return None
    known = since.get("timeline", 0)
    if facts.timeline < known:
        return (
            f"is on timeline {facts.timeline}, the server read before was on {known}: a failover"
            " left it behind; connect to the new primary or a replica of it (after a restore from"
            " a backup, run once with --full-refresh)"
        )
    if facts.in_recovery and facts.timeline == known and facts.lsn_before < since.get("lsn", 0):
        return (
            "shows an older state than what was read before: its replay lags; run again when it"
            " has caught up, or read another replica"
        )
    return None


def _broken(since: dict[str, Any], plan: Plan, facts: Facts) -> str | None:
    """Return why the rows changed since a position cannot be told by xmin, if so."""
    checks = (
        (since.get("system_identifier") != facts.system_identifier, "another server (restore)"),
        (since.get("timeline") != facts.timeline, "another timeline (failover)"),
        (since.get("database") != facts.database, "another database"),
        (since.get("relation") != plan.relation.oid, "the table was created anew"),
        (since.get("columns") != plan.fingerprint, "its columns, types, key or PII rules changed"),
        (
            facts.xmin < since.get("xmin", 0) or facts.lsn_before < since.get("lsn", 0),
            "the server is behind the one read before (a restore)",
        ),
        (
            facts.xmax - since.get("xmin", 0) >= _HALF_CIRCLE,
            "more than 2^31 transactions since the previous read",
        ),
    )
    return next((reason for is_so, reason in checks if is_so), None)


def _added(since: dict[str, Any], relation: Relation) -> tuple[int, ...]:
    """Return partitions attached since: their rows may be older than the previous snapshot."""
    return tuple(sorted(set(relation.members) - set(since.get("members", ()))))


def changed_rows(begin: Start) -> str:
    """Return SQL at the source for the rows of an incremental read."""
    if begin.xmin is None:
        return "false"
    # age() compares on the 32-bit circle, and a subselect is evaluated once. A frozen row may look
    # newer than it is: it is read again and found unchanged.
    floor = begin.xmin % 2**32
    changed = f"age(t.xmin) <= (select age('{floor}'::xid))"
    if not begin.added:
        return changed
    members = ", ".join(str(oid) for oid in begin.added)
    return f"({changed} or t.tableoid in ({members}))"
