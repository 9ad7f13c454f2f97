"""The product with one of its safeguards taken out: the crash matrix must notice each."""

import contextlib
import importlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_REAL_FSYNC = os.fsync
_LEFT_OUT = threading.local()


def _without_fsync(module: str, name: str, *, of_folders: bool) -> None:
    """Leave out the fsyncs of files, or those of folders, that a function makes."""
    place = importlib.import_module(module)
    original = getattr(place, name)

    def replaced(*args: Any, **kwargs: Any) -> Any:
        _LEFT_OUT.folders = of_folders
        try:
            return original(*args, **kwargs)
        finally:
            del _LEFT_OUT.folders

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        if getattr(_LEFT_OUT, "folders", None) is not is_folder:
            _REAL_FSYNC(descriptor)

    os.fsync = fsync
    setattr(place, name, replaced)


def _without_transaction() -> None:
    """Commit each statement by itself."""
    from warehouse.engines import duckdb_engine

    @contextlib.contextmanager
    def nothing(_connection: Any) -> Iterator[None]:
        yield

    duckdb_engine.transaction = nothing


def _with_pointer_in_place() -> None:
    """Take the pointer away before the new one is there."""
    from warehouse.publish import versions

    def switch(published: Path, version: str) -> None:
        pointer = published / versions.POINTER
        pointer.unlink(missing_ok=True)
        pointer.symlink_to(versions.version_path(published, version).name)

    versions.switch = switch


def _with_state_first() -> None:
    """Write a record to state while the transaction that it describes is open."""
    from warehouse.load import outbox
    from warehouse.state import segments

    def add(_connection: Any, kind: str, record_id: str, **body: Any) -> None:
        state = Path.cwd() / "var" / "state"
        segments.append(state, [{"kind": kind, "id": record_id, **body}])

    outbox.add = add


PACKAGE, PUBLICATION = "extractors.package", "warehouse.publish.publication"
# what is taken out: how, and a cell that must fail
BROKEN: dict[str, tuple[Callable[[], None], tuple[str, str]]] = {
    "fsync of a part": (
        lambda: _without_fsync(PACKAGE, "_sealed", of_folders=False),
        ("manifest renamed", "power cut"),
    ),
    "fsync of a manifest, segment or status": (
        lambda: _without_fsync(PACKAGE, "write_atomically", of_folders=False),
        ("manifest renamed", "power cut"),
    ),
    "fsync of their folder": (
        lambda: _without_fsync(PACKAGE, "write_atomically", of_folders=True),
        ("committed", "power cut"),
    ),
    "fsync of the folder of versions": (
        lambda: _without_fsync(PUBLICATION, "_make_durable", of_folders=True),
        ("state segment renamed", "power cut"),
    ),
    "transaction of a load": (_without_transaction, ("rows in", "kill")),
    "rename of the pointer": (_with_pointer_in_place, ("pointer begun", "kill")),
    "outbox": (_with_state_first, ("certificate queued", "kill")),
}
