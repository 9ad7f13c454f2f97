"""The demo's exports are whole, checked by their own checksums, and follow from one another."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from boto3.dynamodb.types import TypeDeserializer

from demo import dynamodb_export, shop
from demo.dynamodb_export import Export
from demo.items import Item, rendered_items
from demo.place import Place
from demo.tables import DYNAMODB_TABLES
from tests.cli.command import Command
from tests.demo.exports import DamagedError, applied, exports, full, read, times, values

KEYS = ("pk", "sk")
SINCE = datetime(2026, 4, 1, tzinfo=UTC)
UNTIL = datetime(2026, 4, 2, tzinfo=UTC)


def item(number: int, text: str = 'ä\n"', day: str = "2026-03-30") -> Item:
    return {
        "pk": {"S": f"VISITOR#{number}"},
        "sk": {"S": f"VIEW#{day}T10:00:00.500Z#{number}"},
        "text": {"S": text},
        "raw": {"B": "AP8="},
        "more": {"M": {"list": {"L": [{"N": "1.5"}, {"NULL": True}, {"BS": ["AP8="]}]}}},
    }


BEFORE = [item(number) for number in range(40)]
NEW = [item(50, day="2026-04-01"), item(51)]
AFTER = [item(0, "changed"), *BEFORE[2:], *NEW]


def written(
    bucket: Path, items: list[Item], at: datetime, before: list[Item] | None = None
) -> Export:
    export = Export(bucket, "shop_activity", at, None if before is None else SINCE)
    old = None if before is None else rendered_items(before, KEYS)
    dynamodb_export.write(export, rendered_items(items, KEYS), old)
    return export


def by_key(items: list[Item]) -> dict[tuple[str, str], dict[str, object]]:
    return {(item["pk"]["S"], item["sk"]["S"]): values(item) for item in items}


def test_an_incremental_export_leads_from_one_full_export_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.dynamodb_export.ITEMS_PER_FILE", 10)
    first, second, between = (
        read(tmp_path, tmp_path / export.key)
        for export in (
            written(tmp_path, BEFORE, SINCE),
            written(tmp_path, AFTER, UNTIL),
            written(tmp_path, AFTER, UNTIL, BEFORE),
        )
    )

    assert [len(export.files) for export in (first, second, between)] == [4, 5, 1]
    assert full(first, KEYS) == by_key(BEFORE)
    assert full(second, KEYS) == applied(full(first, KEYS), between, KEYS) == by_key(AFTER)
    shapes = Counter((("OldImage" in line), ("NewImage" in line)) for line in between.lines)
    assert shapes == {(True, True): 1, (True, False): 1, (False, True): 2}
    end = int(UNTIL.timestamp()) * 1_000_000
    came = int(datetime(2026, 4, 1, 10, 0, 0, 500_000, UTC).timestamp() * 1_000_000)
    assert sorted(times(between)) == [came, end - 1, end - 1, end - 1]


def test_a_summary_says_what_aws_documents(tmp_path: Path) -> None:
    at = UNTIL.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for before, expected in (
        (None, {"version": "2020-06-30", "itemCount": 41}),
        (
            BEFORE,
            {
                "version": "2023-08-01",
                "itemCount": 4,
                "exportFromTime": "2026-04-01T00:00:00.000Z",
                "exportToTime": at,
                "outputView": "NEW_AND_OLD_IMAGES",
                "exportType": "INCREMENTAL_EXPORT",
            },
        ),
    ):
        export = written(tmp_path, AFTER, UNTIL, before)
        table = "arn:aws:dynamodb:eu-west-2:123456789012:table/shop_activity"
        summary = read(tmp_path, tmp_path / export.key).summary
        assert len(summary.pop("tableId")) == 36
        assert summary.pop("billedSizeBytes") > 0
        assert summary == {
            "exportArn": f"{table}/export/{export.name}",
            "startTime": at,
            "endTime": at,
            "tableArn": table,
            "exportTime": at,
            "s3Bucket": tmp_path.name,
            "s3Prefix": "shop_activity",
            "s3SseAlgorithm": "AES256",
            "s3SseKmsKeyId": None,
            "manifestFilesS3Key": f"{export.key}/manifest-files.json",
            "outputFormat": "DYNAMODB_JSON",
            **expected,
        }


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    contents: list[dict[str, bytes]] = []
    for _ in range(2):
        written(tmp_path / "bucket", AFTER, UNTIL, BEFORE)
        paths = [path for path in (tmp_path / "bucket").rglob("*") if path.is_file()]
        contents.append({str(path): path.read_bytes() for path in paths})

    assert contents[0] == contents[1]
    assert len(contents[0]) == 8


@pytest.mark.parametrize("pattern", ["**/*.json.gz", "**/manifest-f*.json", "**/manifest-s*.json"])
def test_a_damaged_file_is_noticed(tmp_path: Path, pattern: str) -> None:
    export = written(tmp_path, BEFORE, SINCE)
    path = next(tmp_path.glob(pattern))
    path.write_bytes(path.read_bytes().replace(b"e", b"f", 1)[:-1] + b"\x01")

    with pytest.raises((DamagedError, ValueError)):
        read(tmp_path, tmp_path / export.key)


def test_an_empty_table_has_one_empty_file(tmp_path: Path) -> None:
    export = written(tmp_path, [], SINCE)

    found = read(tmp_path, tmp_path / export.key)

    assert (found.lines, [file["itemCount"] for file in found.files]) == ([], [0])


def test_a_shops_exports_are_what_its_emulator_holds(folder: Path) -> None:
    warehouse = Command(folder)
    shop.up(folder, scale=0.05)
    assert warehouse("demo", "export", "--to", "bucket").returncode == 0
    shop.advance(folder, timedelta(days=1))
    wanted = ("demo", "export", "--to", "bucket", "--from", SINCE.isoformat())
    increment = warehouse(*wanted)
    assert increment.returncode == 0, increment.stderr
    assert increment.stdout.count(" changes in bucket/") == 3
    assert warehouse("demo", "export", "--to", "bucket", "--table", "shop_activity").returncode == 0

    bucket = folder / "bucket"
    pages = Place(folder).dynamodb.client().get_paginator("scan")
    for table, keys in DYNAMODB_TABLES.items():
        found = [read(bucket, path) for path in exports(bucket, table)]
        first, changes = found[0], next(one for one in found if "exportType" in one.summary)
        assert changes.lines or table == "affiliate_clicks"  # a few a week in so small a shop
        items = [one for page in pages.paginate(TableName=table) for one in page["Items"]]
        served = {tuple(item[key]["S"] for key in keys): plain(item) for item in items}
        assert applied(full(first, keys), changes, keys) == served
        wholes = [full(one, keys) for one in found[1:] if "exportType" not in one.summary]
        assert wholes == ([served] if table == "shop_activity" else [])

    for words, message in (
        (("--from", "2026-03-01T00:00:00Z"), "the shop's time; it goes from 2026-04-01T00:00:00Z"),
        (("--from", "yesterday"), "'yesterday' is not an instant such as"),
        (("--table", "orders"), "no such table; the demo has campaign_events, affiliate_clicks"),
    ):
        refused = warehouse("demo", "export", "--to", "bucket", *words)
        assert refused.returncode == 2
        assert message in refused.stderr


def plain(item: Item) -> dict[str, object]:
    """Return the values of an item that boto3 read."""
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
