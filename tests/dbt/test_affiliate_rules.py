"""The rows that set up the affiliate programme: those that ship hold, a wrong one is named."""

from collections.abc import Iterator

import duckdb
import pytest

from tests.dbt.build import Build
from tests.dbt.test_channel_rules import compiled

pytestmark = pytest.mark.slow

SEEDS = ("affiliate_rules", "affiliate_coupons", "excluded_buyers")
ROW = "insert into affiliate_rules (rule_number, rule, affiliate_id, value, valid_from, valid_to) "
CODE = "insert into affiliate_coupons values "
BUYER = "insert into excluded_buyers values "
RULES = "assert_affiliate_rules_can_be_followed"
OTHERS = "assert_affiliate_coupons_and_buyers_can_be_followed"
# A change of a seed, and what the test of it answers.
WRONG = {
    (RULES, ROW + "values (3, 'click_chioce', null, 'last', null, null)"): [
        "the rule click_chioce of affiliate_rules.csv is no setting: spell it as docs/affiliate.md"
        " does, or take the row out"
    ],
    (RULES, "delete from affiliate_rules where rule = 'vat_rate'"): [
        "the rule vat_rate of affiliate_rules.csv has no row for all affiliates: add the one that"
        " docs/affiliate.md shows"
    ],
    (RULES, "update affiliate_rules set affiliate_id = 'a1' where rule = 'vat_rate'"): [
        "the rule vat_rate of affiliate_rules.csv for a1 has no row for all affiliates: add the"
        " one that docs/affiliate.md shows"
    ],
    (RULES, "update affiliate_rules set rule_number = 4 where rule = 'vat_rate'"): [
        "the rule vat_rate of affiliate_rules.csv has the rule_number 15: write it so"
    ],
    (RULES, "update affiliate_rules set value = '20%' where rule = 'vat_rate'"): [
        "the rule vat_rate of affiliate_rules.csv has the value 20%: give it a share from 0 to 1,"
        " as 0.2"
    ],
    (RULES, "update affiliate_rules set value = 'off' where rule = 'vat_rate'"): [
        "the rule vat_rate of affiliate_rules.csv has the value off: give it a share from 0 to 1,"
        " as 0.2"
    ],
    (RULES, "update affiliate_rules set value = null where rule = 'click_window_hours'"): [
        "the rule click_window_hours of affiliate_rules.csv has the value (nothing): give it a"
        " whole number, or off"
    ],
    (RULES, "update affiliate_rules set value = '1.005' where rule = 'cap_per_item'"): [
        "the rule cap_per_item of affiliate_rules.csv has the value 1.005: give it an amount with"
        " at most two decimals, or off"
    ],
    (RULES, "update affiliate_rules set value = 'split' where rule = 'click_choice'"): [
        "the rule click_choice of affiliate_rules.csv has the value split: give it one of last,"
        " first"
    ],
    (RULES, ROW + "values (3, 'click_choice', 'a1', 'first', null, null)"): [
        "the rule click_choice of affiliate_rules.csv for a1 compares affiliates with each other:"
        " leave its affiliate_id empty"
    ],
    (
        RULES,
        ROW + "values (15, 'vat_rate', 'a1', '0.2', date '2026-02-01', date '2026-01-31')",
    ): [
        "the rule vat_rate of affiliate_rules.csv for a1 ends before it begins: valid_to is its"
        " last day"
    ],
    (
        RULES,
        ROW + "values (15, 'vat_rate', null, '0.2', date '2026-02-01', null)",
    ): [
        "the rule vat_rate of affiliate_rules.csv begins before the row ends that comes before it:"
        " end that one the day before"
    ],
    (
        RULES,
        "update affiliate_rules set valid_from = date '2026-02-01' where rule = 'vat_rate'",
    ): [
        "the rule vat_rate of affiliate_rules.csv leaves days for which nothing is said: the rows"
        " for all affiliates follow each other, the first without valid_from, the last without"
        " valid_to"
    ],
    (OTHERS, CODE + "('tea5', null, false, null, null)"): [
        "the coupon TEA5 of affiliate_coupons.csv names no affiliate_id: say whose it is"
    ],
    (OTHERS, CODE + "('tea5', 'a1', null, null, null)"): [
        "the coupon TEA5 of affiliate_coupons.csv does not say is_leaked: write true or false"
    ],
    (
        OTHERS,
        CODE
        + "('tea5', 'a1', false, null, '2026-01-31'), ('TEA5', 'a2', false, '2026-01-31', null)",
    ): [
        "the coupon TEA5 of affiliate_coupons.csv has two rows for one day: end the first the day"
        " before the second begins"
    ],
    (OTHERS, BUYER + "('c1', 'friend', null, null)"): [
        "the buyer c1 of excluded_buyers.csv has the kind friend: write employee or test"
    ],
    (OTHERS, BUYER + "('c1', 'test', '2026-01-02', '2026-01-01')"): [
        "the buyer c1 of excluded_buyers.csv ends before it begins: valid_to is its last day"
    ],
}


@pytest.fixture
def seeds(small_shop: Build) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection with copies of the seeds to change."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{small_shop.database}' as build (read_only)")
        for seed in SEEDS:
            connection.execute(f"create table {seed} as from build.seeds.{seed}")
        yield connection


def problems(build: Build, connection: duckdb.DuckDBPyConnection, test: str) -> list[str]:
    query = compiled(build, test)
    for seed in SEEDS:
        query = query.replace(f'"build"."seeds"."{seed}"', seed)
    return [found for (found,) in connection.sql(f"select problem from ({query})").fetchall()]


def test_the_rows_as_shipped_are_right(small_shop: Build, seeds: duckdb.DuckDBPyConnection) -> None:
    assert [problems(small_shop, seeds, test) for test in (RULES, OTHERS)] == [[], []]


@pytest.mark.parametrize(("test", "change"), WRONG)
def test_a_wrong_row_says_what_to_do(
    small_shop: Build, seeds: duckdb.DuckDBPyConnection, test: str, change: str
) -> None:
    seeds.execute(change)
    assert problems(small_shop, seeds, test) == WRONG[test, change]


def test_a_rule_that_changes_on_a_day_is_right(
    small_shop: Build, seeds: duckdb.DuckDBPyConnection
) -> None:
    seeds.execute(
        "update affiliate_rules set valid_to = '2025-12-31' where rule = 'vat_rate';"
        + ROW
        + "values (15, 'vat_rate', null, '0.2', '2026-01-01', null),"
        " (15, 'vat_rate', 'a1', '0', '2026-02-01', '2026-03-31')"
    )
    assert problems(small_shop, seeds, RULES) == []
