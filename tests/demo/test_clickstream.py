"""The real clickstream as views of the shop."""

from pathlib import Path

import pytest

from demo.clickstream import click_items
from extractors.errors import ConfigError

HEAD = (
    "year;month;day;order;country;session ID;page 1 (main category);page 2 (clothing model);price"
)


def test_a_click_is_a_minute_after_the_one_before_from_london_midnight_on(tmp_path: Path) -> None:
    path = tmp_path / "clicks.csv"
    path.write_text(f"{HEAD}\r\n2008;4;1;1;29;17;1;A13;28\r\n2008;1;1;3;29;18;1;A16;33\r\n")

    assert list(click_items(path)) == [
        {
            "pk": {"S": "VISITOR#17"},
            "sk": {"S": "VIEW#2008-03-31T23:00:00.000Z#17-1"},
            "type": {"S": "view"},
            "event_id": {"S": "17-1"},
            "visitor_id": {"S": "17"},
            "product_id": {"S": "A13"},
            "event_type": {"S": "view"},
            "price": {"N": "28"},
            "occurred_at": {"S": "2008-03-31T23:00:00.000Z"},
        },
        {
            "pk": {"S": "VISITOR#18"},
            "sk": {"S": "VIEW#2008-01-01T00:02:00.000Z#18-3"},
            "type": {"S": "view"},
            "event_id": {"S": "18-3"},
            "visitor_id": {"S": "18"},
            "product_id": {"S": "A16"},
            "event_type": {"S": "view"},
            "price": {"N": "33"},
            "occurred_at": {"S": "2008-01-01T00:02:00.000Z"},
        },
    ]


def test_the_real_clickstream_gives_an_item_per_click(shared_data: Path) -> None:
    items = list(click_items(shared_data / "eshop_clickstream_2008-04-01_2008-06-30.csv.gz"))

    assert len(items) == 116_095
    assert len({(item["pk"]["S"], item["sk"]["S"]) for item in items}) == 116_095
    assert len({item["visitor_id"]["S"] for item in items}) == 17_031


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a;b\n1;2\n", "no column year"),
        (f"{HEAD}\n2008;13;1;1;29;17;1;A13;28\n", "row 1: year, month, day, order, price"),
        (f"{HEAD}\n2008;1;1;1;29;;1;A13;28\n", "row 1: session ID or page 2"),
    ],
)
def test_a_file_of_another_kind_is_one_clear_line(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "clicks.csv"
    path.write_text(text)

    with pytest.raises(ConfigError, match=problem):
        list(click_items(path))
