"""`warehouse init`, and the schema that it prints."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cli.init_template import TEMPLATE
from tests.cli.command import Command
from warehouse import config
from warehouse.config.schema import schema_text

DSN = "postgresql://reader:pw@localhost/shop"


def test_init_writes_a_configuration_that_only_lacks_its_variables(
    warehouse: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = warehouse("init")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "warehouse.yml").read_text() == TEMPLATE
    missing = warehouse("status")
    assert missing.returncode == 2
    assert "variable SHOP_DSN is not set" in missing.stderr
    assert "variable PII_KEY is not set" in missing.stderr
    assert len(missing.stderr.splitlines()) == 3

    (tmp_path / ".env").write_text(f"SHOP_DSN={DSN}\nPII_KEY=a key of sixteen letters\n")
    monkeypatch.delenv("WAREHOUSE_CONFIG", raising=False)
    settings = config.load(tmp_path / "warehouse.yml")
    assert settings.home == tmp_path / "var"
    assert settings.sources["activity"].entities("shop_activity") == ("cart_events", "searches")


def test_init_never_overwrites(warehouse: Command, tmp_path: Path) -> None:
    (tmp_path / "warehouse.yml").write_text("mine")
    line = warehouse.fails(2, "init")
    assert "warehouse.yml: exists already" in line
    assert (tmp_path / "warehouse.yml").read_text() == "mine"


def test_init_writes_the_file_that_config_names(warehouse: Command, tmp_path: Path) -> None:
    assert warehouse("--config", "other.yml", "init").returncode == 0
    assert (tmp_path / "other.yml").read_text() == TEMPLATE
    assert "No such file" in warehouse.fails(2, "--config", "nowhere/other.yml", "init")


def test_the_commented_lines_hold_once_they_are_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        line.replace("# ", "", 1) if line.lstrip().startswith("# ") and ":" in line else line
        for line in TEMPLATE.splitlines()[4:]
        if "instead of dsn" not in line and not line.startswith("# Personal")
    ]
    # Keys behind `# ` at the left edge are sections; the blanks below them stay as they are.
    text = "\n".join(lines).replace("\n#   ", "\n  ")
    (tmp_path / "warehouse.yml").write_text(text)
    monkeypatch.setenv("SHOP_DSN", DSN)
    monkeypatch.setenv("PII_KEY", "a key of sixteen letters")
    settings = config.load(tmp_path / "warehouse.yml")
    bare = config.load(_written(tmp_path, TEMPLATE))
    without = {"columns", "heartbeat", "postgres", "landing", "dbt_project", "history_days"}
    without |= {"readers"}
    without |= {"region", "endpoint"}  # of exports: absent, they are a source's
    assert _plain(settings, without) == _plain(bare, without)


def _written(folder: Path, text: str) -> Path:
    (folder / "bare.yml").write_text(text)
    return folder / "bare.yml"


def _plain(settings: config.Settings, without: set[str]) -> Any:
    def stripped(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: stripped(v) for k, v in value.items() if k not in without}
        return value

    return stripped(settings.model_dump(mode="json"))


def test_the_template_explains_every_key() -> None:
    schema = json.loads(schema_text())
    sections = [schema, *schema["$defs"].values()]
    keys = {key for section in sections for key in section.get("properties", {})}
    assert sorted(key for key in keys if f"{key}:" not in TEMPLATE and key not in TEMPLATE) == []


def test_the_shipped_schema_is_the_one_of_this_version(
    warehouse: Command, repository: Path
) -> None:
    page = repository / "docs" / "reference" / "warehouse.schema.json"
    assert page.read_text(encoding="utf-8") == schema_text(), (
        "run `warehouse init --schema > docs/reference/warehouse.schema.json`"
    )
    assert warehouse("init", "--schema").stdout == schema_text()


def test_the_schema_takes_the_template_and_refuses_a_wrong_key() -> None:
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    document = yaml.safe_load(TEMPLATE)
    assert [error.message for error in validator.iter_errors(document)] == []
    document["publication"] = {"keep": "${KEEP}"}
    assert validator.is_valid(document)
    document["publication"] = {"keep": "many"}
    assert not validator.is_valid(document)
    document["publication"] = {"kep": 3}
    assert not validator.is_valid(document)
