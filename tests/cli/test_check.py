"""`warehouse check` on a running shop, and on everything that can be wrong with its sources."""

import json
import re
import shutil
from pathlib import Path

import psycopg
import pytest

from cli.drift import Use, missing, uses
from cli.shared import size_text
from demo.place import Place
from tests.cli.command import Command

pytestmark = pytest.mark.slow


def configured(running_shop: Command, old: str, new: str) -> str:
    """Write a changed copy of the shop's configuration; return its name."""
    text = (running_shop.directory / "warehouse.yml").read_text()
    assert old in text
    (running_shop.directory / "changed.yml").write_text(text.replace(old, new))
    return "changed.yml"


def primary(shop: Command) -> str:
    """Return where the shop's tables can be changed: the warehouse reads from the standby."""
    return Place(shop.directory).postgres.dsn("shop")


def test_a_shop_in_order_has_no_problems(running_shop: Command) -> None:
    result = running_shop("check")
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("no problems\n")
    assert "note:" not in result.stdout
    assert result.stderr == ""
    found = json.loads(running_shop("check", "--json").stdout)
    assert found["problems"] == []
    by_table = {f"{table['source']}.{table['table']}": table for table in found["tables"]}
    assert by_table["shop.ad_spend"]["key"] == ["spend_date", "campaign_id"]
    assert by_table["shop.orders"]["reading"] == "scan"
    assert by_table["activity.shop_activity"]["key"] == ["pk", "sk"]
    assert by_table["activity.shop_activity"]["read_units"] is not None


def test_check_changes_nothing(running_shop: Command) -> None:
    home = running_shop.directory / "var"
    before = sorted(home.rglob("*.duckdb")) + sorted((home / "state").rglob("*"))
    assert running_shop("check").returncode == 0
    assert sorted(home.rglob("*.duckdb")) + sorted((home / "state").rglob("*")) == before


def test_a_wrong_password_is_a_source_error_and_not_shown(running_shop: Command) -> None:
    dsn = running_shop.variable("SHOP_DSN")
    line = running_shop.fails(3, "check", SHOP_DSN=re.sub(r":[^:@/]+@", ":wrong-password@", dsn))
    assert "password authentication failed" in line
    assert "wrong-password" not in line


def test_an_unreachable_host_is_named(running_shop: Command) -> None:
    line = running_shop.fails(3, "check", SHOP_DSN="postgresql://shop:secret@127.0.0.1:1/shop")
    assert "127.0.0.1:1/shop" in line
    assert "Connection refused" in line
    assert "secret" not in line


def test_an_unreachable_dynamodb_is_named_for_each_table(running_shop: Command) -> None:
    result = running_shop("check", DYNAMODB_ENDPOINT="http://127.0.0.1:1")
    assert result.returncode == 3
    lines = result.stderr.splitlines()
    assert [line.split(" (")[0] for line in lines] == [
        "error: DynamoDB table campaign_events",
        "error: DynamoDB table affiliate_clicks",
        "error: DynamoDB table shop_activity",
    ]
    assert all("cannot be reached" in line for line in lines)
    assert "shop.orders" in result.stdout


def test_an_endpoint_that_is_no_address_is_a_configuration_error(running_shop: Command) -> None:
    line = running_shop.fails(2, "check", DYNAMODB_ENDPOINT="nonsense")
    assert "sources.activity.endpoint: Invalid endpoint: nonsense" in line


def test_every_problem_of_the_tables_has_its_line(running_shop: Command) -> None:
    configured(running_shop, "users: { key: [user_id]", "users: { key: [id]")
    text = (running_shop.directory / "changed.yml").read_text()
    (running_shop.directory / "changed.yml").write_text(
        text.replace("      products:", "      catalogue:").replace("campaign_events:", "events:")
    )
    result = running_shop("--config", "changed.yml", "check")
    assert result.returncode == 3
    lines = result.stderr.splitlines()
    assert len(lines) == 5
    for line, words in zip(
        sorted(lines),
        [
            "DynamoDB table events (eu-west-2",
            "changed.yml: nothing fills raw_activity.campaign_events, which stg_campaign__events",
            "changed.yml: nothing fills raw_shop.products, which stg_shop__products reads",
            "no such table; correct its name in warehouse.yml",
            "`key` names the column id, which it does not have",
        ],
        strict=True,
    ):
        assert words in line


