"""Say what differs between two versions, mart by mart."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from extractors.errors import ConfigError
from warehouse.config import Settings
from warehouse.engines import duckdb_diff
from warehouse.engines.differences import TableDiff
from warehouse.publish import versions

Table = tuple[str, str]
Status = Literal["identical", "different", "only_in_a", "only_in_b"]


@dataclass(frozen=True, slots=True)
class MartDiff:
    """One mart of two versions; `difference` says how, where both have it and it differs."""

    mart: str
    status: Status
    rows_a: int
    rows_b: int
    difference: TableDiff | None = None


def diff(
    settings: Settings, a: str, b: str, mart: str | None = None, shown_rows: int = 0
) -> list[MartDiff]:
    """Compare two versions by the keys that their files state, or one mart of them.

    Tables of equal content hash are not read. `shown_rows` is how many of a mart's differing rows
    are returned at most.
    """
    files = {"a": _file(settings, a), "b": _file(settings, b)}
    if a == b:
        del files["b"]
    hashed_a, hashed_b = _hashes(settings, a), _hashes(settings, b)
    try:
        with (
            tempfile.TemporaryDirectory() as spill,
            duckdb_diff.attached(files, Path(spill)) as connection,
        ):
            keys: dict[Table, tuple[str, ...]] = {}
            for name in files:
                keys |= duckdb_diff.keys_of(connection, name)
            in_a = duckdb_diff.columns_of(connection, "a")
            in_b = duckdb_diff.columns_of(connection, "b") if "b" in files else in_a
            found: list[MartDiff] = []
            for table in _wanted({*in_a, *in_b}, mart):
                if table not in in_a or table not in in_b:
                    found.append(_only(connection, table, "a" if table in in_a else "b"))
                elif a == b or hashed_a.get(table, a) == hashed_b.get(table, b):
                    rows = duckdb_diff.row_count(connection, "a", table)
                    found.append(MartDiff(".".join(table), "identical", rows, rows))
                else:
                    key = keys.get(table, ())
                    compared = duckdb_diff.compare(
                        connection, table, in_a[table], in_b[table], key, shown_rows
                    )
                    found.append(_compared(table, compared))
            return found
    except duckdb.IOException as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{a} and {b} cannot be compared ({reason})") from None


def _file(settings: Settings, version: str) -> Path:
    """Return the file of a version, also of one that is no publication but has a file."""
    files = {path.stem: path for path in sorted(settings.published_directory.glob("[!.]*.duckdb"))}
    if version not in files:
        raise ConfigError(
            f"version {version} does not exist; there are {', '.join(files) or 'none yet'}"
        )
    return files[version]


def _hashes(settings: Settings, version: str) -> dict[Table, str]:
    """Return the content hashes that state has of a version; none where only a file is left."""
    record = versions.record_of(settings, version) or {"tables": ()}
    return {(t["schema"], t["table"]): t["content_hash"] for t in record["tables"]}


def _wanted(tables: Iterable[Table], mart: str | None) -> list[Table]:
    named = {".".join(table): table for table in sorted(tables)}
    if mart is None:
        return list(named.values())
    if mart not in named:
        raise ConfigError(f"neither version has a mart {mart}; there are {', '.join(named)}")
    return [named[mart]]


def _only(connection: duckdb.DuckDBPyConnection, table: Table, name: str) -> MartDiff:
    rows = duckdb_diff.row_count(connection, name, table)
    if name == "a":
        return MartDiff(".".join(table), "only_in_a", rows, 0)
    return MartDiff(".".join(table), "only_in_b", 0, rows)


def _compared(table: Table, found: TableDiff) -> MartDiff:
    status: Status = "different" if found.is_different else "identical"
    difference = found if found.is_different else None
    return MartDiff(".".join(table), status, found.rows_a, found.rows_b, difference)
