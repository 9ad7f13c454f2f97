"""Say what the warehouse takes of the disk, and what is free."""

import shutil
from pathlib import Path

from warehouse.config import Settings
from warehouse.retention import files


def usage(settings: Settings) -> dict[str, int]:
    """Return bytes by what they are for, in all, and free on the file system of the home.

    `rejected` packages are counted apart from `landing`; `other` is dbt's and Dagster's work files.
    """
    rejected = sum(map(files.size, files.rejected(settings.landing)))
    database = settings.build_database
    parts = {
        "landing": files.size(settings.landing) - rejected,
        "rejected": rejected,
        "build": sum(map(files.size, database.parent.glob(f"{database.name}*"))),
        "state": files.size(settings.state_directory),
        "published": files.size(settings.published_directory),
        "logs": files.size(settings.logs_directory),
    }
    known = {settings.landing, settings.state_directory, settings.published_directory}
    known |= {settings.logs_directory, *database.parent.glob(f"{database.name}*")}
    other = sum(files.size(p) for p in settings.home.glob("*") if p not in known)
    if settings.home in settings.landing.parents[1:]:
        other -= parts["landing"] + rejected  # it lies deeper in one of them
    total = sum(parts.values()) + other
    return {**parts, "other": other, "total": total, "free": _free(settings.home)}


def _free(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
