"""Write a table as DynamoDB exports it to S3: manifests, checksums, gzipped DynamoDB JSON.

The layout is the one of AWS's "DynamoDB table export output format"; nothing in it depends on the
wall clock, so that the same content gives the same bytes. The summary manifest comes last: an
export without one was not finished.
"""

import base64
import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5, sha256
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from demo.tables import DYNAMODB_TABLES, REGION

# Items of a file at most, roughly: a table is cut by the md5 of the hash key, as partitions are.
ITEMS_PER_FILE = 100_000
MOST_FILES = 256

ACCOUNT = "123456789012"  # the account of AWS's examples

# Lines of a file that are in memory as text at a time.
BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Export:
    """One export of one table; times are instants (UTC)."""

    bucket: Path  # the folder that stands for the bucket
    table: str
    at: datetime  # what the table holds then is exported
    since: datetime | None = None  # where an incremental export begins, None in a full one

    @property
    def prefix(self) -> str:
        """The first part of every key in the bucket."""
        return self.table

    @property
    def name(self) -> str:
        """The export's id: milliseconds of its time and eight characters that are its own."""
        mark = sha256(f"{self.table} {self.since} {self.at}".encode()).hexdigest()[:8]
        return f"{int(self.at.timestamp() * 1000):014d}-{mark}"

    @property
    def key(self) -> str:
        """Where the manifests are."""
        return f"{self.prefix}/AWSDynamoDB/{self.name}"

    @property
    def data_key(self) -> str:
        """Where the data files are: incremental exports of a prefix share a folder."""
        return f"{self.key}/data" if self.since is None else f"{self.prefix}/AWSDynamoDB/data"


def write(export: Export, items: pa.Table, before: pa.Table | None = None) -> int:
    """Write an export; return how many lines its data files have.

    `items` is what the table holds at `export.at`, as `demo.items.rendered` returns it; `before`,
    in an incremental export, what it held at `export.since`.
    """
    folder = export.bucket / export.key
    folder.mkdir(parents=True, exist_ok=True)
    (export.bucket / export.data_key).mkdir(parents=True, exist_ok=True)
    (folder / "_started").write_bytes(b"")
    with duckdb.connect(config={"arrow_large_buffer_size": True}) as connection:
        connection.register("items", items)
        if before is not None:
            connection.register("before", before)
        connection.execute(f"create temp table lines as {_lines(export)}")
        [(count, size)] = connection.sql(
            "select count(*), coalesce(sum(size), 0)::bigint from lines"
        ).fetchall()
        files = max(1, min(MOST_FILES, -(-count // ITEMS_PER_FILE)))
        entries = [_data_file(export, connection, number, files) for number in range(files)]
    listed = "".join(json.dumps(entry) + "\n" for entry in entries)
    _with_checksum(folder / "manifest-files.json", listed.encode())
    summary = json.dumps(_summary(export, count, size), indent=2)
    _with_checksum(folder / "manifest-summary.json", summary.encode())
    return count


def _lines(export: Export) -> str:
    """Return SQL for the lines of the data files, the keys they are sorted by, and their sizes."""
    if export.since is None:
        return """select hash, range, '{"Item":' || item || '}' as line, size from items"""
    names = DYNAMODB_TABLES[export.table]
    keys = " || ',' || ".join(
        f"""'{json.dumps(name)}:{{"S":' || to_json({column}) || '}}'"""
        for name, column in zip(names, ("hash", "range"), strict=True)
    )
    start, end = (int(at.timestamp() * 1_000_000) for at in (export.since, export.at))
    # The range key tells when an item came; what was changed or deleted does not say when: last.
    written = r"regexp_extract(range, '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z')"
    return f"""
        select hash, range, concat(
                '{{"Metadata":{{"WriteTimestampMicros":{{"N":"', micros, '"}}}}',
                ',"Keys":{{', {keys}, '}}',
                ',"OldImage":' || old.item, ',"NewImage":' || new.item, '}}'
            ) as line, coalesce(old.size, 0) + coalesce(new.size, 0) as size
        from items as new full join before as old using (hash, range),
        lateral (select coalesce(epoch_us(try_cast({written} as timestamptz)), {end}) as came),
        lateral (
            select case when old.item is null and came >= {start} and came < {end} then came
                else {end - 1} end as micros
        )
        where old.item is distinct from new.item"""


def _data_file(
    export: Export, connection: duckdb.DuckDBPyConnection, number: int, files: int
) -> dict[str, Any]:
    """Write the data file of a part of the hash keys; return its entry in the manifest."""
    stem = sha256(f"{export.name} {number}".encode()).digest()[:16]
    name = base64.b32encode(stem).decode().rstrip("=").lower()
    key = f"{export.data_key}/{name}.json.gz"
    path = export.bucket / key
    count = 0
    reader = connection.sql(
        f"""select line from lines
        where ('0x' || left(md5(hash), 2))::utinyint::integer * {files} // 256 = {number}
        order by hash, range"""
    ).to_arrow_reader(BATCH)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as data:
        for batch in reader:
            data.write("".join(f"{line}\n" for line in batch.column(0).to_pylist()).encode())
            count += batch.num_rows
    digest = _md5(path.read_bytes())
    return {
        "itemCount": count,
        "md5Checksum": base64.b64encode(digest).decode(),
        # S3's of an upload in one part.
        "etag": f"{_md5(digest).hex()}-1",
        "dataFileS3Key": key,
    }


def _summary(export: Export, count: int, size: int) -> dict[str, Any]:
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{export.table}"
    mark = sha256(table.encode()).hexdigest()
    at = _text(export.at)
    summary: dict[str, Any] = {
        "version": "2020-06-30" if export.since is None else "2023-08-01",
        "exportArn": f"{table}/export/{export.name}",
        "startTime": at,
        "endTime": at,
        "tableArn": table,
        "tableId": "-".join((mark[:8], mark[8:12], mark[12:16], mark[16:20], mark[20:32])),
        "exportTime": at,
        "s3Bucket": export.bucket.name,
        "s3Prefix": export.prefix,
        "s3SseAlgorithm": "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"{export.key}/manifest-files.json",
        "billedSizeBytes": size,
        "itemCount": count,
        "outputFormat": "DYNAMODB_JSON",
    }
    if export.since is not None:
        summary |= {
            "exportFromTime": _text(export.since),
            "exportToTime": at,
            "outputView": "NEW_AND_OLD_IMAGES",
            "exportType": "INCREMENTAL_EXPORT",
        }
    return summary


def _with_checksum(path: Path, content: bytes) -> None:
    """Write a manifest after its checksums, in one step."""
    checksum = base64.b64encode(_md5(content))
    # AWS's pages call it .checksum, its exports have .md5: a reader finds either.
    for suffix in (".checksum", ".md5"):
        path.with_suffix(suffix).write_bytes(checksum)
    aside = path.with_name(f".{path.name}")
    aside.write_bytes(content)
    aside.replace(path)


def _md5(content: bytes) -> bytes:
    return md5(content, usedforsecurity=False).digest()


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
