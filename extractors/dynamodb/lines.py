"""Read files of item lines in DuckDB, with a column for every attribute and type of a shape.

Left to itself DuckDB turns strings into dates, and given explicit columns it drops what they do
not name. So values stay text here, and what the columns found is compared with what the items have
(`measure.py`) before anything is made of it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from extractors.dynamodb.errors import UndecodableError
from extractors.naming import literal, quoted

_COLUMN_TYPES = {
    "S": "VARCHAR",
    "N": "VARCHAR",
    "B": "VARCHAR",
    "BOOL": "BOOLEAN",
    "NULL": "BOOLEAN",
    "SS": "VARCHAR[]",
    "NS": "VARCHAR[]",
    "BS": "VARCHAR[]",
    "L": "JSON",
    "M": "JSON",
}
TAGS = tuple(_COLUMN_TYPES)

Pair = tuple[str, str]


class Shape:
    """The (attribute, type tag) pairs of a scan and the SQL column `v<n>` of each one's values.

    From here on SQL holds no attribute name: what an attribute is called cannot change a statement.
    """

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self.pairs: tuple[Pair, ...] = tuple(sorted(pairs))
        unknown = sorted({tag for _, tag in self.pairs} - _COLUMN_TYPES.keys())
        if unknown:
            raise UndecodableError(
                f"DynamoDB type {', '.join(unknown)} is not known to this version; update it"
            )
        self._columns = {pair: f"v{number}" for number, pair in enumerate(self.pairs)}
        tags: dict[str, list[str]] = {}
        for attribute, tag in self.pairs:
            tags.setdefault(attribute, []).append(tag)
        self.tags = tags
        self._presence = {attribute: f"h{number}" for number, attribute in enumerate(tags)}
        self.aliases = _aliases(sorted(tags))

    def with_types(self, attributes: Iterable[str]) -> "Shape":
        """Return the shape with every type for some attributes."""
        return Shape({*self.pairs} | {(name, tag) for name in attributes for tag in TAGS})

    def column(self, attribute: str, tag: str) -> str | None:
        """Return the column of an attribute's values of one type, None where there are none."""
        return self._columns.get((attribute, tag))

    def present(self, attribute: str) -> str:
        """Return the condition that an item has the attribute, of known type or not."""
        return self._presence.get(attribute, "false")

    def explained(self, attribute: str) -> str:
        """Return the condition that an item has the attribute in one of its types here."""
        columns = (self._columns[attribute, tag] for tag in self.tags[attribute])
        return " or ".join(f"{column} is not null" for column in columns)

    def query(self, files: Sequence[Path]) -> str:
        """Return the SELECT of all values of some files, one row per item."""
        fields = {
            self.aliases.get(attribute, attribute): ", ".join(
                f"{quoted(tag)} {_COLUMN_TYPES[tag]}" for tag in tags
            )
            for attribute, tags in self.tags.items()
        }
        columns = ", ".join(
            f"{literal(name)}: {literal(f'STRUCT({types})')}" for name, types in fields.items()
        )
        values = ", ".join(
            f"struct_extract(item.{quoted(self.aliases.get(attribute, attribute))},"
            f" {literal(tag)}) as {column}"
            for (attribute, tag), column in self._columns.items()
        )
        present = ", ".join(
            f"item.{quoted(self.aliases.get(attribute, attribute))} is not null as {column}"
            for attribute, column in self._presence.items()
        )
        paths = ", ".join(literal(str(path)) for path in files)
        return (
            f"select {values}, {present} from read_json([{paths}], format = 'newline_delimited',"
            f" compression = 'uncompressed', columns = {{{columns}}}) as item"
        )


def _aliases(attributes: list[str]) -> dict[str, str]:
    """Return other names for attributes that differ from an earlier one only by letter case.

    DynamoDB tells `Price` from `price`, DuckDB does not.
    """
    used = {attribute.lower() for attribute in attributes}
    seen: set[str] = set()
    aliases: dict[str, str] = {}
    for attribute in attributes:
        folded = attribute.lower()
        if folded in seen:
            number = 2
            while f"{folded} {number}" in used:
                number += 1
            folded = aliases[attribute] = f"{folded} {number}"
            used.add(folded)
        seen.add(folded)
    return aliases


def told_apart(files: Sequence[Path], shape: Shape, directory: Path) -> list[Path]:
    """Return the files with attributes renamed as the shape wants it; most need none of it."""
    if not shape.aliases:
        return list(files)
    written: list[Path] = []
    for file in files:
        written.append(directory / file.name)
        with file.open("rb") as lines, written[-1].open("wb") as renamed:
            for line in lines:
                item: dict[str, Any] = orjson.loads(line)
                values = {shape.aliases.get(name, name): value for name, value in item.items()}
                renamed.write(orjson.dumps(values) + b"\n")
    return written
