"""What is brought up to date in place equals a build of everything, however its rows arrived.

Random shops of random visits arrive in random order over several builds: late events, repeated
deliveries, deletions, refunds that come and go, orders that are cancelled, accounts that merge, an
as_of that moves both ways, a build that is killed halfway.
"""

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from analytics.channel_weights import Weight
from orchestration import solved
from tests.dbt.build import Build
from tests.dbt.raw_tables import COLUMNS, create_raw, insert
from tests.dbt.streams import Row, raw_rows
from warehouse.engines.duckdb_snapshot import content_hash, tables
from warehouse.publish.publication import PUBLIC_SCHEMAS

SHOPS, SEED = 20, 20261127
MODELS = ("--resource-type", "model", "--resource-type", "seed")
# What belongs to one of the shops: its people, and what they do.
OWN = frozenset(
    (
        *(
            "visitor_id",
            "customer_id",
            "user_id",
            "merged_into",
            "event_id",
            "search_id",
            "cart_id",
        ),
        *("order_id", "order_line_id", "refund_id", "refund_document_id", "pk", "sk"),
    )
)
KEYS = {
    "raw_shop.users": ("user_id",),
    "raw_shop.orders": ("order_id",),
    "raw_shop.order_lines": ("order_line_id",),
    "raw_shop.refunds": ("refund_id",),
    "raw_activity.campaign_events": ("event_id", "received_at"),
    "raw_activity.product_events": ("pk", "sk"),
    "raw_activity.searches": ("pk", "sk"),
    "raw_activity.cart_events": ("pk", "sk"),
}
GONE = {"_deleted_at": "2011-09-01"}
Arrival = tuple[str, Row]


def shop_rows(seed: int) -> Iterator[Arrival]:
    """Yield the rows of a small shop, and those that correct some of them, oldest version first."""
    chance = random.Random(seed)
    for table, rows in raw_rows(seed, events=60, orders=9).items():
        if table not in KEYS:
            continue
        for row in rows:
            yield table, row
            if chance.random() < 0.12:
                yield table, corrected(chance, table, row)


def corrected(chance: random.Random, table: str, row: Row) -> Row:
    """Return another version of a row, or another delivery of an event."""
    match table:
        case "raw_shop.users":
            other = chance.choice(["c1", "c2"])
            return row if row["user_id"] <= other else row | {"merged_into": other}
        case "raw_shop.orders":
            return row | {"status": chance.choice(["cancelled", "shipped"])}
        case "raw_shop.order_lines":
            return row | {"quantity": row["quantity"] + 1}
        case "raw_shop.refunds":
            return row | chance.choice([GONE, {"amount": "1.000"}])
        case "raw_activity.campaign_events":
            again = {"received_at": "2011-08-30T00:00:00.000Z", "campaign_id": "k2"}
            return row | chance.choice([GONE, again])
        case _:
            return row | chance.choice([GONE, {"customer_id": chance.choice(["c1", "c3"])}])


def owned(row: Row, shop: int) -> Row:
    return {
        name: f"s{shop}-{value}" if name in OWN and value is not None else value
        for name, value in row.items()
    }


def in_parts(seed: int, shops: int, parts: int) -> list[list[Arrival]]:
    """Return what arrives, part by part: of a shop mostly at once, some rows whenever they may."""
    chance = random.Random(seed)
    arriving: list[list[Arrival]] = [[] for _ in range(parts)]
    for shop in range(shops):
        usual, latest = chance.randrange(parts), dict[tuple[str, ...], int]()
        for table, row in shop_rows(seed * 1_000 + shop):
            key = (table, *(str(row[name]) for name in KEYS[table]))
            part = usual if chance.random() < 0.9 else chance.randrange(parts)
            latest[key] = max(part, latest.get(key, 0))  # an older version comes no later
            arriving[latest[key]].append((table, owned(row, shop)))
    return arriving


def load(connection: duckdb.DuckDBPyConnection, arriving: list[Arrival], position: int) -> None:
    """Write rows as the warehouse does: a row replaces the one with its key."""
    for table, key in KEYS.items():
        newest = {tuple(row[name] for name in key): row for name, row in arriving if name == table}
        for values in newest:
            condition = " and ".join(f"{name} = ?" for name in key)
            connection.execute(f"delete from {table} where {condition}", list(values))
        more = {"_load_id": f"load-{position}", "_source_position": position}
        insert(connection, table, [row | more for row in newest.values()])


def final_months(build: Build) -> solved.Kept:
    """Return what state keeps of the months that are final in a build."""
    weights: dict[date, list[Weight]] = {}
    for row in build.rows(
        "select period, model, channel, effect, share, share_low, share_high, is_final, settings_id"
        " from solved.channel_weights where is_final"
    ):
        weights.setdefault(row[0], []).append(Weight(*row))
    return solved.Kept(weights)


def scratch(folder: Path, as_of: str) -> Build:
    folder.mkdir()
    return Build(folder / "build.duckdb", folder / "target", as_of)


@pytest.mark.slow
def test_tables_that_are_updated_in_place_equal_those_of_a_build_of_everything(
    tmp_path: Path,
) -> None:
    hold_to_a_build_of_everything(SEED, SHOPS, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SEED + 1, SEED + 9))
def test_so_do_those_of_more_and_larger_shops(seed: int, tmp_path: Path) -> None:
    hold_to_a_build_of_everything(seed, 10 * SHOPS, tmp_path)


def hold_to_a_build_of_everything(seed: int, shops: int, tmp_path: Path) -> None:
    """Let shops arrive over three builds, one of them killed halfway; compare all public tables."""
    first, second, third, last = in_parts(seed, shops, 4)
    build = scratch(tmp_path / "updated", "2011-06-15T00:00:00Z")
    with build.connect() as connection:
        create_raw(connection)
        for table, rows in raw_rows(seed).items():
            if table not in KEYS:
                insert(connection, table, rows)
        load(connection, first, 1)
    build.build(kinds=MODELS)
    versions = "select order_id, order_number from intermediate.int_campaign__order_versions"
    numbers, kept = dict(build.rows(versions)), final_months(build)

    with build.connect() as connection:
        load(connection, second, 2)
    later = Build(build.database, build.target, "2011-09-01T00:00:00Z")
    later.build(kept, MODELS)
    with build.connect() as connection:
        load(connection, third, 3)
    killed = later.dbt("build", "--select", "+int_core__session_events", *MODELS)
    assert killed.returncode == 0, killed.stdout

    with build.connect() as connection:
        load(connection, last, 4)
    back = Build(build.database, build.target, "2011-07-20T00:00:00Z")
    back.build(kept, MODELS)
    same = {order for order, number in build.rows(versions) if numbers.get(order) == number}
    assert len(numbers) / 20 < len(same) < len(numbers) * 19 / 20, "some orders stay, some do not"

    whole = scratch(tmp_path / "whole", back.as_of)
    with whole.connect() as connection:
        create_raw(connection)
        connection.execute(f"attach '{build.database}' as other (read_only)")
        for table in COLUMNS:
            connection.execute(f"insert into {table} by name from other.{table}")
    whole.build(kept, MODELS)
    with build.connect() as one, whole.connect() as other:
        found = {
            (schema, table): content_hash(one, schema, table)
            for schema, names in tables(one, PUBLIC_SCHEMAS).items()
            for table in names
        }
        expected = {table: content_hash(other, *table) for table in found}
    assert {table for table in found if found[table] != expected[table]} == set()
    assert expected["campaign", "attribution"][0] > 500
