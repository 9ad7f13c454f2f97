"""A reader of DynamoDB exports for tests: plain Python, nothing of the demo's."""

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

Values = dict[str, Any]


class DamagedError(Exception):
    """A file that is not what its manifest says."""


@dataclass(frozen=True)
class Read:
    """A finished export: its summary, its manifest of files, the lines of its data files."""

    summary: dict[str, Any]
    files: list[dict[str, Any]]
    lines: list[dict[str, Any]]


def exports(bucket: Path, table: str) -> list[Path]:
    """Return the folder of each finished export of a table, in the order of their times."""
    found = bucket.glob(f"{table}/AWSDynamoDB/*/manifest-summary.json")
    return sorted(path.parent for path in found)


def read(bucket: Path, folder: Path) -> Read:
    """Read an export and check every checksum and count of it."""
    summary = json.loads(_manifest(folder, "manifest-summary"))
    assert (folder / "_started").read_bytes() == b""
    listed = _manifest(folder, "manifest-files")
    assert bucket / summary["manifestFilesS3Key"] == folder / "manifest-files.json"
    files = [json.loads(line) for line in listed.splitlines()]
    lines: list[dict[str, Any]] = []
    for file in files:
        content = (bucket / file["dataFileS3Key"]).read_bytes()
        digest = md5(content).digest()
        if base64.b64encode(digest).decode() != file["md5Checksum"]:
            raise DamagedError(file["dataFileS3Key"])
        assert file["etag"] == f"{md5(digest).hexdigest()}-1"
        found = [json.loads(line) for line in gzip.decompress(content).splitlines()]
        assert len(found) == file["itemCount"]
        lines += found
    assert len(lines) == summary["itemCount"]
    return Read(summary, files, lines)


def _manifest(folder: Path, name: str) -> bytes:
    content = (folder / f"{name}.json").read_bytes()
    for suffix in ("checksum", "md5"):
        if base64.b64decode((folder / f"{name}.{suffix}").read_bytes()) != md5(content).digest():
            raise DamagedError(f"{name}.json")
    return content


def values(item: dict[str, dict[str, Any]]) -> Values:
    """Return an item's values as boto3 gives them."""
    return {name: TypeDeserializer().deserialize(as_bytes(value)) for name, value in item.items()}


def as_bytes(value: dict[str, Any]) -> dict[str, Any]:
    """Decode what travels as base64 in JSON, at any depth."""
    ((kind, content),) = value.items()
    if kind == "B":
        return {kind: base64.b64decode(content)}
    if kind == "BS":
        return {kind: [base64.b64decode(part) for part in content]}
    if kind == "L":
        return {kind: [as_bytes(part) for part in content]}
    if kind == "M":
        return {kind: {name: as_bytes(part) for name, part in content.items()}}
    return value


def full(export: Read, keys: tuple[str, str]) -> dict[tuple[str, str], Values]:
    """Return the items of a full export by key."""
    assert all(line.keys() == {"Item"} for line in export.lines)
    items = [values(line["Item"]) for line in export.lines]
    return {(item[keys[0]], item[keys[1]]): item for item in items}


def applied(
    held: dict[tuple[str, str], Values], increment: Read, keys: tuple[str, str]
) -> dict[tuple[str, str], Values]:
    """Return what is held after an incremental export, whose old images have to be what was."""
    held = dict(held)
    for line in increment.lines:
        assert line.keys() - {"OldImage", "NewImage"} == {"Metadata", "Keys"}
        key = tuple(line["Keys"][name]["S"] for name in keys)
        assert len(line["Keys"]) == len(key) == 2
        old = values(line["OldImage"]) if "OldImage" in line else None
        assert held.pop(key, None) == old
        if "NewImage" in line:
            held[key] = values(line["NewImage"])
            assert held[key] != old
    return held


def times(increment: Read) -> Iterator[int]:
    """Yield when each change was written, in microseconds."""
    for line in increment.lines:
        yield int(line["Metadata"]["WriteTimestampMicros"]["N"])
