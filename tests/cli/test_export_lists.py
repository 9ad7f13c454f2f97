"""`warehouse export related-products`: to files, and what it refuses."""

import csv
import json

import pytest

from tests.cli import one_version
from tests.cli.command import Command

# What an id may be made of, in the worst shop.
NASTY = 'p "1"\n\',ä\u2028€'
MARTS = f"""
create schema recommendation;
create table recommendation.related_products as
select * from (values
    ('p1', 2::bigint, 'p3', 0.25::decimal(38, 12), null),
    ('p1', 1::bigint, $nasty${NASTY}$nasty$, 0.5::decimal(38, 12), 'co_purchase'),
    ($nasty${NASTY}$nasty$, 1::bigint, 'p1', 12345678901234567890.123456789012::decimal(38, 12), 'co_view')
) as related (product_id, rank, related_product_id, score, reason_kind);
"""  # noqa: E501


@pytest.fixture
def shop(warehouse: Command) -> Command:
    return one_version.publish(warehouse, MARTS)


def test_a_csv_holds_the_lists_in_order_with_any_id_and_every_digit(shop: Command) -> None:
    result = shop("export", "related-products", "--to", "related.csv", "--json")

    assert result.returncode == 0, result.stderr
    assert result.stderr == "3 rows written to related.csv (version v000001)\n"
    assert json.loads(result.stdout)["version"] == "v000001"
    with (shop.directory / "related.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["product_id", "rank", "related_product_id", "score", "reason_kind"],
        [NASTY, "1", "p1", "12345678901234567890.123456789012", "co_view"],
        ["p1", "1", NASTY, "0.500000000000", "co_purchase"],
        ["p1", "2", "p3", "0.250000000000", ""],
    ]


def test_json_lines_keep_every_digit_and_the_null(shop: Command) -> None:
    assert shop("export", "related-products", "--to", "related.jsonl").returncode == 0
    lines = (shop.directory / "related.jsonl").read_text(encoding="utf-8").split("\n")
    assert [json.loads(line, parse_float=str) for line in lines[:-1]] == [
        {"product_id": NASTY, "rank": 1, "related_product_id": "p1",
         "score": "12345678901234567890.123456789012", "reason_kind": "co_view"},
        {"product_id": "p1", "rank": 1, "related_product_id": NASTY, "score": "0.500000000000",
         "reason_kind": "co_purchase"},
        {"product_id": "p1", "rank": 2, "related_product_id": "p3", "score": "0.250000000000",
         "reason_kind": None},
    ]  # fmt: skip


def test_a_version_without_the_lists_says_so(shop: Command) -> None:
    line = shop.fails(2, "export", "recommendations", "--to", "r.csv")
    assert line == (
        "error: version v000001 has no table recommendation.customer_recommendations: it was built"
        " before there was one; run `warehouse run`, or name a later version"
    )
    assert not (shop.directory / "r.csv").exists()


def test_places_that_cannot_be_written_are_refused(shop: Command) -> None:
    ask = ("export", "related-products", "--to")
    assert "must end in .csv or .jsonl" in shop.fails(2, *ask, "related.txt")
    assert "dynamo://: no such scheme; name dynamodb://TABLE, or a file" in shop.fails(
        2, *ask, "dynamo://lists"
    )
    assert "there is no folder nowhere" in shop.fails(2, *ask, "nowhere/r.csv")
    assert "name the table" in shop.fails(2, *ask, "dynamodb://")
    assert "are for dynamodb://TABLE" in shop.fails(2, *ask, "r.csv", "--dry-run")
    assert "exports.dynamodb.region" in shop.fails(2, *ask, "dynamodb://lists")
