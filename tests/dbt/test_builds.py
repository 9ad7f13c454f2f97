"""A build depends on its rows alone, waits for as_of, and names what is wrong with a row."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from tests.dbt.build import BEFORE_SOLVERS, WITHOUT_UNIT_TESTS, Build
from tests.dbt.raw_tables import create_raw, insert
from tests.dbt.streams import Row

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def marts(small_shop: Build) -> list[str]:
    return [
        f"{node['schema']}.{node['alias']}"
        for node in small_shop.manifest()["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    ]


def differing(one: Build, other: Build, tables: list[str]) -> list[str]:
    """Return the tables that differ, by EXCEPT ALL both ways."""
    with one.connect() as connection:
        connection.execute(f"attach '{other.database}' as other (read_only)")
        return [
            table
            for table in tables
            for left, right in ((table, f"other.{table}"), (f"other.{table}", table))
            if connection.execute(f"from {left} except all from {right} limit 1").fetchall()
        ]


def test_rows_that_came_in_another_order_and_in_two_loads_give_the_same_marts(
    small_shop: Build, streams: dict[str, list[Row]], marts: list[str], tmp_path: Path
) -> None:
    again = Build(tmp_path / "build.duckdb", tmp_path / "target", small_shop.as_of)
    with again.connect() as connection:
        create_raw(connection)
        for table, rows in streams.items():
            late = {"_load_id": "load-2", "_source_position": 2}
            insert(connection, table, [row | late for row in rows[::-2]])
            insert(connection, table, rows[-2::-2])
            assert connection.execute(f"select count(*) from {table}").fetchall() == [(len(rows),)]
    again.build()
    assert len(marts) > 14
    assert differing(again, small_shop, marts) == []


def test_what_comes_after_as_of_is_in_no_mart_and_a_broken_row_is_named_with_its_load(
    small_shop: Build, tmp_path: Path
) -> None:
    database = tmp_path / "build.duckdb"
    shutil.copy(small_shop.database, database)
    broken = Build(database, tmp_path / "target", "2011-05-01T00:00:00Z")
    with broken.connect() as connection:
        [(order_id,)] = connection.execute(
            "select min(order_id) from raw_shop.orders where ordered_at < timestamp '2011-05-01'"
        ).fetchall()
        connection.execute(
            "update raw_shop.orders set status = 'lost', _load_id = 'load-bad' where order_id = ?",
            [order_id],
        )
        # two accounts merged into each other, a line without its product, a bill without a campaign
        users = [{"user_id": one, "merged_into": other} for one, other in ("xy", "yx")]
        insert(connection, "raw_shop.users", users)
        [(line_id,)] = connection.execute(
            "select min(order_line_id) from raw_shop.order_lines where order_id = ?", [order_id]
        ).fetchall()
        connection.execute(
            "update raw_shop.order_lines set product_id = 'gone' where order_line_id = ?",
            [line_id],
        )
        bill = {"spend_date": date(2011, 3, 1), "campaign_id": "k9", "amount": 1, "currency": "GBP"}
        insert(connection, "raw_shop.ad_spend", [bill])
        # times that cannot be: they would empty the calendar, or end dbt with an overflow
        moved = {"movement_id": "year 1", "product_id": "p1", "kind": "receipt", "quantity": 1}
        insert(connection, "raw_shop.inventory_movements", [moved | {"moved_at": "0001-06-01"}])
        rate = {"rate_date": "5874897-12-31", "currency": "EUR", "rate": 1}
        insert(connection, "raw_shop.fx_rates", [rate])
        search = {"pk": "VISITOR#v1", "visitor_id": "v1"}
        times = ("-infinity", "0001-01-01T00:00:00Z", "290309-12-22 (BC) 00:00:00+00")
        said = [search | {"sk": at, "search_id": at, "occurred_at": at} for at in times]
        insert(connection, "raw_activity.searches", said)
        # two searches that lack their id are two
        at = {"occurred_at": "2011-03-01T00:00:00.000Z"}
        insert(connection, "raw_activity.searches", [search | at | {"sk": one} for one in "ab"])
    ended = broken.dbt("build", *BEFORE_SOLVERS, *WITHOUT_UNIT_TESTS)
    assert ended.returncode == 1
    failed = {name.split(".")[2] for name, status in broken.results().items() if status == "fail"}
    assert failed == {
        "stg_shop__orders_rows_are_valid",
        "stg_shop__order_lines_references_are_known",
        "stg_campaign__spend_references_are_known",
        "assert_merged_accounts_end_in_one_that_survives",
        "stg_shop__inventory_movements_rows_are_valid",
        "stg_finance__fx_rates_rows_are_valid",
        "stg_activity__searches_key_is_unique",
        "stg_activity__searches_rows_are_valid",
    }
    assert broken.rows(
        "select movement_id, problem from audit.stg_shop__inventory_movements_rows_are_valid"
    ) == [("year 1", "moved_at is no time that can be")]
    assert broken.rows("select problem from audit.stg_finance__fx_rates_rows_are_valid") == [
        ("rate_date is no time that can be",)
    ]
    assert broken.rows(
        "select search_id, problem from audit.stg_activity__searches_rows_are_valid order by all"
    ) == [(one, "occurred_at is missing") for one in sorted(times)]
    assert broken.rows("select row_count from audit.stg_activity__searches_key_is_unique") == [(2,)]
    assert broken.rows("from audit.stg_shop__orders_rows_are_valid") == [
        (order_id, "load-bad", "status is lost")
    ]
    assert broken.rows(
        "select order_line_id, problem from audit.stg_shop__order_lines_references_are_known"
    ) == [(line_id, "product_id gone is unknown")]
    assert broken.rows(
        "select spend_date, problem from audit.stg_campaign__spend_references_are_known"
    ) == [(date(2011, 3, 1), "campaign_id k9 is unknown")]
    assert broken.rows(
        "from audit.assert_merged_accounts_end_in_one_that_survives order by all"
    ) == [
        ("x", "y", "merged in a circle or more than 5 times"),
        ("y", "x", "merged in a circle or more than 5 times"),
    ]
    [(latest, waiting)] = broken.rows(
        "select (select max(ordered_at) from staging.stg_shop__orders) < timestamptz '2011-05-01',"
        " (select count(*) from raw_shop.orders where ordered_at > timestamptz '2011-05-01')"
    )
    assert latest
    assert broken.rows(
        "select waiting_rows, next_due_at > timestamptz '2011-05-01'"
        " from intermediate.int_meta__waiting where model = 'stg_shop__orders'"
    ) == [(waiting, True)]
