"""The file that Amazon Personalize imports: whose interactions are in it."""

import csv
from pathlib import Path

import pytest

from extractors.errors import ConfigError
from tests.warehouse.export.recommended import CUSTOMERS, publish
from warehouse.config import Settings
from warehouse.export import personalize

ROWS = """
insert into recommendation.interactions values
    ('i2', 'purchase', 'customer c1', 'c1', 'p"1', timestamptz '2011-09-01 00:00:01.9+00', 8),
    ('i1', 'view', 'customer c1', 'c1', 'p2', timestamptz '2011-08-31 00:00:00+00', 1),
    ('i3', 'view', 'visitor v1', null, 'p2', timestamptz '2011-09-02 00:00:00+00', 1),
    ('i4', 'purchase', 'order o1', null, 'p2', timestamptz '2011-09-02 00:00:00+00', 8)
"""


def rows(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def test_what_known_customers_did_is_written_oldest_first(tmp_path: Path) -> None:
    done = personalize.export(publish(tmp_path, ROWS), tmp_path / "i.csv")

    assert (done.rows, done.left_out) == (2, 2)
    assert rows(tmp_path / "i.csv") == [
        ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"],
        ["c1", "p2", "1314748800", "View", "1.0000"],
        ["c1", 'p"1', "1314835201", "Purchase", "8.0000"],
    ]


def test_visitors_are_added_when_asked_for_but_not_orders_of_nobody(tmp_path: Path) -> None:
    done = personalize.export(publish(tmp_path, ROWS), tmp_path / "i.csv", anonymous=True)

    assert (done.rows, done.left_out) == (3, 1)
    assert [row[0] for row in rows(tmp_path / "i.csv")[1:]] == ["c1", "c1", "visitor v1"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return publish(tmp_path)


def test_only_who_agreed_is_in_the_file_when_asked_for(settings: Settings, tmp_path: Path) -> None:
    personalize.export(settings, tmp_path / "i.csv", consented=True)
    assert {row[0] for row in rows(tmp_path / "i.csv")[1:]} == set(CUSTOMERS[:4])


def test_a_failure_leaves_the_former_file(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text("former")
    with pytest.raises(ConfigError, match=r"must end in .csv, which"):
        personalize.export(settings, tmp_path / "i.jsonl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(personalize, "COLUMNS", (object(),) * 5)
        patch.setattr("warehouse.export.files.plain", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            personalize.export(settings, tmp_path / "i.csv")
    assert (tmp_path / "i.csv").read_text() == "former"
    assert not list(tmp_path.glob(".i.csv*"))
