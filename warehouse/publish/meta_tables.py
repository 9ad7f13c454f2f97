"""What the published tables of `meta` hold: a text per table and column, for all readers."""

from collections.abc import Mapping

# Of each table what a row is, then its columns.
META_TABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "publications": (
        "One row per table of each version that was published before this one.",
        {
            "version": "Version",
            "as_of": "Tick that it was built for: it holds nothing that happened later",
            "published_at": "When readers could see it",
            "table_schema": "Schema of the table",
            "table_name": "Table",
            "row_count": "Its rows",
            "content_hash": "Hash of its content; equal hashes mean equal rows",
        },
    ),
    "freshness": (
        "One row per mart and cell.",
        {
            "mart": "Mart, as `core.orders`",
            "cell": "Cell of the sources (`main` where there is one)",
            "complete_up_to": "Everything that happened before is in the mart",
            "is_complete": "Whether that is the as_of of this version",
            "unmatched_rows": "Rows of its sources that name what another source does not hold",
        },
    ),
    "certificates": (
        "One row per comparison of a source's table with the warehouse.",
        {
            "certificate_id": "Certificate",
            "run_id": "Run that compared",
            "source": "Source, as the configuration names it",
            "cell": "Cell of the source",
            "table_name": "Table of the source",
            "kind": "`exact` compares contents, `read` counts what was read",
            "status": "`passed` or `failed`",
            "source_rows": "Rows at the source",
            "warehouse_rows": "Rows in the warehouse",
            "source_checksum": "Checksum at the source, of an exact comparison",
            "warehouse_checksum": "Checksum in the warehouse, of an exact comparison",
            "ranges": "Key ranges that were compared",
            "re_read_rows": "Rows that were read again, because the first comparison missed them",
            "deleted_rows": "Rows that were found to be deleted at the source",
            "position": "Position of the source that both sides are of",
            "checked_at": "When it was compared",
            "detail": "What differs, where it failed",
        },
    ),
    "loads": (
        "One row per loaded package of a source's table; read = loaded + quarantined rows.",
        {
            "load_id": "Package",
            "source": "Source, as the configuration names it",
            "cell": "Cell of the source",
            "table_name": "Table of the source",
            "entity": "Table of the warehouse that the rows went to",
            "mode": "How it was read: `full`, `incremental`, `stream`, `export` or `compacted`",
            "read_rows": "Rows that were read",
            "loaded_rows": "Rows that were loaded",
            "quarantined_rows": "Rows that were rejected and kept aside",
            "inserted_rows": "Rows that were new",
            "updated_rows": "Rows that replaced others",
            "deleted_rows": "Rows that were deleted",
            "source_position": "Position of the source as a number that never falls",
            "position_from": "Where the reading began; empty for a first one",
            "position_to": "Where the reading ended",
            "complete_up_to": "Everything that happened at the source before has been read",
            "loaded_at": "When it was loaded",
            "run_id": "Run that loaded it",
        },
    ),
    "keys": (
        "One row per column of a mart's key.",
        {
            "table_schema": "Schema of the mart",
            "table_name": "Mart",
            "column_name": "Column of its key",
            "ordinal": "Place of the column in the key, from 1",
        },
    ),
    "relationships": (
        "One row per column of a mart that names rows of another.",
        {
            "table_schema": "Schema of the mart",
            "table_name": "Mart",
            "column_name": "Column that names rows",
            "to_schema": "Schema of the mart that it names rows of",
            "to_table": "Mart that it names rows of",
            "to_column": "Column there",
        },
    ),
    "schema_changes": (
        "One row per change of a column at a source.",
        {
            "source": "Source, as the configuration names it",
            "table_name": "Table of the source",
            "entity": "Table of the warehouse",
            "column_name": "Column",
            "change": "`added`, `widened`, `removed`, `returned` or `refused`",
            "old_type": "Type before; empty for a new column",
            "new_type": "Type since; empty for a removed column",
            "load_id": "Package that showed the change",
            "changed_at": "When it was seen",
            "models": "Models of staging that use the column; empty where that was not known yet",
        },
    ),
}
