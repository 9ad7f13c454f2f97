"""What is brought up to date in place equals a build of everything, however its rows arrived.

Random shops of random visits arrive in random order over several builds: late events, repeated
deliveries, deletions, refunds that come and go, orders that are cancelled, accounts that merge, an
as_of that moves both ways, a build that is killed halfway. Affiliates bring some of the visits:
clicks move to another day or person, commissions are posted between the builds, plans corrected, an
affiliate paused and one deleted; chargebacks are opened and won, and holds extended.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from analytics.channel_weights import Weight
from orchestration import solved
from tests.dbt.build import Build
from tests.dbt.raw_tables import COLUMNS, create_raw, insert
from tests.dbt.streams import START, Row, raw_rows, text
from warehouse.engines.duckdb_snapshot import content_hash, tables
from warehouse.ledger import entries
from warehouse.ledger.kept import Kept
from warehouse.publish.publication import PUBLIC_SCHEMAS

SHOPS, SEED = 20, 20261127
MODELS = ("--resource-type", "model")
# Rules by which orders depend on more than their clicks; clicks that nothing followed are valid.
RULES = {
    "cart_window_hours": "72",
    "voiding_channels": "social",
    "duplicate_order_days": "20",
    "returning_customer_rate": "0.03",
    "click_unseen_hours": "off",
    "click_agent_minimum_clicks": "off",
    "cap_per_order": "1.50",
    "cap_per_month": "9.00",
}
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
        *("click_id", "payment_id"),
    )
)
# Models in place that are compared beside what is published, since others are looked up in them.
LOOKED_UP = ("int_affiliate__buyer_clicks", "int_affiliate__lines")
KEYS = {
    "raw_shop.users": ("user_id",),
    "raw_shop.orders": ("order_id",),
    "raw_shop.order_lines": ("order_line_id",),
    "raw_shop.refunds": ("refund_id",),
    "raw_shop.payments": ("payment_id",),
    "raw_activity.campaign_events": ("event_id", "received_at"),
    "raw_activity.product_events": ("pk", "sk"),
    "raw_activity.searches": ("pk", "sk"),
    "raw_activity.cart_events": ("pk", "sk"),
    "raw_activity.affiliate_clicks": ("click_id", "received_at"),
    "raw_shop.affiliates": ("affiliate_id",),
    "raw_shop.commission_plans": ("plan_id",),
}
GONE = {"_deleted_at": "2011-09-01"}
Arrival = tuple[str, Row]


JOINED = datetime(2011, 1, 1, tzinfo=UTC)
AFFILIATES: list[Row] = [
    {
        "affiliate_id": name,
        "user_id": user,
        "status": "active",
        "joined_at": JOINED,
        "payout_currency": "GBP",
        "minimum_payout": "1.00",
    }
    for name, user in (("a1", None), ("a2", "s1-c1"), ("a3", None))
]
PLAN: Row = {
    "plan_id": "usual",
    "tier": 1,
    "tier_min_sales": "0.00",
    "rate": "0.1000",
    "window_days": 20,
    "hold_days": 14,
    "valid_from": JOINED,
}
OWN_PLAN = {"plan_id": "own", "affiliate_id": "a1", "rate": "0.2000", "window_days": 30}
# Decisions about holds, of which each build but the first knows one more.
EXTENDED = [
    {
        "decision_id": affiliate,
        "kind": "extend_hold",
        "affiliate_id": affiliate,
        "order_line_id": "(none)",
        "days": days,
        "effective_at": f"2011-{day}T00:00:00Z",
        "decided_at": f"2011-{day}T00:00:00Z",
    }
    for affiliate, days, day in (("a1", 5, "06-25"), ("a2", 3, "06-15"))
]
# What the shop says of its programme before each build.
PROGRAMME: list[list[Arrival]] = [
    [*(("raw_shop.affiliates", row) for row in AFFILIATES), ("raw_shop.commission_plans", PLAN)],
    [
        (
            "raw_shop.affiliates",
            AFFILIATES[1] | {"status": "paused", "updated_at": START + timedelta(days=70)},
        )
    ],
    [("raw_shop.commission_plans", PLAN | OWN_PLAN)],
    [("raw_shop.affiliates", AFFILIATES[2] | GONE)],
]


def clicks(seed: int, orders: list[Row]) -> list[Row]:
    """Return clicks on affiliates' links before some of these orders, a few of them too early."""
    chance = random.Random(seed)
    rows: list[Row] = []
    for number, order in enumerate(orders * 2):
        at = order["ordered_at"] - timedelta(minutes=5 * chance.randrange(28 * 24 * 12))
        rows.append(
            {
                "click_id": f"k{number}",
                "affiliate_id": chance.choice(["a1", "a2", "a3"]),
                "occurred_at": text(at),
                "received_at": text(at + timedelta(seconds=3)),
                "visitor_id": order["visitor_id"],
                "customer_id": chance.choice([None, order["user_id"]]),
                "landing_page": "/product/p1",
            }
        )
    return rows


def disputes(seed: int, orders: list[Row]) -> list[Row]:
    """Return chargebacks of a third of these orders, opened days after and not yet decided."""
    chance = random.Random(seed)
    return [
        {
            "payment_id": f"p-{order['order_id']}",
            "order_id": order["order_id"],
            "kind": "chargeback",
            "amount": "1.000",
            "currency": "GBP",
            "status": "open",
            "paid_at": order["ordered_at"] + timedelta(days=chance.randrange(1, 20)),
        }
        for order in orders
        if chance.random() < 1 / 3
    ]


