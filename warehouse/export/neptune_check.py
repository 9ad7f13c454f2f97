"""Check a folder of CSV files against the rules of Amazon Neptune's bulk loader, without Neptune.

It follows the documents of both formats, not the loader itself: what they leave open is accepted.
"""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np

from extractors.errors import AuditError, ConfigError
from warehouse.export.neptune import FORMS, TYPES, Form

SHOWN = 20  # problems; a file that is wrong in one place is mostly wrong in many
_FIELD = r'(?:"(?:[^"]|"")*"|[^",\r\n]*)'
_RECORD = re.compile(rf"{_FIELD}(?:,{_FIELD})*")
_FIELDS = re.compile(rf"(?:^|,)({_FIELD})")
_PROPERTY = re.compile(r"((?:[^\s,:\\]|\\.)+):(\w+)(\[\])?(\((?:single|set)\))?")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(slots=True)
class Checked:
    """What is in the folder: vertices and edges by label, and the first problems."""

    vertices: dict[str, int] = field(default_factory=dict)
    edges: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, file: Path, line: int, message: str) -> None:
        if len(self.problems) < SHOWN:
            self.problems.append(Problem(file.name, line, message))


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the header of a file says: the form, its kind, the columns by name, their types."""

    form: Form
    edges: bool
    columns: list[str]
    types: dict[int, tuple[str, bool]]

    def place(self, column: str) -> int:
        return self.columns.index(column) if column in self.columns else -1


class _Ids:
    """Ids seen so far, by a hash of 8 bytes, as millions of texts would not fit."""

    def __init__(self) -> None:
        self._hashes = array("Q")

    @staticmethod
    def hash_of(text: str) -> int:
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())

    def add(self, text: str) -> None:
        self._hashes.append(self.hash_of(text))

    def repeated(self) -> set[int]:
        """Return the hashes seen more than once: of one id, or (hardly ever) of two."""
        hashes = np.sort(np.frombuffer(self._hashes, np.uint64))
        return set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())


def check_folder(folder: Path) -> Checked:
    """Return what is in the folder, and what the loader would refuse."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; name that of an exported graph")
    files = sorted(path for path in folder.iterdir() if path.is_file())
    if not files:
        raise ConfigError(f"{folder}: no files here; name the folder of an exported graph")
    checked = Checked()
    layouts = {file: layout for file in files if (layout := _layout(file, checked))}
    forms = {layout.form.name for layout in layouts.values()}
    if len(forms) > 1:
        checked.add(files[0], 1, f"files of {' and '.join(sorted(forms))} are in one folder")
    vertices: set[str] = set()
    vertex_ids, edge_ids = _Ids(), _Ids()
    # Vertices first, so that the ends of edges are known.
    for file, layout in sorted(layouts.items(), key=lambda pair: (pair[1].edges, pair[0])):
        known = vertices if layout.edges else None
        for line, record in _rows(file, layout, checked):
            ids = edge_ids if layout.edges else vertex_ids
            _check_row(file, line, layout, record, known, checked)
            identity = record[layout.place(layout.form.id)]
            ids.add(identity)
            if not layout.edges:
                vertices.add(identity)
    for edges, ids in ((False, vertex_ids), (True, edge_ids)):
        _name_repeated(layouts, edges, ids.repeated(), checked)
    return checked


def require_valid(folder: Path) -> Checked:
    """Return what is in the folder; AuditError with the first problems where there are some."""
    checked = check_folder(folder)
    if checked.problems:
        lines = "".join(f"\n  {problem}" for problem in checked.problems)
        raise AuditError(f"{folder}: Neptune's loader would refuse this:{lines}")
    return checked


def _layout(file: Path, checked: Checked) -> _Layout | None:
    """Read the header of a file; None where nothing else can be checked."""
    header = next(_records(file, checked), None)
    if header is None:
        checked.add(file, 1, "no header")
        return None
    columns = header[1]
    for form in FORMS.values():
        if form.id in columns:
            break
    else:
        names = " or ".join(form.id for form in FORMS.values())
        checked.add(file, 1, f"no column {names}")
        return None
    layout = _Layout(form, form.start in columns or form.end in columns, columns, {})
    needed = form.needed(layout.edges) - set(columns)
    for name in sorted(needed):
        checked.add(file, 1, f"no column {name}")
    for name in sorted({name for name in columns if columns.count(name) > 1}):
        checked.add(file, 1, f"column {name} is there twice")
    _read_types(file, layout, checked)
    return None if needed else layout


