"""Write customers, products and what is between them as a graph that Amazon Neptune loads."""

import io
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from extractors.errors import ConfigError
from extractors.package import fsync_directory
from warehouse.config import Settings
from warehouse.export import files, lists, neptune, neptune_check
from warehouse.export.lists import Source
from warehouse.export.neptune import Form

_ROWS = 20_000  # read at once


@dataclass(frozen=True, slots=True)
class ExportedGraph:
    """What was written, by label."""

    version: str
    as_of: datetime
    format: str
    folder: Path
    files: int
    bytes: int
    vertices: dict[str, int]
    edges: dict[str, int]


def export(
    settings: Settings, to: Path, form: str, largest: int, version: str | None = None
) -> ExportedGraph:
    """Write the graph into the folder `to`, in files of at most about `largest` bytes.

    The folder is there whole, and checked against the loader's rules, or as it was before: a
    folder that something else wrote to is refused.
    """
    _require_ours(to)
    source = lists.opened(settings, version)
    with source.published:
        lists.require(source, *neptune.TABLES)
        with _aside(to) as folder:
            for name, header, rows in _files(source, neptune.FORMS[form]):
                _write(folder, name, header, rows, largest)
            checked = neptune_check.require_valid(folder)
            sizes = [path.stat().st_size for path in folder.iterdir()]
    return ExportedGraph(
        source.version,
        source.as_of,
        form,
        to,
        len(sizes),
        sum(sizes),
        checked.vertices,
        checked.edges,
    )


def _files(source: Source, form: Form) -> Iterator[tuple[str, list[str], Iterator[list[str]]]]:
    """Yield the name, header and rows of each kind of vertices and edges."""
    for vertices in neptune.VERTICES:
        rows = (
            [vertex_id(vertices.label, row[0]), vertices.label, *map(text_of, row[1:])]
            for row in _found(source, vertices.query)
        )
        yield f"vertices-{vertices.label}", form.vertex_header(vertices), rows
    for edges in neptune.EDGES:
        start, end = edges.ends
        rows = (
            [
                edge_id(edges.label, row[0], row[1]),
                vertex_id(start, row[0]),
                vertex_id(end, row[1]),
                edges.label,
                *map(text_of, row[2:]),
            ]
            for row in _found(source, edges.query)
        )
        yield f"edges-{edges.label}", form.edge_header(edges), rows


def _found(source: Source, query: str) -> Iterator[tuple[Any, ...]]:
    cursor = source.published.cursor()
    try:
        cursor.execute(query)
        while found := cursor.fetchmany(_ROWS):
            yield from found
    finally:
        cursor.close()


def vertex_id(label: str, key: str) -> str:
    """Return the id of a vertex: a customer and a product may have the same id in the shop."""
    return f"{label}:{key}"


def edge_id(label: str, start: str, end: str) -> str:
    """Return the id of an edge, which no other pair of ends shares."""
    return ":".join([label, *(key.replace("%", "%25").replace(":", "%3A") for key in (start, end))])


def text_of(value: Any) -> str:
    """Return a property as the loader reads it; nothing for NULL, whose property is then absent."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _write(
    folder: Path, name: str, header: Sequence[str], rows: Iterable[Sequence[str]], largest: int
) -> None:
    """Write rows to numbered files of a name, each with the header; none where there is no row."""
    number, room = 0, 0
    head = files.csv_line(header).encode()
    file = None
    try:
        for row in rows:
            line = files.csv_line(row).encode()
            if file is None or room < len(line):
                if file is not None:
                    _close(file)
                number += 1
                file = (folder / f"{name}-{number:05d}.csv").open("wb")
                file.write(head)
                room = largest - len(head)
            file.write(line)
            room -= len(line)
    finally:
        if file is not None:
            _close(file)


def _close(file: io.BufferedWriter) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()


def _require_ours(to: Path) -> None:
    """Refuse a place where the folder cannot be, or holds what no export of a graph wrote."""
    if not to.absolute().parent.is_dir():
        raise ConfigError(f"{to}: there is no folder {to.parent}; make it, or write elsewhere")
    if to.exists() and not to.is_dir():
        raise ConfigError(f"{to}: is a file; name a folder")
    foreign = [
        path.name
        for path in (to.iterdir() if to.exists() else ())
        if not path.name.startswith(("vertices-", "edges-")) or path.suffix != ".csv"
    ]
    if foreign:
        raise ConfigError(
            f"{to}: holds {min(foreign)}, which is no part of a graph and Neptune would load"
            " too; name a folder of its own"
        )


@contextmanager
def _aside(to: Path) -> Iterator[Path]:
    """Give a folder that takes the place of `to` when the block ends without an error."""
    to = to.absolute()
    folder = to.with_name(f".{to.name}.{os.getpid()}.tmp")
    before = to.with_name(f".{to.name}.{os.getpid()}.old")
    try:
        try:
            folder.mkdir()
            yield folder
            fsync_directory(folder)
            if to.exists():
                to.rename(before)
            folder.rename(to)
            fsync_directory(to.parent)
        except OSError as error:
            raise ConfigError(f"{to}: {error.strerror}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)
