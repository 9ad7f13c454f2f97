"""`warehouse export audience`: who is in the file, who is not, and when there is none."""

import csv
import json
from pathlib import Path

import pytest

from cli import export as command
from extractors.errors import ConfigError
from tests.cli import one_version
from tests.cli.command import Command
from warehouse import config
from warehouse.config import Settings
from warehouse.export import audience

# As of 2011-09-01: twenty customers came by k1 ten days ago, c01 to c04 ordered after it, c05
# before it, c06's order was cancelled; c07 and c08 do not want messages, c09 has no address. An
# anonymous visit is nobody's. Everybody last ordered on 2011-06-01, but c01 to c04.
MARTS = """
create schema core;
create schema campaign;
create table core.customers as
select
    printf('c%02d', n) as customer_id,
    case when n <= 4 then timestamptz '2011-08-25 00:00:00+00'
         else timestamptz '2011-06-01 00:00:00+00' end as last_order_at,
    case when n <= 12 then 5 when n <= 15 then 1 end as monetary_quintile
from range(1, 21) as numbers (n);
create table campaign.audience_members as
select customer_id, case when customer_id <> 'c09' then 'k1:' || customer_id end as email_hash
from core.customers
where customer_id not in ('c07', 'c08');
create table campaign.touchpoints as
select customer_id, 'k1' as campaign_id, timestamptz '2011-08-22 00:00:00+00' as occurred_at
from core.customers
union all select 'c20', 'k1', timestamptz '2011-08-23 00:00:00+00'
union all select 'c01', 'k''2', timestamptz '2011-08-01 00:00:00+00'
union all select null, 'k1', timestamptz '2011-08-22 00:00:00+00';
create table core.orders as
select 'o' || customer_id as order_id, customer_id, last_order_at as ordered_at, true as is_counted
from core.customers
where customer_id <= 'c05'
union all select 'oc06', 'c06', timestamptz '2011-08-25 00:00:00+00', false;
"""


@pytest.fixture
def shop(warehouse: Command) -> Command:
    return one_version.publish(warehouse, MARTS)


@pytest.fixture
def settings(shop: Command) -> Settings:
    return config.load(shop.directory / "warehouse.yml")


def customers(*numbers: int) -> list[str]:
    return [f"c{number:02d}" for number in numbers]


def test_who_clicked_and_did_not_buy_since_is_written_if_they_agreed(shop: Command) -> None:
    arguments = ("--segment", "clicked-not-bought", "--campaign", "k1", "--to", "clicked.csv")
    result = shop("export", "audience", *arguments, "--json")
    assert result.returncode == 0, result.stderr
    with (shop.directory / "clicked.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["customer_id"] for row in rows] == customers(5, 6, *range(9, 21))
    assert [row["email_hash"] for row in rows[:4]] == ["k1:c05", "k1:c06", "", "k1:c10"]
    assert result.stderr == (
        "14 of 16 customers written to clicked.csv, 13 with a hashed address;"
        " 2 did not agree to marketing (version v000001)\n"
    )
    assert json.loads(result.stdout) == {
        "version": "v000001",
        "as_of": "2011-09-01T00:00:00Z",
        "segment": "clicked-not-bought",
        "campaign": "k1",
        "days": 30,
        "customers": 16,
        "without_consent": 2,
        "exported": 14,
        "with_email_hash": 13,
        "file": "clicked.csv",
    }


def test_json_lines_hold_the_same_and_no_address_is_null(
    settings: Settings, tmp_path: Path
) -> None:
    to = tmp_path / "best.jsonl"
    done = audience.export(settings, "high-value", to)
    lines = [json.loads(line) for line in to.read_text(encoding="utf-8").splitlines()]
    assert [line["customer_id"] for line in lines] == customers(*range(1, 7), *range(9, 13))
    assert lines[6] == {"customer_id": "c09", "email_hash": None}
    assert (done.customers, done.exported, done.without_consent) == (12, 10, 2)


def test_who_lapsed_is_told_by_the_days_before_as_of_of_the_version(
    settings: Settings, tmp_path: Path
) -> None:
    to = tmp_path / "lapsed.csv"
    assert audience.export(settings, "lapsed", to).customers == 16
    with pytest.raises(ConfigError, match="fewer than 10"):
        audience.export(settings, "lapsed", tmp_path / "older.csv", days=93)
    assert audience.export(settings, "lapsed", to, days=7).customers == 16
    assert audience.export(settings, "lapsed", to, days=6).customers == 20


def test_a_small_segment_and_a_campaign_that_nobody_came_by_leave_the_file_as_it_was(
    settings: Settings, tmp_path: Path
) -> None:
    to = tmp_path / "file.csv"
    to.write_text("old")
    # the visit of c01 by k'2, whose name would end a query that held it
    for campaign, days, message in (
        ("k'2", 60, "fewer than 10 customers who agreed"),
        ("k1", 9, "fewer than 10 customers who agreed"),
        ("k9' or true --", 30, r"no visit came by campaign .*; there are k'2, k1"),
    ):
        with pytest.raises(ConfigError, match=message):
            audience.export(settings, "clicked-not-bought", to, campaign=campaign, days=days)
    assert [path.name for path in tmp_path.glob("*file*")] == ["file.csv"]
    assert to.read_text() == "old"


def test_a_file_of_another_form_or_in_no_folder_is_named(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"people\.xlsx: the file must end in \.csv or \.jsonl"):
        audience.export(settings, "high-value", tmp_path / "people.xlsx")
    with pytest.raises(ConfigError, match=r"none/people\.csv: there is no folder .*none;"):
        audience.export(settings, "high-value", tmp_path / "none" / "people.csv")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--segment", "clicked-not-bought"), "needs --campaign"),
        (("--segment", "lapsed", "--campaign", "k1"), "takes no --campaign"),
        (("--segment", "high-value", "--days", "3"), "takes no --days"),
        (("--segment", "lapsed", "--days", "1000000"), "not in the range 1<=x<=36500"),
    ],
)
def test_an_option_that_a_segment_lacks_or_does_not_take_is_told(
    shop: Command, options: tuple[str, ...], message: str
) -> None:
    assert message in shop.fails(2, "export", "audience", *options, "--to", "a.csv")


def test_the_help_offers_each_segment_that_there_is() -> None:
    assert tuple(audience.SEGMENTS) == command.SEGMENTS
