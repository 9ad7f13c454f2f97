"""A shop in PostgreSQL that random histories of an affiliate programme happen to.

Its tables hold what is known of the histories at an hour; what changes from one hour to the next is
written row by row, as a shop does it. The warehouse in `directory` reads it with the real command.
"""

import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import yaml

from extractors.package import utc_text
from orchestration.dbt import SHIPPED
from orchestration.lineage import SOLVED
from tests.dbt.raw_tables import COLUMNS
from tests.relational_source import Source
from tests.shops import Shop
from tests.warehouse.ledger.histories import DAYS, HOLD, START, Fact, at
from tests.warehouse.ledger.programme import currency_of, payments

# What a euro is worth in pounds, every day.
EURO = Decimal("0.86512345")
# From the orders' pounds to the payout currency, by affiliate, as the models round it.
FX = {"GBP": Decimal(1), "EUR": (1 / EURO).quantize(Decimal("0.00000001"))}
KEYS = {
    "users": ("user_id",),
    "products": ("product_id",),
    "orders": ("order_id",),
    "order_lines": ("order_line_id",),
    "refunds": ("refund_id",),
    "payments": ("payment_id",),
    "affiliates": ("affiliate_id",),
    "commission_plans": ("plan_id",),
    "fx_rates": ("rate_date", "currency"),
    "affiliate_clicks": ("click_id",),
}
CONFIGURATION = """
warehouse: {{ home: ./var, clock: ./now.txt, dbt_project: ./project }}
sources:
{sources}
"""
SOURCE = (
    "  {name}: {{ kind: postgres, dsn: '{dsn}', heartbeat: public.clock.now,"
    " tables: {{ {tables} }} }}"
)
BEFORE = START - timedelta(days=1)
WINDOW = 30 * 24
Row = dict[str, Any]
Rows = dict[str, dict[tuple[Any, ...], Row]]


class RandomShop:
    """The shop, and the warehouse that reads it."""

    def __init__(
        self, directory: Path, source: Source, histories: Sequence[Sequence[Fact]]
    ) -> None:
        """Make the tables, of which all but the products are empty, and a warehouse beside them."""
        self.shop = Shop(directory)
        self.source = source
        self.histories = histories
        self.written: Rows = {table: {} for table in KEYS}
        affiliate_models(directory / "project")
        tables: dict[str, list[str]] = {"shop": [], "activity": []}
        source.run("create table clock (now timestamptz)", "insert into clock values (now())")
        for name, columns in COLUMNS.items():
            schema, table = name.removeprefix("raw_").split(".")
            key = ", ".join(KEYS.get(table, (columns.partition(" ")[0],)))
            # a shop that sells by the cent, and refunds by less
            typed = columns.replace(",3)", ",4)")
            source.run(f"create table {table} ({typed}, primary key ({key}))")
            tables[schema].append(f"{table}: {{ key: [{key}] }}")
        text = "\n".join(
            SOURCE.format(name=name, dsn=source.dsn, tables=", ".join(listed))
            for name, listed in tables.items()
        )
        (directory / "warehouse.yml").write_text(CONFIGURATION.format(sources=text))

    def known(self, hour: int) -> list[list[Fact]]:
        """Return what is known of each history by an hour."""
        return [
            [f for f in facts if f.known <= hour and f.hour <= hour] for facts in self.histories
        ]

    def advance(self, hour: int) -> None:
        """Let the shop have what is known by an hour, which the clock then shows."""
        (self.shop.directory / "now.txt").write_text(utc_text(at(hour)))
        wanted = rows([fact for facts in self.known(hour) for fact in facts])
        with psycopg.connect(self.source.dsn) as connection:
            connection.execute("update clock set now = %s", [at(hour)])
            for table, found in wanted.items():
                before = self.written[table]
                for key in before.keys() - found.keys():
                    where = " and ".join(f"{name} = %s" for name in KEYS[table])
                    connection.execute(f"delete from {table} where {where}".encode(), key)
                for key, row in found.items():
                    if before.get(key) != row:
                        _upsert(connection, table, row)
        self.written = wanted

    def run(self, hour: int) -> None:
        """Load, build and publish as of an hour."""
        self.advance(hour)
        self.shop.command("run")


def affiliate_models(folder: Path) -> None:
    """Copy the shipped dbt project: the affiliate marts, what they are made from, and identities.

    Tests of single rows are left out: they take more time than all models, and have tests already.
    """
    models = {path.stem: path for path in (SHIPPED / "models").rglob("*.sql")}
    # statements show the order of a line
    waiting = ["core__order_lines", *(name for name in models if name.startswith("affiliate__"))]
    wanted = set[str]()
    while waiting:
        name = waiting.pop()
        if name in models and name not in wanted:
            wanted.add(name)
            text = models[name].read_text()
            waiting += re.findall(r"ref\('(\w+)'\)", text)
            for solved in re.findall(r"source\('solved', '(\w+)'\)", text):
                waiting += SOLVED[solved]

    def unwanted(_: str, names: list[str]) -> list[str]:
        left_out = {"exposures.yml", "semantic", "target", "logs"}
        return [
            name
            for name in names
            if name in left_out or (Path(name).stem in models and Path(name).stem not in wanted)
        ]

    shutil.copytree(SHIPPED, folder, ignore=unwanted)
    solved = next(folder.rglob("solved.yml"))
    sources: dict[str, Any] = yaml.safe_load(solved.read_text())
    text = "".join(models[name].read_text() for name in wanted)
    for one in sources["sources"]:
        one["tables"] = [t for t in one["tables"] if f"source('solved', '{t['name']}')" in text]
    solved.write_text(yaml.safe_dump(sources))
    for tests in (folder / "tests").iterdir():
        if tests.name not in {"affiliate", "generic"}:
            shutil.rmtree(tests)
    project: dict[str, Any] = yaml.safe_load((folder / "dbt_project.yml").read_text())
    project["data_tests"][project["name"]] |= {"+enabled": False, "affiliate": {"+enabled": True}}
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(project))


