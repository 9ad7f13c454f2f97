"""The emulator's items on disk: a line per item in the order of a scan, and an index beside them.

`<table>.jsonl` holds the items in DynamoDB JSON, keys first, sorted by the UTF-8 of their keys;
`<table>.index.parquet` has a row per line: where it ends, the item's size, which segment of a
parallel scan it belongs to, and the md5 by which two files are compared.
"""

import bisect
import json
import os
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from extractors.naming import literal

Key = tuple[str, str]
Rows = NDArray[np.int64]

INDEX = pa.schema(
    [
        ("end", pa.int64()),
        ("size", pa.int32()),
        ("segment", pa.uint8()),
        ("upper", pa.uint64()),
        ("lower", pa.uint64()),
    ]
)

# Lines that are turned into Python texts at a time.
BATCH = 20_000

# Further apart than this, lines are read one by one.
SPAN = 16_000_000


def write(folder: Path, table: str, items: pa.Table) -> None:
    """Write a table's two files from the columns of `demo.items.rendered`, one after the other."""
    with duckdb.connect(config={"arrow_large_buffer_size": True}) as connection:
        connection.register("items", items)
        index = connection.sql(
            # The emulator takes the first byte of the hash key's md5.
            """select sum(strlen(item) + 1) over (rows unbounded preceding)::bigint as end, size,
                ('0x' || left(md5(hash), 2))::utinyint as segment,
                md5_number_upper(item) as upper, md5_number_lower(item) as lower
            from items"""
        ).to_arrow_table()
    aside = folder / f".{table}.jsonl"
    with aside.open("wb") as lines:
        for batch in items.select(["item"]).to_batches(max_chunksize=BATCH):
            lines.write("".join(f"{line}\n" for line in batch.column(0).to_pylist()).encode())
        lines.flush()
        os.fsync(lines.fileno())
    index_aside = folder / f".{table}.index.parquet"
    parquet.write_table(index, index_aside, use_dictionary=False)
    with index_aside.open("rb") as written:
        os.fsync(written.fileno())
    aside.replace(folder / f"{table}.jsonl")
    index_aside.replace(folder / f"{table}.index.parquet")


class ItemFile:
    """The two files of a table as they were when this was made, also once they are replaced."""

    def __init__(self, folder: Path | None, table: str, keys: tuple[str, str]) -> None:
        """Open the files of `table`; without a folder there are no items."""
        self._keys = keys
        self._lines = (folder / f"{table}.jsonl" if folder else Path(os.devnull)).open("rb")
        self.index = INDEX.empty_table()
        if folder:
            self.index = parquet.read_table(folder / f"{table}.index.parquet", schema=INDEX)
        ends = self.index.column("end").to_numpy()
        self._ends: Rows = np.concatenate([np.zeros(1, np.int64), ends])
        self.sizes: Rows = self.index.column("size").to_numpy().astype(np.int64)
        self.segments: NDArray[np.uint8] = self.index.column("segment").to_numpy()

    def __len__(self) -> int:
        return len(self.sizes)

    def close(self) -> None:
        """Close the file of lines."""
        self._lines.close()

    def text(self, first: int, last: int) -> bytes:
        """Return the lines of rows `first` to `last`, the latter not included."""
        start, end = int(self._ends[first]), int(self._ends[last])
        return os.pread(self._lines.fileno(), end - start, start)

    def joined(self, rows: Rows) -> bytes:
        """Return the items of some rows, ascending, with commas between them."""
        if not len(rows):
            return b""
        first, last = int(rows[0]), int(rows[-1]) + 1
        if last - first == len(rows):
            return self.text(first, last)[:-1].replace(b"\n", b",")
        starts, ends = self._ends[rows], self._ends[rows + 1] - 1
        if ends[-1] - starts[0] > SPAN:
            return b",".join(self.text(row, row + 1)[:-1] for row in rows.tolist())
        text = self.text(first, last)
        bounds = zip((starts - starts[0]).tolist(), (ends - starts[0]).tolist(), strict=True)
        return b",".join([text[start:end] for start, end in bounds])

    def item(self, row: int) -> dict[str, dict[str, Any]]:
        """Return the item of a row."""
        return json.loads(self.text(row, row + 1))

    def key(self, row: int) -> Key:
        """Return the hash and the range key of a row."""
        item = self.item(row)
        return item[self._keys[0]]["S"], item[self._keys[1]]["S"]

    def place(self, key: Key) -> int:
        """Return the first row that does not come before `key`."""
        return bisect.bisect_left(range(len(self)), key, key=self.key)

    def group(self, hash_key: str) -> tuple[int, int]:
        """Return the first row of a hash key and the one after its last."""
        rows = range(len(self))
        return (
            bisect.bisect_left(rows, hash_key, key=lambda row: self.key(row)[0]),
            bisect.bisect_right(rows, hash_key, key=lambda row: self.key(row)[0]),
        )


def read(folder: Path, table: str, keys: tuple[str, str]) -> pa.Table:
    """Return a table's items in the columns of `demo.items.rendered`."""
    index = parquet.read_table(folder / f"{table}.index.parquet", schema=INDEX)
    ends = np.concatenate([np.zeros(1, np.int64), index.column("end").to_numpy()])
    with pa.memory_map(str(folder / f"{table}.jsonl")) as file:
        texts = file.read_buffer()
        lines = pa.LargeStringArray.from_buffers(len(index), pa.py_buffer(ends), texts)
        with duckdb.connect(config={"arrow_large_buffer_size": True}) as connection:
            connection.register("lines", pa.table({"line": lines, "size": index.column("size")}))
            hash_key, range_key = (literal(f"$.{key}.S") for key in keys)
            return connection.sql(
                f"""select json_extract_string(line, {hash_key}) as hash,
                    json_extract_string(line, {range_key}) as range,
                    rtrim(line, chr(10)) as item, size
                from lines"""
            ).to_arrow_table()


def difference(old: ItemFile, new: ItemFile) -> tuple[list[int], list[Key]]:
    """Return the rows of `new` that are new or changed, and the keys that only `old` has."""
    with duckdb.connect() as connection:
        for name, file in (("old", old), ("new", new)):
            rows = pa.array(np.arange(len(file)))
            connection.register(f"{name}_index", file.index.append_column("row", rows))
        statement = "select row from {} anti join {} using (upper, lower) order by row"
        put, gone = (
            [row for (row,) in connection.execute(statement.format(*sides)).fetchall()]
            for sides in (("new_index", "old_index"), ("old_index", "new_index"))
        )
    kept = {new.key(row) for row in put}
    return put, [key for key in map(old.key, gone) if key not in kept]
