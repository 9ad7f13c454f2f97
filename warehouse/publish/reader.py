"""Open a published version for reading."""

from datetime import datetime
from pathlib import Path
from typing import Any, Self

import duckdb

from extractors.errors import ConfigError
from warehouse import config as configuration
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.publish import versions


class Published:
    """A DuckDB connection on one version: everything DuckDB's connection offers, plus its facts.

    `version` is its name; `complete_up_to` the UTC time before which every source's data is in.
    External access is off and the configuration locked.
    """

    version: str
    complete_up_to: datetime | None

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, version: str, complete_up_to: datetime | None
    ) -> None:
        self._connection = connection
        self.version = version
        self.complete_up_to = complete_up_to

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    def __repr__(self) -> str:
        return f"<published {self.version}, complete up to {self.complete_up_to}>"

    def tables(self) -> list[str]:
        """Return the tables of the version as `schema.table`, by name."""
        rows = self._connection.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() ORDER BY 1"
        ).fetchall()
        return [str(row[0]) for row in rows]


def open_published(version: str | None, config: str | Path | None) -> Published:
    """Open a version by name, the current one by default."""
    settings = configuration.load(Path(config) if config else None)
    published = settings.published_directory
    while True:
        name = version or versions.current_version(published)
        if name is None:
            raise ConfigError(f"{published}: nothing is published yet; run `warehouse run` first")
        if opened := _open(settings, name):
            return opened
        # Else it was replaced, and removed, since the pointer was read: look again.
        if version or name == versions.current_version(published):
            known = ", ".join(entry.version for entry in versions.versions(settings)) or "none yet"
            raise ConfigError(f"version {name} does not exist; there are {known}")


def _open(settings: Settings, name: str) -> Published | None:
    """Open a version, None where it does not exist (any more)."""
    path = versions.version_path(settings.published_directory, name)
    record = versions.record_of(settings, name)
    if record is None or not path.is_file():
        return None
    try:
        connection = duckdb_engine.published_database(path)
    except duckdb.IOException:
        if path.is_file():
            raise
        return None
    complete = record["complete_up_to"]
    return Published(connection, name, datetime.fromisoformat(complete) if complete else None)
