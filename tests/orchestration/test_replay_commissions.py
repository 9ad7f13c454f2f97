"""A replay refuses what it cannot compare: no build, an unfinished one, or one of other models."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from extractors.errors import SourceError
from orchestration import dbt
from orchestration.replay_commissions import Graph, _as_of, write_plans
from warehouse.config import Settings
from warehouse.load import builds
from warehouse.load.builds import Built

OLD, NEW = (datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2))


def test_without_a_build_there_is_nothing_to_compare(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing is built yet; run `warehouse run` first"):
        write_plans(settings, tmp_path / "plans.csv")
    assert not (tmp_path / "plans.csv").exists()


def test_a_build_that_is_unfinished_or_of_other_models_is_refused(
    settings: Settings, build: duckdb.DuckDBPyConnection
) -> None:
    graph = Graph(["model.a", "model.b"], [])
    models = dbt.build_fingerprint(settings)

    def record(node: str, models: str, as_of: datetime) -> None:
        builds.record(build, [Built(node, None, models, "", as_of)])

    record("model.a", models, OLD)
    with pytest.raises(SourceError, match="are not built, or by other models"):
        _as_of(build, settings, graph)
    record("model.b", "others", OLD)
    with pytest.raises(SourceError, match="are not built, or by other models"):
        _as_of(build, settings, graph)
    record("model.b", models, NEW)
    assert _as_of(build, settings, graph) == NEW
