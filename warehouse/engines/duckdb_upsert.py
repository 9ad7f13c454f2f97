"""Make raw agree with a package that holds each key once: append, merge in place, or swap."""

from dataclasses import dataclass

import duckdb

from extractors.naming import quoted
from warehouse.engines.duckdb_package import (
    METADATA,
    Applied,
    Incoming,
    Stamp,
    count,
    execute_counting,
)

# A full package that replaces or deletes a larger share of the raw rows is written aside.
SWAP_SHARE = 0.3
ASIDE = "_aside"


@dataclass(frozen=True, slots=True)
class _Found:
    """How the rows of a package meet those of raw, by number."""

    live: int
    equal: int
    updated: int
    deleted: int


def upsert(
    connection: duckdb.DuckDBPyConnection,
    incoming: Incoming,
    stamp: Stamp,
    *,
    covers_all: bool,
    swap_share: float = SWAP_SHARE,
) -> Applied:
    """Make the raw table's live rows of one cell agree with the package.

    Rows equal to the live raw row keep their own metadata. With `covers_all`, live rows that the
    package does not hold are marked deleted; so are the keys of rows marked `_deleted`.
    """
    live = "_cell = ? AND _deleted_at IS NULL"
    standing = (
        count(connection, f"{incoming.table} WHERE {live}", [stamp.cell]) if covers_all else 0
    )
    if not incoming.has_deletes and not standing and not _meets(connection, incoming, stamp):
        return Applied(_insert(connection, incoming, stamp, "true"), 0, 0)
    found = _find(connection, incoming, stamp)
    upserts = incoming.rows
    if incoming.has_deletes:
        upserts = count(connection, f"({incoming.selection}) WHERE NOT _deleted")
    gone = max(standing - found.live, 0)
    applied = Applied(upserts - found.equal - found.updated, found.updated, found.deleted + gone)
    if covers_all and applied.updated + applied.deleted > swap_share * standing:
        _swap(connection, incoming, stamp)
    else:
        _merge(connection, incoming, stamp, applied, gone=gone)
    connection.execute("DROP TABLE found")
    return applied


def _meets(connection: duckdb.DuckDBPyConnection, incoming: Incoming, stamp: Stamp) -> bool:
    """Return whether raw holds any key of the package; stops at the first."""
    return bool(
        connection.execute(
            f"SELECT 1 FROM {incoming.table} AS r SEMI JOIN ({incoming.selection}) AS i"
            f" ON {incoming.same_key('r', 'i')} WHERE r._cell = ? LIMIT 1",
            [stamp.cell],
        ).fetchone()
    )


def _find(connection: duckdb.DuckDBPyConnection, incoming: Incoming, stamp: Stamp) -> _Found:
    """Make the table `found`: a row for each row of the package whose key raw holds.

    It is all that the rest needs to know of both: everything after goes by row number.
    """
    equal = " AND ".join(f"r.{name} IS NOT DISTINCT FROM i.{name}" for name in incoming.names)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE found AS SELECT i._row, r.rowid AS _at,"
        f" r._deleted_at IS NULL AS _live, i._deleted,"
        f" NOT i._deleted AND r._deleted_at IS NULL AND {equal} AS _equal"
        f" FROM ({incoming.selection}) AS i JOIN {incoming.table} AS r"
        f" ON {incoming.same_key('r', 'i')} WHERE r._cell = ?",
        [stamp.cell],
    )
    row = connection.execute(
        "SELECT count(*) FILTER (_live), count(*) FILTER (_equal),"
        " count(*) FILTER (_live AND NOT _deleted AND NOT _equal),"
        " count(*) FILTER (_live AND _deleted) FROM found"
    ).fetchone()
    assert row is not None
    return _Found(*row)


def _insert(
    connection: duckdb.DuckDBPyConnection, incoming: Incoming, stamp: Stamp, condition: str
) -> int:
    names = ", ".join(incoming.names)
    stamped = ", ".join(name for name, _ in METADATA[:4])
    return execute_counting(
        connection,
        f"INSERT INTO {incoming.table} ({names}, {stamped})"
        f" SELECT {names}, ?, ?, ?, ? FROM ({incoming.selection}) AS i WHERE {condition}",
        stamp.values,
    )


NEW = "NOT i._deleted AND NOT EXISTS (FROM found AS f WHERE f._row = i._row AND f._equal)"
REPLACED = "NOT _deleted AND NOT _equal"


def _merge(
    connection: duckdb.DuckDBPyConnection,
    incoming: Incoming,
    stamp: Stamp,
    applied: Applied,
    *,
    gone: int,
) -> None:
    """Delete and insert what differs, mark what is gone."""
    table = incoming.table
    if applied.inserted + applied.updated:
        connection.execute(
            f"DELETE FROM {table} WHERE rowid IN (SELECT _at FROM found WHERE {REPLACED})"
        )
    marked = ["rowid IN (SELECT _at FROM found WHERE _live AND _deleted)"] * bool(
        applied.deleted - gone
    ) + ["rowid NOT IN (SELECT _at FROM found)"] * bool(gone)
    if marked:
        connection.execute(
            f"UPDATE {table} SET _deleted_at = $loaded_at, _loaded_at = $loaded_at,"
            " _load_id = $load_id, _source_position = $position"
            f" WHERE _cell = $cell AND _deleted_at IS NULL AND ({' OR '.join(marked)})",
            _named(stamp),
        )
    if applied.inserted + applied.updated:
        _insert(connection, incoming, stamp, NEW)


def _swap(connection: duckdb.DuckDBPyConnection, incoming: Incoming, stamp: Stamp) -> None:
    """Write the table anew beside itself and rename it: what `_merge` makes, without dead rows."""
    table = incoming.table
    aside = quoted(f"raw_{incoming.source}", ASIDE)
    gone = "r._cell = $cell AND r._deleted_at IS NULL AND (f._at IS NULL OR f._deleted)"
    stamped = {
        "_load_id": "$load_id",
        "_loaded_at": "$loaded_at",
        "_source_position": "$position",
        "_deleted_at": "$loaded_at",
    }
    marks = ", ".join(
        f"CASE WHEN {gone} THEN {value} ELSE r.{name} END AS {name}"
        for name, value in stamped.items()
    )
    connection.execute(f"CREATE TABLE {aside} AS FROM {table} LIMIT 0")
    connection.execute(
        f"INSERT INTO {aside} BY NAME SELECT r.* REPLACE ({marks}) FROM {table} AS r"
        f" LEFT JOIN found AS f ON f._at = r.rowid WHERE f._at IS NULL OR NOT ({REPLACED})",
        _named(stamp),
    )
    connection.execute(f"DROP TABLE {table}")
    connection.execute(f"ALTER TABLE {aside} RENAME TO {quoted(incoming.entity)}")
    _insert(connection, incoming, stamp, NEW)


def _named(stamp: Stamp) -> dict[str, object]:
    return dict(zip(("cell", "load_id", "loaded_at", "position"), stamp.values, strict=True))
