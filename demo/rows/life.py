"""Real, planned and made-up rows brought together, with the times at which each changes."""

import duckdb
import numpy as np
import pyarrow as pa

from demo.rows.catalogue import Catalogue
from demo.rows.columns import INSTANT, Ints, instants, picked, prices
from demo.rows.dated import Prices, StockOuts
from demo.rows.documents import category_of, drawn_brands
from demo.rows.made_shop import code_rows
from demo.rows.people import People

Rows = dict[str, pa.Table]
GIVEN = pa.schema(
    [
        *((name, pa.string()) for name in ("product_id", "name", "category", "brand", "currency")),
        ("list_price", pa.decimal128(12, 3)),
        *((name, pa.bool_()) for name in ("is_commissionable", "is_active")),
        ("created_at", INSTANT),
    ]
)
NONE: Ints = np.zeros(0, np.int64)


def products(
    given: pa.Table | None, catalogue: Catalogue | None, seed: int, start: int
) -> pa.Table:
    """Return the rows of products, with list_price before any change, renamed_at and ended_at.

    Those of documents come first; made-up articles and the codes of charges are added to them. A
    code that is in both is as old as the older of them.
    """
    if catalogue is None:
        assert given is not None
        never = pa.nulls(given.num_rows, pa.timestamp("us", "UTC"))
        return given.append_column("renamed_at", never).append_column("ended_at", never)
    ids, names, thousandths, created, is_article = code_rows(catalogue, start)
    place = {product: index for index, product in enumerate(catalogue.ids)}
    where = np.array([place.get(product, place.get(product.upper(), -1)) for product in ids])
    made = pa.table(
        {
            "product_id": pa.array(ids, pa.string()),
            "name": pa.array(names, pa.string()),
            "category": pa.array([category_of(name) for name in names], pa.string()),
            "brand": pa.array(drawn_brands(ids, seed), pa.string()),
            "list_price": prices(thousandths),
            "is_commissionable": pa.array(is_article),
            "created_at": instants(created),
        }
    )
    articles = np.flatnonzero(where >= 0)
    changes = pa.table(
        {
            "product_id": made.column("product_id").take(pa.array(articles)),
            "renamed_at": instants(catalogue.renamed[where[articles]]),
            "ended_at": instants(catalogue.ended[where[articles]]),
        }
    )
    with duckdb.connect() as connection:
        connection.register("made", made)
        connection.register("changes", changes)
        connection.register("given", GIVEN.empty_table() if given is None else given)
        return connection.sql(
            """
            from (
                select
                    given.* exclude (created_at, currency, is_active),
                    least(given.created_at, made.created_at) as created_at
                from given
                left join made using (product_id)
                union all by name
                select * from made anti join given using (product_id)
            )
            left join changes using (product_id)
            order by product_id
            """
        ).to_arrow_table()


def price_rows(rows: pa.Table, catalogue: Catalogue | None, listed: Prices | None) -> pa.Table:
    """Return product_id, valid_from and price of every product that has one.

    A code in lower case has the prices of the article that it stands for.
    """
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("products", rows)
        connection.register("listed", _listed(catalogue, listed))
        return connection.sql(
            """
            with priced as (
                select product_id, valid_from, price
                from products
                inner join listed using (product_id)
            )

            from priced
            union all
            select product_id, created_at, list_price
            from products
            anti join priced using (product_id)
            where list_price > 0
            order by product_id, valid_from
            """
        ).to_arrow_table()


def _listed(catalogue: Catalogue | None, listed: Prices | None) -> pa.Table:
    if catalogue is None or listed is None:
        columns = {"valid_from": instants(NONE), "price": prices(NONE)}
        return pa.table({"product_id": pa.array([], pa.string()), **columns})
    lower = np.flatnonzero(catalogue.has_letter[listed.article])
    entry = np.concatenate([np.arange(len(listed.article)), lower])
    ids = [*catalogue.ids, *(code.lower() for code in catalogue.ids)]
    article = np.concatenate([listed.article, listed.article[lower] + len(catalogue)])
    return pa.table(
        {
            "product_id": picked(pa.array(ids, pa.string()), article),
            "valid_from": instants(listed.valid_from[entry]),
            "price": prices(listed.thousandths[entry]),
        }
    )


def out_rows(catalogue: Catalogue | None, outs: StockOuts | None) -> pa.Table:
    """Return product_id, from_at and to_at."""
    ids: list[str] = [] if catalogue is None else catalogue.ids
    article, from_at, to_at = (
        (NONE, NONE, NONE) if outs is None else (outs.article, outs.from_at, outs.to_at)
    )
    return pa.table(
        {
            "product_id": picked(pa.array(ids, pa.string()), article),
            "from_at": instants(from_at),
            "to_at": instants(to_at),
        }
    )


def users(given: list[pa.Table], people: People | None) -> pa.Table:
    """Return the rows of users with closed_at; of a user in several tables the first one's.

    Such a user is as old as the oldest of the rows.
    """
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for number, table in enumerate(given):
            connection.register(f"given_{number}", table)
        closed = pa.table({"user_id": pa.array([], pa.string()), "closed_at": instants(NONE)})
        if people is not None:
            ids = pa.array(people.ids, pa.string())
            closed = pa.table({"user_id": ids, "closed_at": instants(people.closed)})
        connection.register("closed", closed)
        ranked = " union all by name ".join(
            f"select *, {number} as place from given_{number}" for number in range(len(given))
        )
        return connection.sql(
            f"""
            select
                found.* exclude (place, created_at),
                min(found.created_at) over (partition by found.user_id) as created_at,
                closed.closed_at
            from ({ranked}) as found
            left join closed using (user_id)
            qualify row_number() over (partition by found.user_id order by found.place) = 1
            order by user_id
            """
        ).to_arrow_table()
