"""A small warehouse without sources, fed by hand-made packages."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from extractors.naming import literal, quoted
from extractors.package import Column, Manifest, Mode, PackageWriter
from warehouse import config
from warehouse.config import Settings
from warehouse.engines import duckdb_engine

COLUMNS = (Column("id", "VARCHAR", "id", "text"), Column("n", "INTEGER", "n", "int4"))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

# what the warehouse itself reads in a part, after the columns of the manifest
OWN = (
    Column("_deleted", "BOOLEAN", "", ""),
    Column("_sequence", "BIGINT", "", ""),
)

MakePackage = Callable[..., Manifest]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the configuration of a warehouse with one source table, `s.t`."""
    path = tmp_path / "warehouse.yml"
    path.write_text(
        "warehouse: {home: ./var}\n"
        "publication: {keep: 3}\n"
        "sources:\n"
        "  s: {kind: postgres, dsn: 'postgresql://nobody@127.0.0.1:1/none',"
        " tables: {t: {key: [id]}}}\n",
        encoding="utf-8",
    )
    return config.load(path)


@pytest.fixture
def build(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return the open build database."""
    with duckdb_engine.build_database(settings.build_database) as connection:
        yield connection


@pytest.fixture
def make_package(settings: Settings) -> MakePackage:
    """Return a function that lands a package of rows (id, n[, deleted[, sequence]])."""

    def make(
        rows: Sequence[tuple[Any, ...]],
        *,
        mode: Mode = "full",
        start: int | None = None,
        to: int = 1,
        columns: Sequence[Column] = COLUMNS,
        quarantined: int = 0,
        rejected: Sequence[dict[str, Any]] = (),
        facts: dict[str, Any] | None = None,
    ) -> Manifest:
        with PackageWriter(settings.landing, "s", "main", "t") as writer:
            if rows:
                own = OWN[: len(rows[0]) - len(columns)]
                path = writer.new_part()
                write_part(path, rows, [*columns, *own])
                writer.add_part(path)
            writer.quarantine(
                [
                    {"reason": "unfit", "field": "n", "row_key": str(i), "payload": "{}"}
                    for i in range(quarantined)
                ]
                + list(rejected)
            )
            return writer.commit(
                mode=mode,
                key=["id"],
                columns=columns,
                from_={"at": start} if start is not None else None,
                to={"at": to},
                source_position=to,
                complete_up_to=NOON,
                facts=facts,
            )

    return make


def write_part(path: Path, rows: Sequence[tuple[Any, ...]], columns: Sequence[Column]) -> None:
    """Write rows as Parquet, in the types that the columns declare."""
    batch = pa.table({c.name: [row[i] for row in rows] for i, c in enumerate(columns)})
    typed = ", ".join(f"{quoted(c.name)}::{c.type} AS {quoted(c.name)}" for c in columns)
    with duckdb.connect() as connection:
        connection.register("batch", batch)
        connection.execute(
            f"COPY (SELECT {typed} FROM batch) TO {literal(str(path))} (FORMAT parquet)"
        )


def raw_rows(connection: duckdb.DuckDBPyConnection, columns: str = "id, n") -> list[Any]:
    """Return the live rows of raw_s.t."""
    return connection.execute(
        f"SELECT {columns} FROM raw_s.t WHERE _deleted_at IS NULL ORDER BY ALL"
    ).fetchall()
