"""Who may read which part of the published version in PostgreSQL."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from warehouse.config.sources import Source
from warehouse.config.values import Misfit, Name, Section

_REFUSED = {
    "reader": "bi_reader is the role that reads everything; choose another name",
    "pg": "schemas that begin with pg_ are PostgreSQL's own; choose another name",
}


def _reader_name(value: str) -> str:
    # Of its schemas the longest name is then 20 + len("_recommendation__old_") + 19 digits, of
    # PostgreSQL's 63 bytes.
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,19}", value):
        raise ValueError("a name is 1 to 20 small letters, digits and _, beginning with a letter")
    if value.startswith("pg_") or value in _REFUSED:
        raise ValueError(_REFUSED[value.partition("_")[0]])
    if re.match(r"v\d+(_|$)", value):
        raise ValueError("its schemas would be named like those of a version; choose another name")
    return value


ReaderName = Annotated[str, AfterValidator(_reader_name)]


class ReaderSection(Section):
    """A role of PostgreSQL that reads a part of the published version."""

    schemas: list[Literal["core", "campaign", "affiliate", "recommendation", "meta"]] = Field(
        min_length=1
    )
    """What it reads. `meta.publication`, which version it is, every reader may read."""
    cells: list[Name] | None = Field(default=None, min_length=1)
    """Only the rows of these cells, in schemas of its own: `uk_core` for the reader `uk`. Tables
    without a column `cell` are not there. All cells when absent."""


def reader_misfits(
    readers: Mapping[str, ReaderSection], sources: Mapping[str, Source]
) -> Iterator[Misfit]:
    """Yield the cells that no source has."""
    cells = sorted({cell for source in sources.values() for cell in source.cell_names})
    for name, reader in readers.items():
        for number, cell in enumerate(reader.cells or ()):
            if cell not in cells:
                yield (
                    ("publication", "readers", name, "cells", number),
                    f"no source has a cell {cell}; there are {', '.join(cells)}",
                )