def shop_rows(seed: int) -> Iterator[Arrival]:
    """Yield the rows of a small shop, and those that correct some of them, oldest version first."""
    chance = random.Random(seed)
    shop = raw_rows(seed, events=60, orders=9)
    shop["raw_activity.affiliate_clicks"] = clicks(seed, shop["raw_shop.orders"])
    shop["raw_shop.payments"] = disputes(seed, shop["raw_shop.orders"])
    for table, rows in shop.items():
        if table not in KEYS:
            continue
        for given in rows:
            row = given | described(chance) if table.endswith("campaign_events") else given
            yield table, row
            if chance.random() < 0.12:
                yield table, corrected(chance, table, row)


def described(chance: random.Random) -> Row:
    """Return what an event tells of a person: mostly enough are alike to be shown."""
    return {
        "device": chance.choice(["phone", "desktop"]),
        "gender": chance.choice(["female", "female", "male", "(suppressed)"]),
        "age_band": chance.choice(["25-34", "25-34", "25-34", "65+"]),
    }


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
        case "raw_shop.payments":
            return row | {"status": "won"}
        case "raw_activity.campaign_events":
            again = {"received_at": "2011-08-30T00:00:00.000Z"}
            other = chance.choice([{"campaign_id": "k2"}, described(chance)])
            return row | chance.choice([GONE, again | other])
        case "raw_activity.affiliate_clicks":
            day = datetime.fromisoformat(row["occurred_at"]) + timedelta(days=1)
            other = [{"visitor_id": "v1"}, {"customer_id": "c1"}, {"occurred_at": text(day)}]
            return row | chance.choice([GONE, *other])
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
    """Return a database without rows of raw, whose programme has more rules than as shipped."""
    folder.mkdir()
    build = Build(folder / "build.duckdb", folder / "target", as_of)
    assert build.dbt("seed").returncode == 0
    with build.connect() as connection:
        create_raw(connection)
        for rule, value in RULES.items():
            connection.execute(
                "update seeds.affiliate_rules set value = ? where rule = ?", [value, rule]
            )
    return build


def posted(build: Build, as_of: str) -> Build:
    """Return the next build, for which what this one proposes is posted."""
    done = build.kept.postings
    path = build.database.with_name(f"posted-{len(done)}.parquet")
    with build.connect() as connection:
        connection.execute(f"copy (from solved.commission_proposal) to '{path}'")
        [[rows]] = connection.execute("select count(*) from solved.commission_proposal").fetchall()
    at = datetime.fromisoformat(build.as_of)
    more = entries.Posting(len(done) + 1, path, "", "", rows, at, at)
    known = EXTENDED[: len(done) + 1]
    return replace(build, kept=Kept((*done, more), decisions=known), as_of=as_of)


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
    arriving = zip(in_parts(seed, shops, 4), PROGRAMME, strict=True)
    first, second, third, last = ([*shop, *programme] for shop, programme in arriving)
    build = scratch(tmp_path / "updated", "2011-06-15T00:00:00Z")
    with build.connect() as connection:
        for table, rows in raw_rows(seed).items():
            if table not in KEYS:
                insert(connection, table, rows)
        connection.execute("update raw_shop.products set is_commissionable = true")
        load(connection, first, 1)
    build.build(kinds=MODELS)
    versions = "select order_id, order_number from intermediate.int_campaign__order_versions"
    numbers, kept = dict(build.rows(versions)), final_months(build)

    with build.connect() as connection:
        load(connection, second, 2)
    later = posted(build, "2011-09-01T00:00:00Z")
    later.build(kept, MODELS)
    with build.connect() as connection:
        load(connection, third, 3)
    killed = later.dbt("build", "--select", "+int_core__session_events", *MODELS)
    assert killed.returncode == 0, killed.stdout

    with build.connect() as connection:
        load(connection, last, 4)
    back = posted(later, "2011-07-20T00:00:00Z")
    back.build(kept, MODELS)
    same = {order for order, number in build.rows(versions) if numbers.get(order) == number}
    assert len(numbers) / 20 < len(same) < len(numbers) * 19 / 20, "some orders stay, some do not"

    whole = replace(scratch(tmp_path / "whole", back.as_of), kept=back.kept)
    with whole.connect() as connection:
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
        found |= {
            ("intermediate", table): content_hash(one, "intermediate", table) for table in LOOKED_UP
        }
        expected = {table: content_hash(other, *table) for table in found}
    assert {table for table in found if found[table] != expected[table]} == set()
    assert expected["campaign", "attribution"][0] > 500
    assert min(expected["intermediate", table][0] for table in LOOKED_UP) > 100
    devices = {device for (device,) in build.rows("select device from campaign.audience_daily")}
    assert {"phone", "desktop"} <= devices
    rules = dict(
        build.rows("select attribution_rule, count(*) from affiliate.conversions group by 1")
    )
    assert {"posted", "last_click"} <= rules.keys()
    assert rules["last_click"] > 20
    [[held, extended]] = build.rows(
        "select count(*) filter (where held_rule = 'chargeback'),"
        " count(*) filter (where extension_days > 0) from intermediate.int_affiliate__commissions"
    )
    assert min(held, extended) > 3
