"""Keep the rows of a package that raw cannot hold: one entry each, however often it comes."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from extractors.naming import literal, quoted
from extractors.package import Column, Manifest, utc_text
from warehouse.engines import duckdb_raw
from warehouse.load import discards, outbox

# The fact of a package that says by whom its rows were replayed, and why.
REPLAY = "replay"

_SUBJECT = "q.source = $source AND q.cell = $cell AND q.table_name = $table"


def record(connection: duckdb.DuckDBPyConnection, directory: Path, manifest: Manifest) -> None:
    """Write the rejected rows of a package, and decide the entries that it makes obsolete.

    An entry is a row as it was rejected: its source, cell, entity, reason, field, key and payload.
    Found again it only moves on; a decision other than `discarded` is then void. Times are the
    package's, so that loading it anew gives the same entries.
    """
    if not manifest.quarantine and not _has_undecided(connection, manifest):
        return
    subject = {"source": manifest.source, "cell": manifest.cell, "table": manifest.table}
    _collect(connection, directory, manifest)
    seen = {"load_id": manifest.load_id, "seen": manifest.finished_at}
    connection.execute(
        "UPDATE meta.quarantine AS q SET load_id = $load_id, last_seen_at = $seen, rows = r.rows,"
        " complete = r.complete FROM rejected AS r WHERE q.quarantine_id = r.quarantine_id",
        seen,
    )
    connection.execute(
        "UPDATE meta.quarantine AS q SET decision = 'open', decided_at = NULL, decided_by = NULL,"
        " why = NULL FROM rejected AS r WHERE q.quarantine_id = r.quarantine_id"
        " AND q.decision IN ('superseded', 'replayed')"
    )
    connection.execute(
        "INSERT INTO meta.quarantine BY NAME SELECT quarantine_id, $load_id AS load_id,"
        " $source AS source, $cell AS cell, $table AS table_name, $entity AS entity, reason,"
        " field, row_key, payload, complete, rows, $seen AS first_seen_at, $seen AS last_seen_at,"
        " 'open' AS decision FROM rejected ANTI JOIN meta.quarantine USING (quarantine_id)",
        {**subject, **seen, "entity": manifest.entity},
    )
    discards.apply(connection)
    _decide_loaded(connection, directory, manifest)
    if REPLAY not in manifest.facts:
        _supersede(connection, manifest)
    connection.execute("DROP TABLE rejected")


def _has_undecided(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> bool:
    row = connection.execute(
        "SELECT count(*) FROM meta.quarantine AS q WHERE decision IN ('open', 'discarded') AND "
        + _SUBJECT,
        {"source": manifest.source, "cell": manifest.cell, "table": manifest.table},
    ).fetchone()
    return row is not None and row[0] > 0


def _collect(connection: duckdb.DuckDBPyConnection, directory: Path, manifest: Manifest) -> None:
    """Make the table `rejected`: the package's rejected rows with their identity."""
    files = [str(directory / part.name) for part in manifest.quarantine]
    shape = (
        "SELECT NULL::VARCHAR AS reason, NULL::VARCHAR AS field, NULL::VARCHAR AS row_key,"
        " NULL::VARCHAR AS payload, NULL::BOOLEAN AS complete WHERE false"
    )
    # a package of an earlier release does not say whether its payloads are complete
    rows = f"{shape} UNION ALL BY NAME SELECT * FROM read_parquet($files, union_by_name = true)"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE rejected AS SELECT substr(sha256(CAST(to_json([$source,"
        " $cell, $entity, reason, field, row_key, payload]) AS VARCHAR)), 1, 16) AS quarantine_id,"
        " reason, field, row_key, payload, coalesce(bool_and(complete), false) AS complete,"
        f" count(*) AS rows FROM ({rows if files else shape})"
        " GROUP BY reason, field, row_key, payload",
        {
            "source": manifest.source,
            "cell": manifest.cell,
            "entity": manifest.entity,
            **({"files": files} if files else {}),
        },
    )


def _decide_loaded(
    connection: duckdb.DuckDBPyConnection, directory: Path, manifest: Manifest
) -> None:
    """Decide the entries whose key the package loads: replayed, or superseded.

    A tombstone tells only in a stream: a certificate also writes it for a good version of a row
    that the source replaced by one that is rejected.
    """
    if not manifest.rows:
        return
    replay = manifest.facts.get(REPLAY)
    decision = {
        "decision": "replayed" if replay else "superseded",
        "at": manifest.finished_at,
        "by": replay["by"] if replay else "load",
        "why": replay["why"] if replay else f"package {manifest.load_id} brought the row",
    }
    parts = ", ".join(literal(str(directory / part.name)) for part in manifest.parts)
    key = ", ".join(quoted(name) for name in manifest.key)
    typed = key_columns(manifest.key, manifest.columns)
    decided = connection.execute(
        f"WITH waiting AS (SELECT quarantine_id, {typed} FROM meta.quarantine AS q"
        f" WHERE q.load_id < $load_id AND q.decision IN ('open'{', $discarded' if replay else ''})"
        f" AND {_SUBJECT})"
        " UPDATE meta.quarantine AS q SET decision = $decision, decided_at = $at,"
        " decided_by = $by, why = $why WHERE q.quarantine_id IN (SELECT quarantine_id FROM waiting"
        f" SEMI JOIN (SELECT {key} FROM (SELECT * FROM read_parquet([{parts}],"
        " union_by_name = true) UNION ALL BY NAME SELECT NULL::BOOLEAN AS _deleted WHERE false)"
        f" WHERE NOT coalesce(_deleted, false) OR $is_stream) USING ({key}))"
        " RETURNING q.quarantine_id",
        {
            **decision,
            "is_stream": manifest.mode == "stream",
            "load_id": manifest.load_id,
            "source": manifest.source,
            "cell": manifest.cell,
            "table": manifest.table,
            **({"discarded": "discarded"} if replay else {}),
        },
    ).fetchall()
    if replay and decided:
        outbox.add(
            connection,
            discards.DECISION,
            f"{discards.DECISION}:{manifest.load_id}",
            decision="replayed",
            quarantine_ids=sorted(row[0] for row in decided),
            decided_at=utc_text(manifest.finished_at),
            decided_by=replay["by"],
            why=replay["why"],
            load_id=manifest.load_id,
        )


def _supersede(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> None:
    """Supersede what the source has replaced by another row that is rejected, or has no more.

    A full read tells for every entry; another only for those whose key it rejects anew.
    """
    values = {
        "at": manifest.finished_at,
        "load_id": manifest.load_id,
        "source": manifest.source,
        "cell": manifest.cell,
        "table": manifest.table,
    }
    update = (
        "UPDATE meta.quarantine AS q SET decision = 'superseded', decided_at = $at,"
        f" decided_by = 'load', why = $why WHERE {_SUBJECT} AND q.decision = 'open'"
        " AND q.load_id < $load_id"
    )
    key = ", ".join(quoted(name) for name in manifest.key)
    typed = key_columns(manifest.key, manifest.columns)
    connection.execute(
        f"{update} AND q.quarantine_id IN (SELECT quarantine_id FROM (SELECT quarantine_id,"
        f" {typed} FROM meta.quarantine AS q) SEMI JOIN (SELECT"
        f" {typed} FROM rejected AS q) USING ({key}))",
        {**values, "why": f"package {manifest.load_id} rejects a newer version of the row"},
    )
    if manifest.mode == "full":
        connection.execute(
            f"{update} AND q.entity = $entity",
            {
                **values,
                "entity": manifest.entity,
                "why": f"the full read {manifest.load_id} no longer rejects it",
            },
        )


def supersede_older(
    connection: duckdb.DuckDBPyConnection,
    subject: tuple[str, str, str],
    entity: str,
    key: Sequence[str],
    columns: Sequence[Column],
) -> None:
    """Supersede the entries of a table whose row raw got, or saw deleted, after they were seen.

    `subject` is (source, cell, table), `key` and `columns` are those of the raw table of `entity`.
    """
    source, cell, table = subject
    if not duckdb_raw.columns_of(connection, duckdb_raw.schema_of(source), entity):
        return
    raw = quoted(duckdb_raw.schema_of(source), entity)
    same = " AND ".join(f"w.{quoted(name)} = r.{quoted(name)}" for name in key)
    connection.execute(
        f"WITH waiting AS (SELECT quarantine_id, load_id, {key_columns(key, columns)}"
        f" FROM meta.quarantine AS q WHERE q.decision IN ('open', 'discarded') AND {_SUBJECT}),"
        f" newer AS (SELECT w.quarantine_id, max(r._load_id) AS load_id FROM waiting AS w"
        f" JOIN {raw} AS r ON {same} AND r._cell = $cell AND r._load_id > w.load_id GROUP BY ALL)"
        " UPDATE meta.quarantine AS q SET decision = 'superseded', decided_at = now(),"
        " decided_by = 'replay', why = 'package ' || n.load_id || ' brought a newer version'"
        " FROM newer AS n WHERE q.quarantine_id = n.quarantine_id",
        {"source": source, "cell": cell, "table": table},
    )


def newest_full_reads(
    connection: duckdb.DuckDBPyConnection, source: str, cell: str, table: str
) -> dict[str, str]:
    """Return entity -> the load id of the last package that held the whole raw table."""
    rows = connection.execute(
        "SELECT entity, max(load_id) FROM meta.loads AS q WHERE mode = 'full' AND "
        f"{_SUBJECT} GROUP BY entity",
        {"source": source, "cell": cell, "table": table},
    ).fetchall()
    return dict(rows)


def key_columns(key: Sequence[str], columns: Sequence[Column]) -> str:
    """Return the select list of an entry's typed key, from `q.row_key`; NULL where it is hidden.

    A key is an object of DynamoDB values by attribute, or an array in the order of the key.
    """
    by_name = {column.name: column for column in columns}
    return ", ".join(
        f"{_key_value(by_name[name], number)} AS {quoted(name)}" for number, name in enumerate(key)
    )


def _key_value(column: Column, number: int) -> str:
    name = column.source_name.replace("~", "~0").replace("/", "~1")
    tags = ", ".join(
        f"json_extract_string(q.row_key, {literal(f'/{name}/{tag}')})" for tag in ("S", "N", "B")
    )
    item = f"coalesce({tags})"
    row = "NULL" if column.pii else f"json_extract_string(q.row_key, '/{number}')"
    if column.type == "BLOB":
        item, row = f"from_base64({item})", f"unhex(substr({row}, 3))"
    else:
        item, row = f"TRY_CAST({item} AS {column.type})", f"TRY_CAST({row} AS {column.type})"
    return (
        f"CASE WHEN NOT coalesce(json_valid(q.row_key), false) THEN NULL"
        f" WHEN q.row_key LIKE '[%' THEN {row} ELSE {item} END"
    )
