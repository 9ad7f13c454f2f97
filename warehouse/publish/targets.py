"""The places that show a version to readers: each switches by itself, and may lag for a while."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """One place, and what can be asked of it."""

    name: str
    shown: Callable[[], str | None]
    """Return the version that readers see there."""
    has: Callable[[str], bool]
    """Return whether a version was prepared there and can be shown."""
    show: Callable[[str], None]
    """Make readers that come from now on see a version, in one step."""


def switch(targets: Iterable[Target], version: str) -> None:
    """Let each target show `version` that has it and shows another."""
    for target in targets:
        if target.shown() != version and target.has(version):
            target.show(version)


def states(targets: Iterable[Target], wanted: str | None) -> list[dict[str, Any]]:
    """Return {name, version, lags} of each target; one lags that does not show `wanted`."""
    return [
        {"name": target.name, "version": shown, "lags": shown != wanted}
        for target in targets
        for shown in [target.shown()]
    ]
