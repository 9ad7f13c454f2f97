"""Apply a package that may hold several changes of one key, in their order."""

from collections.abc import Sequence

import duckdb

from extractors.naming import quoted
from warehouse.engines.duckdb_package import METADATA, SEQUENCE, Applied, Incoming, Stamp


def apply_changes(
    connection: duckdb.DuckDBPyConnection,
    incoming: Incoming,
    stamp: Stamp,
    stored: Sequence[str],
) -> Applied:
    """Apply each change as if it had come in a package of its own.

    Leaves the temporary table `versions`: every row version that this makes, as it would stand in
    raw, and its `_sequence`. A change that changes nothing makes none. `stored` are the columns of
    raw, of which the package may lack some.
    """
    table = incoming.table
    keys = ", ".join(incoming.keys)
    columns = [quoted(name) for name in stored]
    given = set(incoming.names)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE standing AS SELECT r.rowid AS _at, r.* FROM {table} AS r"
        f" SEMI JOIN ({incoming.selection}) AS i ON {incoming.same_key('r', 'i')}"
        " WHERE r._cell = ?",
        [stamp.cell],
    )
    # First each change beside the one before it, or the live row of raw: is it a change at all?
    # Then what is left the same way: a deletion keeps the values of the version that it ends.
    arriving = ", ".join(name if name in given else f"NULL AS {name}" for name in columns)
    whole = "struct_pack(" + ", ".join(f"{name} := {name}" for name in columns) + ")"
    differs = " OR ".join(f"{name} IS DISTINCT FROM _before.{name}" for name in incoming.names)
    version = ", ".join(
        f"CASE WHEN _deleted THEN _before.{name} ELSE {name} END AS {name}" for name in columns
    )
    each = f"(PARTITION BY {keys} ORDER BY {SEQUENCE} NULLS FIRST)"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE versions AS"
        f" WITH changes AS (SELECT {', '.join(columns)}, false AS _deleted, NULL AS {SEQUENCE},"
        " true AS _stands FROM standing WHERE _deleted_at IS NULL"
        f" UNION ALL SELECT {arriving}, _deleted, {SEQUENCE}, false FROM ({incoming.selection})),"
        f" beside AS (SELECT *, lag({whole}) OVER {each} AS _before,"
        f" coalesce(lag(NOT _deleted) OVER {each}, false) AS _was_live FROM changes),"
        f" made AS (SELECT * REPLACE (lag({whole}) OVER {each} AS _before) FROM beside"
        " WHERE _stands OR CASE WHEN _deleted THEN _was_live"
        f" ELSE NOT _was_live OR {differs} END)"
        f" SELECT {version}, $cell::VARCHAR AS _cell, $load_id::VARCHAR AS _load_id,"
        " $loaded_at::TIMESTAMPTZ AS _loaded_at, $position::BIGINT AS _source_position,"
        " CASE WHEN _deleted THEN $loaded_at::TIMESTAMPTZ END AS _deleted_at,"
        f" {SEQUENCE}, _was_live FROM made WHERE NOT _stands",
        {
            "cell": stamp.cell,
            "load_id": stamp.load_id,
            "loaded_at": stamp.loaded_at,
            "position": stamp.source_position,
        },
    )
    connection.execute(
        f"DELETE FROM {table} WHERE rowid IN"
        f" (SELECT _at FROM standing SEMI JOIN versions USING ({keys}))"
    )
    into = ", ".join([*columns, *(name for name, _ in METADATA)])
    connection.execute(
        f"INSERT INTO {table} ({into}) SELECT {into} FROM versions"
        f" QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {SEQUENCE} DESC) = 1"
    )
    row = connection.execute(
        "SELECT count(*) FILTER (_deleted_at IS NULL AND NOT _was_live),"
        " count(*) FILTER (_deleted_at IS NULL AND _was_live),"
        " count(*) FILTER (_deleted_at IS NOT NULL) FROM versions"
    ).fetchone()
    connection.execute("DROP TABLE standing")
    assert row is not None
    return Applied(*row)
