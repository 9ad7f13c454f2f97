"""`warehouse backup` and `warehouse restore`: what a warehouse keeps, on another disk and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.shared import as_json, examples, may_wait, print_json, print_table, settings_of, time_text
from extractors.errors import AuditError, ConfigError

if TYPE_CHECKING:
    from warehouse.backup.store import Backup
    from warehouse.config import Settings

NOT_INSIDE = (
    "not in a backup: .env and other secrets, your dbt project, the history of runs in the UI"
)


class Folder(click.Path):
    """A local folder; other addresses are refused in words."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if "://" in str(value):
            self.fail(
                f"{value}: this version backs up to a local folder; mount it there", param, ctx
            )
        return super().convert(value, param, ctx)


@click.command(
    epilog=examples(
        "warehouse backup /mnt/backups/shop",
        "warehouse backup /mnt/backups/shop --keep 14",
        "warehouse backup /mnt/backups/shop --list",
        "warehouse backup /mnt/backups/shop --verify",
    )
)
@click.argument("directory", type=Folder())
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="Afterwards remove all but the newest N backups, and the files only they had.",
)
@may_wait
@click.option("--list", "only_list", is_flag=True, help="Show the backups instead.")
@click.option(
    "--verify", "only_verify", is_flag=True, help="Read every file again instead, and check it."
)
@as_json
@click.pass_context
def backup(
    ctx: click.Context,
    *,
    directory: Path,
    keep: int | None,
    wait: float,
    only_list: bool,
    only_verify: bool,
    as_json: bool,
) -> None:
    """Copy what the warehouse keeps to DIRECTORY: build database, state, versions, landing.

    It is of one moment, between two runs; readers go on. A file that the last backup holds is not
    copied again, and a backup that is killed leaves the earlier ones whole. Every file has its
    sha256. Secrets are not in it: keep .env elsewhere.
    """
    if only_list and only_verify:
        raise click.UsageError("--list and --verify are two commands", ctx)
    if only_list:
        _list(directory, as_json)
    elif only_verify:
        _verify(directory, as_json)
    else:
        _take(settings_of(ctx), directory, keep, wait, as_json)


def _take(
    settings: "Settings", directory: Path, keep: int | None, wait: float, as_json: bool
) -> None:
    from warehouse.backup.take import take

    taken = take(
        settings,
        directory,
        keep=keep,
        wait=wait,
        waiting=lambda text: click.echo(text, err=True),
    )
    if as_json:
        print_json(
            {
                **_described(taken.backup),
                "copied_files": taken.copied_files,
                "copied_bytes": taken.copied_bytes,
                "holds_configuration": taken.holds_configuration,
                "removed": taken.removed,
            }
        )
        return
    click.echo(
        f"{taken.backup.id}: {_contents(taken.backup)}; copied {taken.copied_files:,} files,"
        f" {taken.copied_bytes:,} bytes"
    )
    for removed in taken.removed:
        click.echo(f"  removed {removed}")
    if not taken.holds_configuration:
        click.echo(f"  {settings.path.name} has a secret written in it and is not in the backup")
    click.echo(f"  {NOT_INSIDE}")


def _described(found: "Backup") -> dict[str, Any]:
    return {
        "backup": found.id,
        "taken_at": found.taken_at,
        "product": found.product,
        **found.facts,
        "files": len(found.entries),
        "bytes": found.bytes,
    }


def _contents(found: "Backup") -> str:
    versions = found.facts["versions"]
    shown = f"{len(versions)} versions, newest {versions[-1]}" if versions else "no version yet"
    return f"{shown}, {len(found.entries):,} files, {found.bytes:,} bytes"


def _list(directory: Path, as_json: bool) -> None:
    from warehouse.backup import store

    found = [store.read(directory, identity) for identity in store.ids(directory)]
    if as_json:
        print_json([_described(entry) for entry in found])
    elif found:
        print_table(
            ("backup", "taken at", "newest version", "as of", "files", "bytes"),
            [
                (
                    entry.id,
                    time_text(entry.taken_at),
                    entry.facts["newest"],
                    time_text(entry.facts["as_of"]),
                    len(entry.entries),
                    entry.bytes,
                )
                for entry in reversed(found)
            ],
        )
    if not found:
        raise ConfigError(f"{directory}: no backups there")


def _verify(directory: Path, as_json: bool) -> None:
    from warehouse.backup import store

    names = store.ids(directory)
    if not names:
        raise ConfigError(f"{directory}: no backups there")
    with store.shared(directory):
        faults = store.verify(directory, names)
    if as_json:
        print_json({"backups": names, "faults": faults})
    else:
        for fault in faults:
            click.echo(f"{fault.backup}: {fault.path} is {fault.problem} ({fault.object})")
    if faults:
        hurt = sorted({fault.backup for fault in faults})
        raise AuditError(
            f"{directory}: {', '.join(hurt)} cannot be restored whole; delete the damaged objects"
            " and back up again: what the warehouse still has is copied anew"
        )
    if not as_json:
        click.echo(f"{', '.join(names)}: whole")


@click.command(
    epilog=examples(
        "warehouse restore /mnt/backups/shop",
        "warehouse restore /mnt/backups/shop --backup b000007",
    )
)
@click.argument("directory", type=Folder())
@click.option("--backup", "identity", metavar="ID", help="An earlier backup than the newest.")
@as_json
@click.pass_context
def restore(ctx: click.Context, directory: Path, identity: str | None, as_json: bool) -> None:
    """Bring a backup back where no warehouse is, and let the next run go on from there.

    Every file is checked before any can be seen. Where there is no warehouse.yml, that of the
    backup is written first; its secrets must be in the environment or in .env.
    """
    written = _write_configuration(ctx.find_root().obj, directory, identity)
    if written:
        click.echo(f"{written} written from the backup", err=True)
    settings = settings_of(ctx)

    from warehouse.backup import restore as restoring

    restored = restoring.restore(settings, directory, identity)
    if as_json:
        print_json({**_described(restored), "home": settings.home})
        return
    click.echo(f"restored {restored.id} of {time_text(restored.taken_at)}: {_contents(restored)}")
    click.echo(f"  {NOT_INSIDE}")
    click.echo("  `warehouse run` goes on from there")


def _write_configuration(named: Path | None, directory: Path, identity: str | None) -> Path | None:
    """Write the backup's configuration where the command looks for one and finds none."""
    from extractors.package import write_atomically
    from warehouse import config
    from warehouse.backup import restore as restoring

    path = config.place(named)
    if path.is_file():
        return None
    text = restoring.configuration(directory, identity).decode()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text)
    return path