def _upsert(connection: "psycopg.Connection[Any]", table: str, row: Row) -> None:
    names = ", ".join(row)
    marks = ", ".join(["%s"] * len(row))
    changes = ", ".join(f"{name} = excluded.{name}" for name in row)
    connection.execute(
        f"insert into {table} ({names}) values ({marks})"
        f" on conflict ({', '.join(KEYS[table])}) do update set {changes}".encode(),
        [*row.values()],
    )


def rows(known: Sequence[Fact]) -> Rows:
    """Return the rows of each table that make a shop of which these facts are known."""
    found: Rows = {table: {} for table in KEYS}

    def add(table: str, made: Iterable[Row]) -> None:
        found[table] |= {tuple(row[name] for name in KEYS[table]): row for row in made}

    add(
        "products",
        [
            {
                "product_id": "mug",
                "name": "Mug",
                "category": "kitchen",
                "currency": "GBP",
                "is_commissionable": True,
                "is_active": True,
                "created_at": BEFORE,
            }
        ],
    )
    add(
        "fx_rates",
        [
            {"rate_date": (BEFORE + timedelta(days=day)).date(), "currency": "EUR", "rate": EURO}
            for day in range(DAYS + 3)
        ],
    )
    add(
        "affiliates",
        [
            {
                "affiliate_id": one,
                "name": one,
                "status": "active",
                "joined_at": BEFORE,
                "payout_currency": currency_of(one),
                "minimum_payout": 0,
            }
            for one in sorted({fact["affiliate"] for fact in known if "affiliate" in fact.facts})
        ],
    )
    add("commission_plans", _plans(known))
    add("users", _users(known))
    add(
        "affiliate_clicks",
        [
            {
                "click_id": one["id"],
                "received_at": utc_text(at(one.hour)),
                "occurred_at": utc_text(at(one.hour)),
                "affiliate_id": one["affiliate"],
                "customer_id": one["customer"],
            }
            for one in known
            if one.kind == "click"
        ],
    )
    status = _status(known)
    orders = [one for one in known if one.kind == "order" and status.get(one["order"]) != "deleted"]
    for order in orders:
        name = order["order"]
        is_cancelled = status.get(name) == "cancelled"
        add(
            "orders",
            [
                {
                    "order_id": name,
                    "user_id": order["customer"],
                    "ordered_at": at(order.hour),
                    "status": "cancelled" if is_cancelled else "shipped",
                    "country": "GB",
                    "currency": "GBP",
                }
            ],
        )
        add(
            "order_lines",
            [
                {
                    "order_line_id": line,
                    "order_id": name,
                    "product_id": "mug",
                    "quantity": 1,
                    "unit_price": price,
                    "entered_at": at(order.hour),
                }
                for line, price in order["lines"]
            ],
        )
    # the shop deletes with an order what is about it
    lines = {line: order for order in orders for line, _ in order["lines"]}
    add(
        "refunds",
        [
            {
                "refund_id": one["id"],
                "refund_document_id": one["id"],
                "order_id": lines[one["line"]]["order"],
                "order_line_id": one["line"],
                "product_id": "mug",
                "quantity": 0,
                "unit_price": 0,
                "amount": one["amount"],
                "currency": "GBP",
                "country": "GB",
                "refunded_at": at(one.hour),
            }
            for one in known
            if one.kind == "refund" and one["line"] in lines
        ],
    )
    sums = {order["order"]: sum(price for _, price in order["lines"]) for order in orders}
    add(
        "payments",
        [
            row | {"amount": sums[row["order_id"]], "currency": "GBP"}
            for row in payments(known)
            if row["order_id"] in sums
        ],
    )
    return found


def _plans(known: Iterable[Fact]) -> Iterator[Row]:
    """Yield the plans as a shop keeps them: one ends where the next begins."""
    agreed = {
        (one["affiliate"], one["from"]): one["rate"]
        for one in sorted(
            (one for one in known if one.kind == "plan"), key=lambda one: (one.hour, one["rate"])
        )
    }
    for (affiliate, begins), rate in agreed.items():
        later = [hour for of, hour in agreed if of == affiliate and hour > begins]
        yield {
            "plan_id": f"{affiliate} from {begins}",
            "affiliate_id": affiliate,
            "tier": 1,
            "rate": rate,
            "window_days": WINDOW // 24,
            "hold_days": HOLD // 24,
            "valid_from": at(begins),
            "valid_to": at(min(later)) if later else None,
        }


def _users(known: Iterable[Fact]) -> Iterator[Row]:
    into = {
        one["gone"]: one["into"]
        for one in sorted(
            (one for one in known if one.kind == "merge"), key=lambda one: (one.hour, one["into"])
        )
    }
    named = {one["customer"] for one in known if "customer" in one.facts}
    for name in sorted(named | into.keys() | {*into.values()}):
        yield {
            "user_id": name,
            "country": "GB",
            "created_at": BEFORE,
            "account_status": "active",
            "merged_into": into.get(name),
        }


def _status(known: Iterable[Fact]) -> dict[str, str]:
    """Return the last that was said of each order: cancelled, deleted or restored."""
    said = [one for one in known if one.kind in {"cancelled", "deleted", "restored"}]
    return {one["order"]: one.kind for one in sorted(said, key=lambda one: (one.hour, one.kind))}
