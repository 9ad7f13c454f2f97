"""What people ask, and pages answer, is told by PostgreSQL as by the DuckDB file, on the demo."""

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.clients.questions import Question, questions
from tests.markdown_blocks import Block, blocks
from tests.shops import Shop
from warehouse.engines import postgres_types

pytestmark = pytest.mark.slow
QUESTIONS = questions()
# What PostgreSQL calls these on the wire.
NAMES = {"int4": "integer", "int8": "bigint", "bool": "boolean"}
ROOT = Path(__file__).resolve().parents[2]
# Pages that say or suggest that a BI tool takes their queries as they are.
PAGES = (
    *("campaign.md", "affiliate.md", "recommendation.md", "how-to/connect-bi-tools.md"),
    *("how-to/connect-each-tool.md", "how-to/export-an-audience.md", "how-to/read-the-marts.md"),
    "how-to/send-trigger-emails.md",
)
BLOCKS = [
    block
    for page in PAGES
    for block in blocks(ROOT / "docs" / page, ROOT)
    if block.language == "sql"
]


@pytest.fixture(scope="module")
def endpoint(demo_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(demo_dsn, autocommit=True) as connection:
        yield connection


def test_there_are_twenty_and_each_says_who_asks() -> None:
    assert Counter(question.asker for question in QUESTIONS) == {
        "marketing": 8,
        "crm": 1,
        "finance": 6,
        "merchandising": 5,
    }
    assert len({question.text for question in QUESTIONS}) == 20


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_postgresql_answers_as_the_file_does(
    question: Question, endpoint: psycopg.Connection[Any], demo_shop: Shop
) -> None:
    there = endpoint.execute(question.sql.encode())
    rows = demo_shop.query(question.sql)
    assert there.fetchall() == rows
    assert rows
    described = demo_shop.query(f"describe {question.sql}")
    assert there.description is not None
    assert [
        (column.name, NAMES.get(column.type_display, column.type_display))
        for column in there.description
    ] == [(row[0], postgres_types.column(row[0], row[1]).type) for row in described]


def test_each_page_has_a_query() -> None:
    assert {block.place.split(":")[0] for block in BLOCKS} == {f"docs/{page}" for page in PAGES}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_postgresql_takes_the_queries_of_the_pages_as_they_are(
    block: Block, endpoint: psycopg.Connection[Any], demo_shop: Shop
) -> None:
    there = endpoint.execute(block.text.encode()).fetchall()
    rows = demo_shop.query(block.text)
    assert len(there) == len(rows)
    for answered, expected in zip(there, rows, strict=True):
        assert [*map(same, answered, expected)] == [True] * len(expected), (answered, expected)


def same(answered: Any, expected: Any) -> bool:
    """Return whether they are equal; a ratio, a float in the file, may be rounded elsewise."""
    if isinstance(expected, float) and answered is not None:
        return math.isclose(answered, expected, rel_tol=0.001, abs_tol=0.01001)
    return answered == expected
