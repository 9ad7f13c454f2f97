"""Say which dbt project a warehouse uses, and whether its parsed form is that of its files now.

Apart from what calls dbt, whose imports take seconds that a quick command does not have.
"""

import hashlib
from functools import cache
from pathlib import Path

from extractors.errors import ConfigError
from warehouse.config import Settings

SHIPPED = Path(__file__).resolve().parents[1] / "dbt_project"


def project(settings: Settings) -> Path:
    """Return the folder of the dbt project: the configured one, else the one that is shipped."""
    folder = settings.warehouse.dbt_project
    if folder is None:
        return SHIPPED
    if not (folder / "dbt_project.yml").is_file():
        raise ConfigError(
            f"{settings.path.name}: warehouse.dbt_project: {folder} holds no dbt_project.yml; name"
            " the folder of a dbt project, or leave the key out to use the models that are shipped"
        )
    return folder


@cache
def models_fingerprint(project: Path) -> str:
    """Return a hash of a dbt project's files."""
    return fingerprint(project, {".sql", ".yml", ".yaml", ".csv", ".py"})


def fingerprint(folder: Path, suffixes: set[str]) -> str:
    """Return a hash of the files in a folder that end so; what dbt writes there is left out."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if relative.parts[0] in {"target", "logs"} or path.suffix not in suffixes:
            continue
        digest.update(f"{relative}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def manifest_file(settings: Settings) -> Path:
    """Return where the manifest of the project as it is now belongs, parsed yet or not."""
    return settings.home / "dbt" / f"manifest-{models_fingerprint(project(settings))[:16]}.json"
