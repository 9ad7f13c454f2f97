"""Run single models, as dbt compiled them, on literal rows: no dbt, and a database in memory."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa


def run(
    target: Path, inputs: Mapping[str, pa.Table], models: Sequence[str]
) -> duckdb.DuckDBPyConnection:
    """Return a database that holds the inputs and what the models make of them, in this order.

    The names of tables are schema and name; the models are files of compiled SQL in `target`.
    """
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as build; use build; set timezone = 'UTC'")
    public = ("campaign", "affiliate", "recommendation")
    for name in ("seeds", "ledger", "staging", "intermediate", *public):
        connection.execute(f"create schema {name}")
    for name, rows in inputs.items():
        connection.register("input_rows", rows)
        connection.execute(f"create table {name} as from input_rows")
        connection.unregister("input_rows")
    for model in models:
        domain, _, alias = model.partition("__")
        name = f"intermediate.{model}" if domain.startswith("int_") else f"{domain}.{alias}"
        connection.execute(f"create table {name} as {source(target, model)}")
    return connection


def source(target: Path, model: str) -> str:
    """Return the SQL of a model, as dbt compiled it into `target`."""
    # a model's unit tests are compiled under its YAML
    paths = (target / "compiled").rglob(f"{model}.sql")
    [path] = (path for path in paths if path.parent.suffix != ".yml")
    return path.read_text(encoding="utf-8")


def table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return rows as a table."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
