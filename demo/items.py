"""Write columns as DynamoDB items: one line of DynamoDB JSON per row, many rows at a time."""

import json
from collections.abc import Iterable
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute

from extractors.naming import literal, quoted

pc: Any = pyarrow.compute  # makes its functions at import, where a type checker sees none

# On a field's metadata: its text is the attribute's value itself, such as {"SS": ["a"]}.
JSON_VALUE = {b"dynamodb": b"json"}

# What `rendered` returns: the two keys, the item's line, and its size by DynamoDB's rule in bytes.
RENDERED = pa.schema(
    [
        ("hash", pa.large_string()),
        ("range", pa.large_string()),
        ("item", pa.large_string()),
        ("size", pa.int32()),
    ]
)

# Rows that DuckDB hands over at a time.
BATCH = 50_000

Item = dict[str, dict[str, Any]]  # in DynamoDB JSON: {"price": {"N": "2.55"}}


def rendered(tables: Iterable[pa.Table], keys: tuple[str, str]) -> pa.Table:
    """Return the rows of all `tables` as the items of one DynamoDB table, in RENDERED's columns.

    Each row is an item, each column an attribute: text S, integers and decimals N (plain, without
    trailing zeros), booleans BOOL, bytes B; a NULL leaves the attribute out; a column with the
    metadata JSON_VALUE holds values in DynamoDB JSON. `keys` are the text columns of the hash and
    the range key. Sorted by them as UTF-8. Raises TypeError for another type of column and
    ValueError for a key that is NULL, empty or there twice.
    """
    with duckdb.connect(config={"arrow_large_buffer_size": True}) as connection:
        return in_order((_lines(connection, table, keys) for table in tables), keys)


def rendered_items(items: Iterable[Item], keys: tuple[str, str]) -> pa.Table:
    """Return items that are in DynamoDB JSON already, in the columns and order of `rendered`."""
    columns: list[list[Any]] = [[], [], [], []]
    for item in items:
        columns[0].append(item[keys[0]]["S"])
        columns[1].append(item[keys[1]]["S"])
        # The keys come first, as in every other line: they are read without the rest.
        columns[2].append(line_of({key: item[key] for key in keys} | item))
        columns[3].append(size_of(item))
    return in_order([pa.table(columns, schema=RENDERED)], keys)


def in_order(tables: Iterable[pa.Table], keys: tuple[str, str]) -> pa.Table:
    """Return the rendered items of all `tables`, sorted by the UTF-8 of their keys.

    Raises ValueError for a key that is NULL, empty or there twice.
    """
    chunks: dict[str, list[pa.Array]] = {name: [] for name in RENDERED.names}
    for table in tables:
        for name in RENDERED.names:
            chunks[name].extend(table.column(name).chunks)
    # The lines are most of the memory. DuckDB's batches are freed as a whole: with the lines, which
    # come last, so that these are there twice and not thrice.
    small = {name: _joined(chunks.pop(name), name) for name in ("hash", "range", "size")}
    order = pc.sort_indices(
        pa.table([small["hash"], small["range"]], ["hash", "range"]),
        [("hash", "ascending"), ("range", "ascending")],
    )
    small = {name: column.take(order) for name, column in small.items()}
    lines = _joined(chunks.pop("item"), "item").take(order)
    columns = [small["hash"], small["range"], lines, small["size"]]
    found = pa.table(columns, schema=RENDERED)
    _refuse_bad_keys(found, keys)
    return found


def _joined(chunks: list[pa.Array], name: str) -> pa.Array:
    return pa.concat_arrays(chunks) if chunks else pa.array([], RENDERED.field(name).type)


def line_of(item: Item) -> str:
    """Return an item as one line of DynamoDB JSON."""
    return json.dumps(item, separators=(",", ":"), ensure_ascii=False)


