"""The answer file: what is true about the shop, for tests to read and no pipeline to see.

A DuckDB file of its own beside the shop's stores. Its tables are made with the items, from the
same draws, and cut at the same clock.
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from extractors.naming import quoted


def write(path: Path, tables: Mapping[str, pa.Table]) -> None:
    """Write the tables as a DuckDB file in one step: a reader finds the old file or the new one.

    A file that a killed writer left aside is overwritten.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}")
    aside.unlink(missing_ok=True)
    with duckdb.connect(aside) as connection:
        for name, table in tables.items():
            connection.register("given", table)
            connection.execute(f"create table {quoted(name)} as select * from given")
            connection.unregister("given")
    aside.replace(path)
