"""A published version of hand-made recommendation marts, with ids of the worst kind."""

import random
from pathlib import Path

import duckdb

from tests.cli.test_versions import CONFIGURATION, publication
from warehouse import config
from warehouse.config import Settings
from warehouse.publish import versions as published
from warehouse.state import segments

CUSTOMERS = ["c1", "c,2", 'c"3', "c\n4", "c;5", "cä:6", "c%3A7", "c\r8", " c9 ", "c\u202810"]
PRODUCTS = ["p1", "p:1", 'p"2"', "p,3", "p\n4", "p€5", "p;6"]
KINDS = ["view", "wishlist", "search_click", "cart", "purchase"]

TABLES = """
create schema core; create schema recommendation; create schema campaign;
create table core.products (
    product_id varchar, name varchar, category varchar, current_price decimal(18, 4)
);
create table recommendation.interactions (
    interaction_id varchar, kind varchar, actor_key varchar, customer_id varchar,
    product_id varchar, occurred_at timestamptz, weight decimal(9, 4)
);
create table recommendation.customer_neighbours (
    customer_id varchar, rank bigint, other_customer_id varchar, score double, n bigint
);
create table recommendation.related_products (
    product_id varchar, rank bigint, related_product_id varchar, score double, n bigint
);
create table campaign.audience_members (customer_id varchar, email_hash varchar);
"""


def publish(folder: Path, *statements: str) -> Settings:
    """Publish v000001 with those tables, filled by the statements or else at random."""
    (folder / "warehouse.yml").write_text(CONFIGURATION)
    home = folder / "var"
    (home / "published").mkdir(parents=True)
    segments.append(home / "state", [publication(1)])
    with duckdb.connect(str(published.version_path(home / "published", "v000001"))) as file:
        file.execute(TABLES)
        for statement in statements:
            file.execute(statement)
        if not statements:
            fill(file)
    published.switch(home / "published", "v000001")
    return config.load(folder / "warehouse.yml")


def fill(file: duckdb.DuckDBPyConnection) -> None:
    """Fill the tables: 400 interactions, a fifth of them anonymous; a product nobody lists."""
    drawn = random.Random(8)
    products = [(p, f'{p} "mug", blue\nlarge', "mugs; cups", "2.5000") for p in PRODUCTS[1:]]
    file.executemany("insert into core.products values (?, ?, ?, ?)", products)
    rows = []
    for number in range(400):
        customer = drawn.choice(CUSTOMERS) if number % 5 else None
        actor = f"customer {customer}" if customer else f"visitor v{number % 3}"
        actor = "order o1" if number == 5 else actor
        moment = f"2011-08-{1 + number % 28:02d} 12:00:{number % 60:02d}.25+00"
        rows.append(
            (f"i{number}", drawn.choice(KINDS), actor, customer, drawn.choice(PRODUCTS), moment, 2)
        )
    file.executemany("insert into recommendation.interactions values (?, ?, ?, ?, ?, ?, ?)", rows)
    for table, ids in (("customer_neighbours", CUSTOMERS), ("related_products", PRODUCTS)):
        pairs = [
            (one, rank, other, drawn.random(), rank)
            for one in ids
            for rank, other in enumerate(drawn.sample([x for x in ids if x != one], 3), 1)
        ]
        file.executemany(f"insert into recommendation.{table} values (?, ?, ?, ?, ?)", pairs)
    file.executemany(
        "insert into campaign.audience_members values (?, null)", [[c] for c in CUSTOMERS[:4]]
    )
