"""A published version whose marts are as the models declare them, and hold what a test says."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from tests.cli.test_versions import CONFIGURATION, publication
from warehouse import config
from warehouse.config import Settings
from warehouse.publish import versions
from warehouse.state import segments

MARTS = Path(__file__).resolve().parents[3] / "dbt_project" / "models" / "marts"
META = """
create schema meta;
create table meta.freshness (
    mart varchar, cell varchar, complete_up_to timestamptz, is_complete boolean,
    unmatched_rows bigint);
create table meta.certificates (
    certificate_id varchar, source varchar, cell varchar, table_name varchar, kind varchar,
    status varchar, source_rows bigint, warehouse_rows bigint, checked_at timestamptz,
    detail varchar);
"""


def publish(directory: Path, statements: str = "", number: int = 1, **facts: str) -> Settings:
    """Publish a version as of the first of September 2011 in an empty folder, a Thursday.

    The four weeks before are those from 2011-08-01 to 2011-08-28. `facts` are more of its record.
    """
    (directory / "warehouse.yml").write_text(CONFIGURATION, encoding="utf-8")
    settings = config.load(directory / "warehouse.yml")
    settings.published_directory.mkdir(parents=True)
    record = publication(number) | facts
    segments.append(settings.state_directory, [record])
    path = versions.version_path(settings.published_directory, record["version"])
    with duckdb.connect(str(path)) as file:
        file.execute("set TimeZone = 'UTC'")
        file.execute(META)
        file.execute(empty_marts())
        file.execute(statements)
    versions.switch(settings.published_directory, record["version"])
    return settings


@cache
def empty_marts() -> str:
    """Return the statements that make every mart, empty."""
    schemas = sorted({path.parent.name for path in MARTS.glob("*/*.yml")})
    return "".join((*(f"create schema {schema};\n" for schema in schemas), *_tables()))


def _tables() -> Iterator[str]:
    for path in sorted(MARTS.glob("*/*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            yield f"create table {model['name'].replace('__', '.')} ({_columns(model)});\n"


def _columns(model: dict[str, Any]) -> str:
    return ", ".join(f'"{one["name"]}" {one["data_type"]}' for one in model["columns"])
