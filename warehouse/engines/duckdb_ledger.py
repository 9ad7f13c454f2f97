"""Write the tables of the ledger into a DuckDB build database."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from extractors.naming import quoted
from warehouse.engines import duckdb_engine

# pyarrow ships no types: these are its Table and Schema.
Table = Any
Schema = Any

SCHEMA = "ledger"


def write(
    connection: duckdb.DuckDBPyConnection,
    schema: Schema,
    files: Sequence[Path],
    tables: Mapping[str, Table],
) -> None:
    """Replace `ledger.entries` by what the files hold, and the other tables; all or nothing."""
    names = ", ".join(quoted(name) for name in schema.names)
    with duckdb_engine.transaction(connection):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        _replace(connection, "entries", schema.empty_table())
        if files:
            connection.execute(
                f"INSERT INTO {SCHEMA}.entries SELECT {names} FROM read_parquet(?)",
                [[str(path) for path in files]],
            )
        for name, rows in tables.items():
            _replace(connection, name, rows)


def _replace(connection: duckdb.DuckDBPyConnection, name: str, rows: Table) -> None:
    connection.register("ledger_rows", rows)
    connection.execute(
        f"CREATE OR REPLACE TABLE {SCHEMA}.{quoted(name)} AS SELECT * FROM ledger_rows"
    )
    connection.unregister("ledger_rows")
