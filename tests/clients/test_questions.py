"""What people ask, answered by PostgreSQL as by the DuckDB file, on the demo shop."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.clients.questions import Question, questions
from tests.shops import Shop
from warehouse.engines import postgres_types

pytestmark = pytest.mark.slow
QUESTIONS = questions()
# What PostgreSQL calls these on the wire.
NAMES = {"int4": "integer", "int8": "bigint", "bool": "boolean"}


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
