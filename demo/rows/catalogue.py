"""What a shop can sell: made-up articles, or those of real orders, the most popular first."""

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from demo.draws import Draws
from demo.rows.columns import DAY, NEVER, Flags, Ints

COLOURS = ("RED", "BLUE", "GREEN", "PINK", "IVORY", "SILVER", "VINTAGE", "RETROSPOT")
STYLES = ("HEART", "STRIPED", "FLORAL", "POLKADOT", "WOODEN", "GLASS", "SMALL", "LARGE")
THINGS = (
    *("MUG", "CAKE STAND", "LUNCH BOX", "TEA TOWEL", "JAM JAR", "SHOPPER BAG", "DOORMAT"),
    *("CANDLE HOLDER", "NIGHT LIGHT", "PHOTO FRAME", "CUSHION", "WALL CLOCK", "BUNTING"),
    *("GREETING CARD", "GIFT WRAP", "PENCIL SET", "TOY TRAIN", "RAG DOLL", "PLANT POT"),
    *("BEAD NECKLACE", "CHRISTMAS DECORATION", "COAT HOOK", "UMBRELLA", "TIN SIGN"),
)
ARTICLE = "^[0-9]{5}"


@dataclass(frozen=True)
class Catalogue:
    """The articles; the position in every column is the rank in popularity, from 0.

    Articles in odd positions may be sold out, new or discontinued. One in an even position is
    there at all times, and stands in for the one after it.
    """

    ids: list[str]
    names: list[str]
    thousandths: Ints  # the price at the start, in thousandths of a pound
    created: Ints  # seconds
    ended: Ints  # discontinued from then on; NEVER
    renamed: Ints  # called "SET OF 2 ..." from then on; NEVER
    has_letter: Flags  # the code is sometimes typed in lower case

    def __len__(self) -> int:
        return len(self.ids)


def article_count(scale: float) -> int:
    """Return how many articles a made-up shop of a scale has."""
    return max(20, round(200 * scale**0.5))


def made_catalogue(seed: int, scale: float, start: int) -> Catalogue:
    """Return the articles of a made-up shop that opens at `start` (seconds)."""
    count = article_count(scale)
    draws = Draws(seed, "made product", np.arange(count, dtype=np.uint64))
    letters = draws.choices("letter", (0.06, 0.05, 0.04, 0.85))
    words = [
        np.array(choices)[draws.integers(purpose, 0, len(choices))]
        for purpose, choices in (("colour", COLOURS), ("style", STYLES), ("thing", THINGS))
    ]
    # Thousandths; a few articles are sold by weight and have a third decimal.
    pence = 29 + (draws.uniform("price") ** 3 * 1900).astype(np.int64)
    odd = np.arange(count) % 2 == 1
    launch = start + draws.integers("launch day", 8, 150) * DAY + 5 * 3600
    return Catalogue(
        ids=[f"{20_001 + 7 * i}{('A', 'B', 'C', '')[letter]}" for i, letter in enumerate(letters)],
        names=[" ".join(parts) for parts in zip(*words, strict=True)],
        thousandths=pence * 10 + 5 * (draws.uniform("decimals") < 0.03),
        created=np.where(odd & (draws.uniform("launched") < 0.12), launch, start),
        ended=_ended(draws, odd, start),
        renamed=_renamed(draws, start),
        has_letter=letters < 3,
    )


def real_catalogue(seed: int, lines: pa.Table, products: pa.Table, start: int) -> Catalogue:
    """Return the articles sold in real lines, with what is made up of them from `start` on."""
    with duckdb.connect() as connection:
        connection.register("lines", lines)
        connection.register("products", products)
        found = connection.execute(
            """
            select
                product_id,
                coalesce(name, product_id),
                cast(list_price * 1000 as bigint),
                cast(epoch(created_at) as bigint)
            from products
            inner join (
                select stock_code as product_id, count(*) as sold from lines group by stock_code
            ) as line using (product_id)
            where
                list_price > 0
                and regexp_matches(product_id, ?)
                -- One article per code, letter case aside; capitals sort first.
                and product_id in (
                    select min(other.product_id) from products as other
                    group by upper(other.product_id)
                )
            order by sold desc, product_id
            """,
            [ARTICLE],
        ).fetchall()
    ids, names, listed, created = ([row[place] for row in found] for place in range(4))
    draws = Draws(seed, "made product", np.arange(len(ids), dtype=np.uint64))
    odd = np.arange(len(ids)) % 2 == 1
    return Catalogue(
        ids=ids,
        names=names,
        thousandths=np.array(listed, np.int64),
        created=np.array(created, np.int64),
        ended=_ended(draws, odd, start),
        renamed=_renamed(draws, start),
        has_letter=np.zeros(len(ids), np.bool_),
    )


def _ended(draws: Draws, odd: Flags, start: int) -> Ints:
    ends = start + draws.integers("ended day", 20, 400) * DAY + 22 * 3600
    return np.where(odd & (draws.uniform("ended") < 0.3), ends, NEVER)


def _renamed(draws: Draws, start: int) -> Ints:
    days = draws.integers("renamed day", 10, 200)
    return np.where(draws.uniform("renamed") < 0.1, start + days * DAY + 9 * 3600, NEVER)
