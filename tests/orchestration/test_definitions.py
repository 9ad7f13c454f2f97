"""The code location holds what the docs say: assets, checks, the job and its schedule."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from extractors.errors import ConfigError
from orchestration import definitions
from orchestration.resources import AS_OF_TAG, FULL_REFRESH_TAG, SCHEDULED_TAG, options_of
from warehouse import config
from warehouse.config import Settings
from warehouse.engines.duckdb_engine import build_database
from warehouse.load import runs

pytestmark = pytest.mark.slow

CONFIGURATION = """
warehouse: {home: ./var, clock: CLOCK}
sources:
  shop:
    kind: postgres
    cells: {eu: 'postgresql://nobody@127.0.0.1:1/none', us: 'postgresql://nobody@127.0.0.1:1/none'}
    tables:
      users: {key: [user_id]}
      products: {key: [product_id]}
      orders: {key: [order_id]}
      order_lines: {key: [order_line_id]}
      refunds: {key: [refund_id]}
      campaigns: {key: [campaign_id]}
      ad_spend: {key: [spend_date, campaign_id]}
      product_prices: {key: [product_id, valid_from]}
      inventory: {key: [product_id]}
      inventory_movements: {key: [movement_id]}
      payments: {key: [payment_id]}
      fx_rates: {key: [rate_date, currency]}
      affiliates: {key: [affiliate_id]}
      commission_plans: {key: [plan_id]}
  activity:
    kind: dynamodb
    region: eu-west-2
    tables:
      campaign_events: {}
      affiliate_clicks: {}
      shop_activity:
        route:
          - { when: { type: { equals: cart } }, entity: cart_events }
          - { when: { type: { equals: view } }, entity: product_events }
          - { when: { type: { equals: search } }, entity: searches }
          - { when: { type: { equals: send } }, entity: trigger_sends }
"""


def configured(folder: Path, clock: str = "system") -> Settings:
    path = folder / "warehouse.yml"
    path.write_text(CONFIGURATION.replace("CLOCK", clock), encoding="utf-8")
    return config.load(path)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return definitions.build(configured(tmp_path_factory.mktemp("code_location")))


def test_a_raw_table_that_staging_reads_and_nothing_fills_is_named_before_anything_runs(
    tmp_path: Path,
) -> None:
    configured(tmp_path)
    path = tmp_path / "warehouse.yml"
    path.write_text(path.read_text().replace("      refunds: {key: [refund_id]}\n", ""))
    with pytest.raises(ConfigError, match=r"nothing fills raw_shop\.refunds, which staging reads"):
        definitions.build(config.load(path))


def test_the_job_goes_from_the_raw_tables_of_each_cell_to_the_published_version(
    built: dg.Definitions,
) -> None:
    keys = {
        key.to_user_string()
        for key in built.resolve_job_def("refresh").asset_layer.executable_asset_keys
    }
    tables = (
        *("users", "products", "orders", "order_lines", "refunds", "campaigns", "ad_spend"),
        *("product_prices", "inventory", "inventory_movements", "payments", "fx_rates"),
        *("affiliates", "commission_plans"),
    )
    shop = {f"raw_shop/{cell}{table}" for cell in ("", "eu/", "us/") for table in tables}
    assert {key for key in keys if key.startswith(("raw_", "solved/", "publication/"))} == shop | {
        "raw_activity/affiliate_clicks",
        "raw_activity/campaign_events",
        "raw_activity/cart_events",
        "raw_activity/product_events",
        "raw_activity/searches",
        "raw_activity/trigger_sends",
        "solved/basket_counts",
        "solved/campaign_figures",
        "solved/channel_weights",
        "solved/commission_due",
        "solved/commission_proposal",
        "solved/customer_neighbours",
        "solved/customer_recommendations",
        "solved/pair_counts",
        "solved/recommender_evaluation",
        "solved/related_products",
        "solved/refund_allocations",
        "solved/restated_periods",
        "publication/version",
    }
    assert {"core/orders", "campaign/attribution", "staging/stg_shop__orders"} <= keys


def test_no_solver_begins_before_the_first_call_has_decided_what_is_built(
    built: dg.Definitions,
) -> None:
    layer = built.resolve_job_def("refresh").asset_layer
    solved = [key for key in layer.executable_asset_keys if key.path[0] == "solved"]
    assert len(solved) == 12
    graph = built.resolve_asset_graph()
    for key in solved:
        assert {parent.path[0] for parent in graph.get(key).parent_keys} & {
            "intermediate",
            "recommendation",
            "solved",
        }


def test_each_call_of_dbt_is_one_step(built: dg.Definitions) -> None:
    """Dagster cuts a call in two, and runs the first part first of all, where steps form a ring."""
    job = built.resolve_job_def("refresh")
    calls = [one.name for one in job.nodes if one.name.startswith("build_")]
    assert sorted(calls) == ["build_after_solvers", "build_before_solvers"]


def test_every_raw_table_has_its_certificate_as_a_check_and_dbt_tests_are_checks(
    built: dg.Definitions,
) -> None:
    checks = {
        (key.asset_key.to_user_string(), key.name)
        for key in built.resolve_asset_graph().asset_check_keys
    }
    assert ("raw_shop/eu/orders", "certificate") in checks
    assert any(asset == "core/orders" for asset, _ in checks)


def test_the_schedule_runs_hourly_in_utc_and_is_off_until_somebody_turns_it_on(
    built: dg.Definitions,
) -> None:
    schedule = built.resolve_schedule_def("hourly")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 * * * *", "UTC")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED


def test_the_sensor_asks_for_a_run_when_the_last_one_was_killed_and_only_then(
    tmp_path: Path,
) -> None:
    settings = configured(tmp_path)
    sensor = definitions.build(settings).resolve_sensor_def("unfinished")
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED
    assert isinstance(sensor(), dg.SkipReason)
    with build_database(settings.build_database) as connection:
        runs.begin(connection, settings.state_directory, "one")
    request = sensor()
    assert isinstance(request, dg.RunRequest)
    assert (request.run_key, request.tags["warehouse/reason"]) == (
        "killed one",
        "the run one was killed",
    )


def test_a_scheduled_run_is_for_its_tick_and_by_a_demo_clock_for_the_sources_time(
    tmp_path: Path,
) -> None:
    tick = {SCHEDULED_TAG: "2026-03-01T10:00:00+00:00"}
    assert options_of(tick, configured(tmp_path)).as_of == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert options_of(tick, configured(tmp_path, "./clock")).as_of is None
    chosen = {**tick, AS_OF_TAG: "2026-02-01T00:00:00Z", FULL_REFRESH_TAG: "shop.orders,shop.users"}
    options = options_of(chosen, configured(tmp_path))
    assert options.as_of == datetime(2026, 2, 1, tzinfo=UTC)
    assert options.full_refresh == {"shop.orders", "shop.users"}


def test_a_folder_without_a_dbt_project_is_named(tmp_path: Path) -> None:
    configured(tmp_path)
    path = tmp_path / "warehouse.yml"
    path.write_text(path.read_text().replace("home: ./var", "home: ./var, dbt_project: ./models"))
    with pytest.raises(ConfigError, match=r"dbt_project: .*models holds no dbt_project\.yml"):
        definitions.build(config.load(path))
