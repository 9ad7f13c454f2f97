"""The rules of channels as shipped are Google's, and a wrong rule file says what to do."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.dbt.build import Build

pytestmark = pytest.mark.slow

ORIGINS = '"build"."staging"."base_campaign__origins"'
RULES = '"build"."seeds"."channel_rules"'
# source, medium, campaign, click id -> channel, rule; from Google's page "Default channel group",
# with what we add: click ids, and web mail as e-mail
CASES = (
    ("(none)", "(none)", "(none)", None, "direct", "direct"),
    ("(direct)", "(none)", "(none)", None, "direct", "direct_by_name"),
    ("(direct)", "(not set)", "(none)", None, "direct", "direct_not_set"),
    ("google", "cpc", "spring-cross-network", None, "cross_network", "cross_network"),
    ("amazon.co.uk", "cpc", "(none)", None, "paid_shopping", "paid_shopping_site"),
    ("news", "ppc", "shop now", None, "paid_shopping", "paid_shopping_shop"),
    ("news", "ppc", "my_shop_ads", None, "paid_shopping", "paid_shopping_hyphen_shop"),
    ("news", "ppc", "myeshop", None, "paid_shopping", "paid_shopping_eshop"),
    ("news", "ppc", "goshopping", None, "paid_shopping", "paid_shopping_shopping"),
    ("news", "ppc", "workshop", None, "paid_other", "paid_other"),
    ("google", "cpc", "spring", None, "paid_search", "paid_search"),
    ("google", "cpm", "spring", None, "paid_search", "paid_search"),
    ("google", "organic", "(none)", "gclid", "paid_search", "paid_search"),
    ("facebook", "paid_social", "spring", None, "paid_social", "paid_social"),
    ("facebook", "social", "(none)", "fbclid", "organic_social", "organic_social_site"),
    ("youtube", "paid video", "(none)", None, "paid_video", "paid_video"),
    ("adnetwork", "display", "spring", None, "display", "display"),
    ("adnetwork", "cpm", "spring", None, "display", "display"),
    ("adnetwork", "retargeting", "spring", None, "paid_other", "paid_other"),
    ("etsy.com", "referral", "(none)", None, "organic_shopping", "organic_shopping_site"),
    ("news", "link", "shop spring", None, "organic_shopping", "organic_shopping_shop"),
    ("news", "link", "my shop", None, "organic_shopping", "organic_shopping_hyphen_shop"),
    ("news", "link", "eshop", None, "organic_shopping", "organic_shopping_eshop"),
    ("news", "link", "goshopping", None, "organic_shopping", "organic_shopping_shopping"),
    ("m.facebook.com", "referral", "(none)", None, "organic_social", "organic_social_site"),
    ("blog", "social_media", "(none)", None, "organic_social", "organic_social_medium"),
    ("youtube.com", "referral", "(none)", None, "organic_video", "organic_video_site"),
    ("blog", "my video", "(none)", None, "organic_video", "organic_video_medium"),
    ("google.co.uk", "organic", "(none)", None, "organic_search", "organic_search_site"),
    ("findit", "organic", "(none)", None, "organic_search", "organic_search_medium"),
    ("mail.google.com", "referral", "(none)", None, "email", "webmail"),
    ("giftblog.example", "referral", "(none)", None, "referral", "referral"),
    ("e mail", "(none)", "(none)", None, "email", "email_source"),
    ("email", "(none)", "(none)", None, "email", "email_source_plain"),
    ("newsletter", "e_mail", "weekly", None, "email", "email_medium"),
    ("partner", "affiliates", "(none)", None, "affiliate", "affiliate"),
    ("radio", "audio", "(none)", None, "audio", "audio"),
    ("sms", "(none)", "(none)", None, "sms", "sms_source"),
    ("crm", "sms", "(none)", None, "sms", "sms_medium"),
    ("crm", "web push", "(none)", None, "mobile_push", "mobile_push_medium"),
    ("firebase", "(none)", "(none)", None, "mobile_push", "mobile_push_source"),
    ("flyer", "print", "(none)", None, "(unassigned)", "unassigned"),
)
# A change of channel_rules.csv, and what the test of it answers.
WRONG = {
    "insert into rules (rule_rank, rule_name, channel, source) values (40, 'mine', 'mine', 'a')": {
        "mine": "shares its rule_rank with another rule: give each rule its own",
        "paid_search": "shares its rule_rank with another rule: give each rule its own",
    },
    "update rules set rule_rank = null where rule_name = 'sms_source'": {
        "sms_source": "has no rule_rank: give it a number, lower ones are tried first"
    },
    "update rules set rule_name = 'display' where rule_name = 'audio'": {
        "display": "shares its rule_name with another rule: give each rule its own"
    },
    "update rules set rule_name = null where rule_name = 'audio'": {
        "(without a name)": "has no rule_name: name it, the name stands in channel_rule"
    },
    "update rules set channel = null where rule_name = 'audio'": {
        "audio": "names no channel: say which one it gives"
    },
    "update rules set channel = 'Paid Audio' where rule_name = 'audio'": {
        "audio": "has a channel that is not lower case with underscores: write it so"
    },
    "update rules set source_kind = 'searhc' where rule_name = 'audio'": {
        "audio": "has a source_kind that no row of referrer_kinds.csv has: add one, or correct it"
    },
    "update rules set medium_kind = 'padi' where rule_name = 'audio'": {
        "audio": "has a medium_kind that no row of medium_kinds.csv has: add one, or correct it"
    },
    "update rules set valid_from = date '2011-02-01', valid_to = date '2011-01-31'"
    " where rule_name = 'audio'": {"audio": "ends before it begins: valid_to is its last day"},
    "update rules set medium_kind = null where rule_name = 'audio'": {
        "audio": "has no condition, so that no rule after it is reached: rank it last"
    },
    "delete from rules where rule_name = 'unassigned'": {
        "mobile_push_source": "is the last rule and has conditions, so that events may fit none:"
        " add one without any after it, as 999,unassigned,(unassigned),,,,,,,,"
    },
}
COLUMNS = {
    "alter table rules rename column source to sorce": {
        "source": "channel_rules.csv has no column source: add it, empty where a rule does not ask"
        " for it",
        "sorce": "channel_rules.csv has a column sorce, which is none of its conditions: take it"
        " out, or spell it as docs/reference/channel-rules.md does",
    },
}


@pytest.fixture
def rules(small_shop: Build) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection that sees the build and, as `rules`, a copy of its seed to change."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{small_shop.database}' as build (read_only)")
        connection.execute(f"create table rules as from {RULES}")
        yield connection


def compiled(build: Build, name: str) -> str:
    # a model's unit tests are compiled under its YAML
    paths = (build.target / "compiled").rglob(f"{name}.sql")
    [path] = (path for path in paths if path.parent.suffix != ".yml")
    return path.read_text(encoding="utf-8")


def test_the_rules_as_shipped_give_what_googles_default_channel_group_gives(
    small_shop: Build, rules: duckdb.DuckDBPyConnection
) -> None:
    rules.execute(
        "create table origins (parameter_names varchar, source varchar, medium varchar,"
        " campaign varchar, click_id_kind varchar, is_paid_click boolean, source_tag varchar,"
        " medium_tag varchar, campaign_tag varchar, referrer_host varchar, valid_from date,"
        " valid_before date)"
    )
    rules.executemany(
        "insert into origins values (?, ?, ?, ?, ?, ?, '', '', '', '', date '1900-01-01',"
        " date '9999-12-31')",
        [(str(n), *case[:4], case[3] == "gclid") for n, case in enumerate(CASES)],
    )
    query = compiled(small_shop, "base_campaign__channels").replace(ORIGINS, "origins")
    found = rules.sql(f"select parameter_names, channel, channel_rule from ({query})").fetchall()
    assert {name: rest for name, *rest in found} == {
        str(n): [*case[4:]] for n, case in enumerate(CASES)
    }
    assert len(found) == len(CASES)
    named = {name for (name,) in rules.sql("select rule_name from rules").fetchall()}
    assert {case[5] for case in CASES} == named


def test_the_rules_as_shipped_are_right(
    small_shop: Build, rules: duckdb.DuckDBPyConnection
) -> None:
    assert problems(small_shop, rules) == {}


def test_the_rule_that_the_page_adds_is_one(
    small_shop: Build, rules: duckdb.DuckDBPyConnection, repository: Path, tmp_path: Path
) -> None:
    page = (repository / "docs" / "reference" / "channel-rules.md").read_text(encoding="utf-8")
    [row] = re.findall(r"```text\n(15,.*)\n```", page)
    file = tmp_path / "rule.csv"
    file.write_text(row + "\n", encoding="utf-8")
    rules.execute(f"copy rules from '{file}' (header false)")
    assert problems(small_shop, rules) == {}
    assert rules.sql(
        "select channel, source, medium, valid_from::varchar, valid_to from rules"
        " where rule_rank = 15"
    ).fetchall() == [("partner", "bigpartner%", None, "2026-07-01", None)]


@pytest.mark.parametrize("change", WRONG)
def test_a_wrong_rule_says_what_to_do(
    small_shop: Build, rules: duckdb.DuckDBPyConnection, change: str
) -> None:
    rules.execute(change)
    assert problems(small_shop, rules) == WRONG[change]


@pytest.mark.parametrize("change", COLUMNS)
def test_a_column_that_is_unknown_or_missing_is_named(
    small_shop: Build, rules: duckdb.DuckDBPyConnection, change: str
) -> None:
    rules.execute("create schema seeds; create table seeds.channel_rules as from rules")
    query = compiled(small_shop, "assert_channel_rules_have_their_columns")
    query = query.replace("table_catalog = 'build'", "table_catalog = current_database()")
    assert rules.sql(query).fetchall() == []
    rules.execute(change.replace("rules", "seeds.channel_rules"))
    assert dict(rules.sql(query).fetchall()) == COLUMNS[change]


def problems(build: Build, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    query = compiled(build, "assert_channel_rules_can_be_followed").replace(RULES, "rules")
    return {
        name: problem.removeprefix(f"the rule {name} of channel_rules.csv ")
        for name, problem in connection.sql(
            f"select coalesce(rule_name, '(without a name)'), problem from ({query})"
        ).fetchall()
    }
