"""What a run writes to Dagster's event log with kept connections is what Dagster reads."""

from pathlib import Path

import dagster as dg
import pytest

from orchestration.event_log import KeptEventLog
from orchestration.home import dagster_home
from orchestration.run import instance
from warehouse import config

pytestmark = pytest.mark.slow

CONFIGURATION = """
warehouse: {home: ./var}
sources:
  shop:
    kind: postgres
    dsn: postgresql://nobody@127.0.0.1:1/none
    tables: {users: {key: [user_id]}}
"""


@dg.multi_asset(
    specs=[dg.AssetSpec("orders"), dg.AssetSpec("totals", deps=["orders"])],
    check_specs=[dg.AssetCheckSpec("adds_up", asset="totals")],
)
def tables():
    yield dg.MaterializeResult("orders", metadata={"rows": 3})
    yield dg.MaterializeResult("totals")
    yield dg.AssetCheckResult(passed=False, asset_key="totals", check_name="adds_up")


def written(log: dg.DagsterInstance, run_id: str) -> list[tuple[str, str | None]]:
    """Return type and asset of each event of a run but those of the engine, whose number varies."""
    events = [entry.dagster_event for entry in log.all_logs(run_id) if entry.dagster_event]
    return [
        (event.event_type_value, event.asset_key and event.asset_key.to_user_string())
        for event in events
        if event.event_type_value != "ENGINE_EVENT"
    ]


def test_runs_written_by_kept_connections_and_by_dagsters_own_read_the_same(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.yml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    settings = config.load(path)
    with instance(settings) as kept:
        assert isinstance(kept.event_log_storage, KeptEventLog)
        ours = [dg.materialize([tables], instance=kept).run_id for _ in range(5)]

    with dg.DagsterInstance.from_config(str(dagster_home(settings))) as own:
        theirs = dg.materialize([tables], instance=own).run_id
        expected = written(own, theirs)
        assert ("ASSET_MATERIALIZATION", "totals") in expected
        assert [written(own, run_id) for run_id in ours] == [expected] * 5
        latest = own.get_latest_materialization_event(dg.AssetKey("orders"))
        assert latest is not None
        assert latest.run_id == theirs
        assert len(own.fetch_materializations(dg.AssetKey("orders"), limit=10).records) == 6
