"""The places that show a version to readers: each switches by itself, and may lag for a while."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractors.errors import WarehouseError
from extractors.package import write_atomically

FOLDER = "targets"
"""The folder of the home that holds what is known of targets elsewhere."""


@dataclass(frozen=True, slots=True)
class Target:
    """One place, and what can be asked of it. Each raises a WarehouseError where it cannot."""

    name: str
    shown: Callable[[], str | None]
    """Return the version that readers see there."""
    has: Callable[[str], bool]
    """Return whether a version was prepared there and can be shown."""
    prepare: Callable[[Mapping[str, Any]], bool]
    """Bring the version of a publication record there, unseen, and return whether it is there."""
    show: Callable[[str], None]
    """Make readers that come from now on see a version, in one step."""
    collect: Callable[[], None]
    """Remove what no version that is kept needs."""


@dataclass(frozen=True, slots=True)
class Problems:
    """What last kept each target from going along, in files of one folder, for `status` to tell."""

    folder: Path

    def of(self, target: Target) -> str | None:
        """Return the problem of a target, None where it has none."""
        try:
            return self._file(target).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def noted(self, target: Target) -> Iterator[None]:
        """Note why a target cannot do what this block asks; the others do not wait for it."""
        try:
            yield
        except WarehouseError as error:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file(target), f"{error}\n")

    def forget(self, target: Target) -> None:
        """Note that a target goes along again."""
        self._file(target).unlink(missing_ok=True)

    def _file(self, target: Target) -> Path:
        return self.folder / f"{target.name}.problem"


def prepare(targets: Iterable[Target], record: Mapping[str, Any], problems: Problems) -> list[str]:
    """Bring a version to each target, and return the names of those that have it now."""
    prepared: list[str] = []
    for target in targets:
        with problems.noted(target):
            if target.prepare(record):
                prepared.append(target.name)
    return prepared


def catch_up(targets: Iterable[Target], record: Mapping[str, Any], problems: Problems) -> None:
    """Bring a version to each target that does not have it."""
    version = str(record["version"])
    for target in targets:
        with problems.noted(target):
            if not target.has(version):
                target.prepare(record)


def switch(targets: Iterable[Target], version: str, problems: Problems) -> None:
    """Let each target show `version` that has it and shows another."""
    for target in targets:
        with problems.noted(target):
            if target.shown() != version:
                if not target.has(version):
                    continue
                target.show(version)
            problems.forget(target)


def collect(targets: Iterable[Target], problems: Problems) -> None:
    """Let each target remove what is needed no more."""
    for target in targets:
        with problems.noted(target):
            target.collect()


def states(
    targets: Iterable[Target], wanted: str | None, problems: Problems
) -> list[dict[str, Any]]:
    """Return {name, version, lags, problem} of each target; one lags that does not show `wanted`.

    `problem` says why, where that is known.
    """
    found: list[dict[str, Any]] = []
    for target in targets:
        try:
            shown, problem = target.shown(), problems.of(target)
        except WarehouseError as error:
            shown, problem = None, str(error)
        found.append(
            {"name": target.name, "version": shown, "lags": shown != wanted, "problem": problem}
        )
    return found