def size_of(item: Item) -> int:
    """Return an item's size in bytes, from which the cost of reading it follows."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: dict[str, Any]) -> int:
    """Return what the emulator counts: names and texts in UTF-8, one byte for BOOL and NULL."""
    ((kind, content),) = value.items()
    if kind == "M":
        return sum(len(name.encode()) + _size(inner) for name, inner in content.items())
    if kind == "L":
        return sum(map(_size, content))
    if kind in ("SS", "NS", "BS"):
        return sum(len(text.encode()) for text in content)
    return 1 if kind in ("BOOL", "NULL") else len(content.encode())


def _size_of_text(text: str) -> int:
    return _size(json.loads(text))


def _lines(
    connection: duckdb.DuckDBPyConnection, table: pa.Table, keys: tuple[str, str]
) -> pa.Table:
    """Return RENDERED's columns for each row of `table`, in its order."""
    names = [*keys, *(name for name in table.column_names if name not in keys)]
    text, size = ["'{'"], ["0"]
    rows = table.select(names)
    for number, name in enumerate(names):
        field = table.schema.field(name)
        if _is_json(field):
            sizes = f"{name} size"
            rows = rows.append_column(sizes, _sizes(table.column(name)))
        opened, value, closed, length = _attribute(field, table.column(name))
        opened = f"{',' if number else ''}{json.dumps(name)}:{opened}"
        if table.column(name).null_count:
            whole = f"{literal(opened)} || {value} || {literal(closed)}"
            text.append(whole)
            size.append(f"coalesce({length} + {len(name.encode())}, 0)")
        else:
            text += [literal(opened), value, literal(closed)]
            size.append(f"{length} + {len(name.encode())}")
    connection.register("rows", rows)
    hash_key, range_key = map(quoted, keys)
    # concat leaves out the texts that are NULL.
    relation = connection.sql(
        f"""select {hash_key} as hash, {range_key} as range,
            concat({", ".join(text)}, '}}') as item, ({" + ".join(size)})::integer as size
        from rows"""
    )
    # A reader: a whole result would first be in DuckDB's memory, then in Arrow's.
    return relation.to_arrow_reader(BATCH).read_all().cast(RENDERED)


def _attribute(field: pa.Field, column: pa.ChunkedArray) -> tuple[str, str, str, str]:
    """Return the text before a value, SQL for the value, the text after it, and SQL of its size."""
    name, kind = quoted(field.name), field.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if _is_json(field):
        # A value may stand on several lines, an item may not; inside a text they are escaped.
        value = rf"translate({name}, e'\n\r', '  ')"
        return "", value, "", quoted(f"{field.name} size")
    if pa.types.is_boolean(kind):
        return '{"BOOL":', f"{name}::varchar", "}", f"case when {name} is not null then 1 end"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        if _is_plain(column):
            return '{"S":"', name, '"}', f"strlen({name})"
        return '{"S":', f"to_json({name})::varchar", "}", f"strlen({name})"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return '{"B":"', f"to_base64({name})", '"}', f"strlen(to_base64({name}))"
    number = f"{name}::varchar"
    if pa.types.is_decimal128(kind) and kind.scale > 0:
        number = f"rtrim(rtrim({number}, '0'), '.')"
    elif not (pa.types.is_integer(kind) or pa.types.is_decimal128(kind)):
        raise TypeError(f"column {field.name}: {kind} is no type of an attribute")
    return '{"N":"', number, '"}', f"strlen({number})"


def _is_json(field: pa.Field) -> bool:
    return (field.metadata or {}).items() >= JSON_VALUE.items()


def _sizes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the size of each value that is in DynamoDB JSON; equal texts are read once."""
    coded = column.combine_chunks().dictionary_encode()
    known = pa.array([_size_of_text(text) for text in coded.dictionary.to_pylist()], pa.int32())
    return pa.chunked_array([known.take(coded.indices)])


def _is_plain(column: pa.ChunkedArray) -> bool:
    """Return whether no text of the column needs an escape in JSON."""
    for chunk in column.chunks:
        texts = chunk.dictionary if isinstance(chunk, pa.DictionaryArray) else chunk
        data = texts.buffers()[2]
        if data is not None:
            found = np.frombuffer(data, np.uint8)
            # The buffer may hold more than this chunk: then a column is escaped for nothing.
            if bool(((found < 0x20) | (found == 0x22) | (found == 0x5C)).any()):
                return False
    return True


def _refuse_bad_keys(found: pa.Table, keys: tuple[str, str]) -> None:
    for name in ("hash", "range"):
        column = found.column(name)
        if column.null_count or pc.any(pc.equal(column, "")).as_py():
            raise ValueError(f"an item without {keys[0]} or {keys[1]}")
    if found.num_rows > 1:
        same = [
            pc.equal(found.column(name).slice(1), found.column(name).slice(0, found.num_rows - 1))
            for name in ("hash", "range")
        ]
        twice = pc.index(pc.and_(*same), value=True).as_py()
        if twice >= 0:
            first, second = (found.column(name)[twice].as_py() for name in ("hash", "range"))
            raise ValueError(f"two items with {keys[0]} {first!r} and {keys[1]} {second!r}")
