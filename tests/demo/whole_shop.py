"""Whole demo shops for tests: what they hold, files of orders to start them with, stops."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
from pyarrow import compute, parquet

from demo.orders_file import COLUMNS
from demo.place import Place
from demo.tables import DYNAMODB_TABLES, SHOP_TABLES
from tests.demo.document_lines import made_lines

CUT = datetime.fromisoformat("2026-03-01")


def cut_files(folder: Path) -> tuple[Path, Path, Path]:
    """Write orders of all months, of the months before CUT, and of the rest."""
    lines = made_lines(seed=3, scale=0.2).rename_columns(list(COLUMNS))
    early = compute.less(lines.column("InvoiceDate"), pa.scalar(CUT, pa.timestamp("us")))
    parts = (lines, lines.filter(early), lines.filter(compute.invert(early)))
    paths = tuple(folder / f"{name}.parquet" for name in ("all", "early", "rest"))
    for path, part in zip(paths, parts, strict=True):
        parquet.write_table(part, path)
    return paths[0], paths[1], paths[2]


def content(folder: Path) -> dict[str, list[Any]]:
    """Return every row and item that the running shop holds, `updated_at` left out."""
    place = Place(folder)
    found: dict[str, list[Any]] = {"clock": [place.clock.read_text()]}
    with psycopg.connect(place.postgres.dsn("shop")) as connection:
        for table in SHOP_TABLES:
            query = f"select {', '.join(table.names)} from {table.name}".encode()
            found[table.name] = sorted(map(repr, connection.execute(query).fetchall()))
    pages = place.dynamodb.client().get_paginator("scan")
    for table in DYNAMODB_TABLES:
        items = [item for page in pages.paginate(TableName=table) for item in page["Items"]]
        found[table] = sorted(json.dumps(item, sort_keys=True, default=bytes.hex) for item in items)
    return found


def answers(folder: Path) -> dict[str, list[Any]]:
    """Return the rows of every table of the shop's answer file."""
    with duckdb.connect(str(Place(folder).truth), read_only=True) as connection:
        names = connection.execute("select table_name from duckdb_tables()").fetchall()
        return {
            name: sorted(map(repr, connection.execute(f'select * from "{name}"').fetchall()))
            for (name,) in names
        }


def query(folder: Path, text: str) -> list[tuple[Any, ...]]:
    """Ask the shop's primary, or change it."""
    with psycopg.connect(Place(folder).postgres.dsn("shop"), autocommit=True) as connection:
        found = connection.execute(text.encode())
        return found.fetchall() if found.description else []


class StoppedError(Exception):
    """Ends a command where a kill could."""


def stop_at(words: str) -> Callable[[str], None]:
    """Return a progress function that stops the command at the first line with these words."""

    def progress(line: str) -> None:
        if line.startswith(words):
            raise StoppedError(line)

    return progress
