"""A rebuild goes through the steps of a run on a build database of its own."""

from pathlib import Path
from typing import Any

import pytest

import warehouse
from extractors.errors import AuditError
from orchestration.rebuild import rebuild
from tests.warehouse.conftest import MakePackage
from warehouse import config
from warehouse.config import Settings
from warehouse.publish import side, versions
from warehouse.state import segments

pytestmark = pytest.mark.slow

PROJECT = {
    "dbt_project.yml": "name: small\nprofile: commerce_warehouse\n"
    "flags: {require_generic_test_arguments_property: true}\n"
    "models: {small: {+materialized: table, +schema: core}}\n"
    "data_tests: {small: {+store_failures: true, +schema: audit}}\n",
    "macros/names.sql": "{% macro generate_schema_name(name, node) %}"
    "{{ name or target.schema }}{% endmacro %}",
    "models/sources.yml": "sources: [{name: raw_s, tables: [{name: t}]}]\n",
    "models/core__orders.sql": "{{ config(alias='orders') }}\n"
    "select id, n from {{ source('raw_s', 't') }} where _deleted_at is null\n",
    "tests/assert_none_is_large.sql": "select id from {{ ref('core__orders') }} where n > 5\n",
}


@pytest.fixture
def small(settings: Settings) -> Settings:
    """Return the configuration of a warehouse with one source table and one model."""
    folder = settings.path.parent / "project"
    for name, text in PROJECT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    text = settings.path.read_text().replace("{home: ./var}", "{home: ./var, dbt_project: project}")
    settings.path.write_text(text)
    return config.load(settings.path)


def files(folder: Path) -> list[tuple[Any, ...]]:
    return [(path, path.stat().st_size) for path in sorted(folder.rglob("*")) if path.is_file()]


def test_what_raw_knew_becomes_a_side_version_unless_its_audit_fails(
    small: Settings, make_package: MakePackage
) -> None:
    first = make_package([("a", 1)], to=1)
    second = make_package([("a", 9)], mode="incremental", start=1, to=2)
    landed = files(small.landing)

    made = rebuild(small, first.finished_at)
    assert (made.version, made.is_current) == ("r000001", False)
    with warehouse.open("r000001", config=small.path) as opened:
        assert opened.execute("SELECT * FROM core.orders").fetchall() == [("a", 1)]

    recorded = segments.records(small.state_directory)
    with pytest.raises(AuditError, match=r"assert_none_is_large.*\(id=a\)"):
        rebuild(small, second.finished_at)
    assert [found.version for found in side.side_versions(small)] == ["r000001"]
    assert segments.records(small.state_directory) == recorded
    assert versions.versions(small) == []
    assert files(small.landing) == landed
    assert not small.build_database.exists()
    assert (small.home / "rebuild" / "build.duckdb").is_file()
