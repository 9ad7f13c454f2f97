"""A small warehouse without sources, fed by hand-made packages."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extractors.package import Column, Manifest, Mode, PackageWriter
from warehouse import config
from warehouse.config import Settings
from warehouse.engines import duckdb_engine

COLUMNS = (Column("id", "VARCHAR", "id", "text"), Column("n", "INTEGER", "n", "int4"))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

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
    """Return a function that lands a package of rows (id, n[, deleted])."""

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
                names = [column.name for column in columns]
                deleted = ["_deleted"] if len(rows[0]) > len(names) else []
                table = pa.table(
                    {
                        name: [row[index] for row in rows]
                        for index, name in enumerate([*names, *deleted])
                    }
                )
                path = writer.new_part()
                pq.write_table(table, path)
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


def raw_rows(connection: duckdb.DuckDBPyConnection, columns: str = "id, n") -> list[Any]:
    """Return the live rows of raw_s.t."""
    return connection.execute(
        f"SELECT {columns} FROM raw_s.t WHERE _deleted_at IS NULL ORDER BY ALL"
    ).fetchall()