def _read_types(file: Path, layout: _Layout, checked: Checked) -> None:
    """Fill in the types of the property columns."""
    system = layout.form.system(layout.edges)
    for place, name in enumerate(layout.columns):
        if name in system:
            continue
        known = _property(name, layout.edges)
        if known is None:
            checked.add(file, 1, f"column {name!r} is neither the format's nor property:type")
        else:
            layout.types[place] = known


def _property(name: str, edges: bool) -> tuple[str, bool] | None:
    """Return type and whether it is an array, None for a header that is no property's."""
    match = _PROPERTY.fullmatch(name)
    if match is None or match[2].lower() not in TYPES:
        return None
    if edges and (match[3] or match[4]):
        return None  # an edge's property has one value
    return match[2].lower(), bool(match[3])


def _rows(file: Path, layout: _Layout, checked: Checked) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that have as many fields as the header."""
    records = _records(file, checked)
    next(records, None)
    for line, record in records:
        if len(record) != len(layout.columns):
            message = f"{len(record)} fields where the header has {len(layout.columns)}"
            checked.add(file, line, message)
        else:
            yield line, record


def _check_row(
    file: Path,
    line: int,
    layout: _Layout,
    record: list[str],
    vertices: set[str] | None,
    checked: Checked,
) -> None:
    """Check a row, and count it by its label; `vertices` are known where it is an edge."""
    form = layout.form
    if not record[layout.place(form.id)]:
        checked.add(file, line, f"{form.id} is empty")
    for place, (type_, is_array) in layout.types.items():
        held = record[place]
        values = re.split(r"(?<!\\);", held) if is_array else [held]
        for value in values:
            if value and not TYPES[type_](value):
                checked.add(file, line, f"{layout.columns[place]}: {value[:60]!r} is no {type_}")
    of_label = layout.place(form.edge_label if layout.edges else form.label)
    label = record[of_label] if of_label >= 0 else form.default_label(layout.edges)
    if vertices is None:
        checked.vertices[label] = checked.vertices.get(label, 0) + 1
        return
    checked.edges[label] = checked.edges.get(label, 0) + 1
    if not label or ";" in label:
        checked.add(file, line, f"an edge has one label, not {label!r}")
    for name in (form.start, form.end):
        if record[layout.place(name)] not in vertices:
            end = record[layout.place(name)]
            checked.add(file, line, f"{name}: no vertex {end[:60]!r}")


def _name_repeated(
    layouts: dict[Path, _Layout], edges: bool, repeated: set[int], checked: Checked
) -> None:
    """Say which ids are there twice, by reading again the files that may hold some."""
    seen: set[str] = set()
    for file, layout in layouts.items() if repeated else ():
        if layout.edges != edges:
            continue
        for line, record in _rows(file, layout, Checked()):
            identity = record[layout.place(layout.form.id)]
            if _Ids.hash_of(identity) in repeated:
                if identity in seen:
                    checked.add(file, line, f"{layout.form.id} {identity[:60]!r} is there twice")
                seen.add(identity)


def _records(file: Path, checked: Checked) -> Iterator[tuple[int, list[str]]]:
    """Yield the records of a file with their first line; what is no RFC 4180 ends it."""
    pending, first = "", 0
    with file.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                checked.add(file, number, "not UTF-8")
                return
            if number == 1 and text.startswith("\ufeff"):
                checked.add(file, 1, "a byte order mark, which would be part of the first header")
                return
            first = first if pending else number
            pending += text
            if pending.count('"') % 2:
                continue  # a quoted field goes on in the next line
            record = pending.removesuffix("\n").removesuffix("\r")
            pending = ""
            if '"' not in record and "\r" not in record:
                yield first, record.split(",")
            elif _RECORD.fullmatch(record):
                yield first, [_unquoted(found) for found in _FIELDS.findall(record)]
            else:
                checked.add(file, first, "not RFC 4180: a quote or line break in an unquoted field")
                return
    if pending:
        checked.add(file, first, "not RFC 4180: a quoted field that never ends")


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text