def test_a_share_of_capacity_needs_provisioned_capacity(running_shop: Command) -> None:
    name = configured(running_shop, "read_capacity: 100000", "read_capacity: 25%")
    result = running_shop("--config", name, "check")
    assert result.returncode == 2
    assert "billed on demand; give read units per second" in result.stderr


def test_a_column_that_the_models_need_is_missed_at_the_source(running_shop: Command) -> None:
    with psycopg.connect(primary(running_shop), autocommit=True) as connection:
        connection.execute("ALTER TABLE orders RENAME COLUMN coupon_code TO coupon")
        try:
            line = running_shop.fails(3, "check")
        finally:
            connection.execute("ALTER TABLE orders RENAME COLUMN coupon TO coupon_code")
    assert "shop.orders: has no column coupon_code, which stg_shop__orders takes" in line


def test_a_missing_privilege_comes_with_its_grant(running_shop: Command) -> None:
    dsn = running_shop.variable("SHOP_DSN")
    with psycopg.connect(primary(running_shop), autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'reader'")
        connection.execute("GRANT USAGE ON SCHEMA demo TO reader")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public, demo TO reader")
        connection.execute("REVOKE SELECT ON refunds FROM reader")
        try:
            line = running_shop.fails(
                3, "check", SHOP_DSN=re.sub(r"//[^@]+@", "//reader:reader@", dsn)
            )
        finally:
            connection.execute("DROP OWNED BY reader")
            connection.execute("DROP ROLE reader")
    assert 'run at the source: GRANT SELECT ON "public"."refunds" TO "reader"' in line


def test_a_key_without_a_unique_index_and_an_undeclared_attribute_are_noted(
    running_shop: Command,
) -> None:
    name = configured(
        running_shop, "ad_spend: { key: [spend_date, campaign_id]", "ad_spend: { key: [clicks]"
    )
    text = (running_shop.directory / name).read_text()
    (running_shop.directory / name).write_text(re.sub(r"\n +utm_term: VARCHAR", "", text))
    result = running_shop("--config", name, "check")
    assert result.returncode == 0, result.stderr
    notes = [line for line in result.stdout.splitlines() if line.startswith("note: ")]
    assert len(notes) == 2
    assert "no unique index holds the key (clicks)" in notes[0]
    model = "base_campaign__tagged_events"
    assert f"activity.campaign_events: {model} takes the column utm_term" in notes[1]


def test_every_staging_model_shows_what_it_takes(repository: Path) -> None:
    project = repository / "dbt_project"
    models = {path.stem for path in (project / "models" / "staging").rglob("stg_*.sql")}
    found = list(uses(project))
    assert {use.model for use in found if use.model.startswith("stg_")} == models
    assert Use("shop", "orders", "status", "stg_shop__orders") in found
    # through a base model that carries all columns on; what may be absent is not asked for
    assert Use("activity", "campaign_events", "device", "stg_campaign__events") in found
    assert "user_agent" not in {use.column for use in found if use.entity == "campaign_events"}
    assert missing({("shop", "orders"): {"status"}}, [found[0]]) == []


def test_a_column_that_a_base_model_makes_is_not_missed(tmp_path: Path) -> None:
    shutil.copytree(
        Path(__file__).resolve().parents[2] / "dbt_project" / "models" / "staging",
        tmp_path / "models" / "staging",
    )
    taken = {use.column for use in uses(tmp_path) if use.entity == "order_lines"}
    # The customer of a line comes from its order, and due_at is computed.
    assert "quantity" in taken
    assert not taken & {"user_id", "due_at", "_load_id"}


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (41_000, "41 kB"), (1_200_000, "1.2 MB")],
)
def test_sizes_are_short(size: int, text: str) -> None:
    assert size_text(size) == text
