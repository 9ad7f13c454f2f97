"""A warehouse whose only version holds what a test says."""

import duckdb

from tests.cli.command import Command
from tests.cli.test_versions import CONFIGURATION, publication
from warehouse.publish import versions
from warehouse.state import segments


def publish(warehouse: Command, marts: str) -> Command:
    """Publish v000001 with the tables that these statements make; returns the command."""
    (warehouse.directory / "warehouse.yml").write_text(CONFIGURATION)
    home = warehouse.directory / "var"
    (home / "published").mkdir(parents=True)
    segments.append(home / "state", [publication(1)])
    with duckdb.connect(str(versions.version_path(home / "published", "v000001"))) as file:
        file.execute(marts)
    versions.switch(home / "published", "v000001")
    return warehouse
