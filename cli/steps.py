"""`warehouse extract` and `warehouse load`: the single steps of a run."""

from pathlib import Path

import click

from cli.shared import as_json, examples, print_json, settings_of


@click.command(
    epilog=examples("warehouse extract shop.orders", "warehouse extract activity.searches --json")
)
@click.argument("name", metavar="SOURCE.TABLE")
@as_json
@click.pass_context
def extract(ctx: click.Context, name: str, as_json: bool) -> None:
    """Read one table into a load package without loading it.

    The package is a folder in landing; the next command that opens the build database loads what
    has landed: a run, another extract, or `warehouse load`.
    """
    from cli.progress import reporter
    from warehouse import config

    settings = settings_of(ctx)
    config.require_available(settings)
    config.table_named(settings, name)

    from extractors.package import package_directory
    from orchestration import run

    with reporter() as tell:
        manifests = run.extract(settings, name, tell)
    folders = [package_directory(settings.landing, manifest) for manifest in manifests]
    if as_json:
        print_json(
            [
                {
                    "package": folder,
                    "load_id": manifest.load_id,
                    "source": manifest.source,
                    "cell": manifest.cell,
                    "table": manifest.table,
                    "entity": manifest.entity,
                    "mode": manifest.mode,
                    "rows": manifest.rows,
                    "quarantined": manifest.quarantined,
                    "bytes": manifest.bytes,
                    "complete_up_to": manifest.complete_up_to,
                }
                for folder, manifest in zip(folders, manifests, strict=True)
            ]
        )
        return
    for folder, manifest in zip(folders, manifests, strict=True):
        click.echo(
            f"{manifest.source}.{manifest.entity}: {manifest.rows:,} rows,"
            f" {manifest.quarantined:,} quarantined ({manifest.mode})"
        )
        click.echo(f"  {folder}")


@click.command(epilog=examples("warehouse load var/landing/shop/main/orders/0197…"))
@click.argument(
    "package", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="PACKAGE"
)
@as_json
@click.pass_context
def load(ctx: click.Context, package: Path, as_json: bool) -> None:
    """Load one package folder into raw; loading it again changes nothing."""
    from warehouse import config

    settings = settings_of(ctx)
    config.require_available(settings)

    from orchestration import run

    record = run.load(settings, package)
    if as_json:
        print_json(record)
        return
    click.echo(
        f"{record.source}.{record.entity}: {record.loaded_rows:,} rows loaded"
        f" ({record.inserted_rows:,} new, {record.updated_rows:,} changed,"
        f" {record.deleted_rows:,} deleted), {record.quarantined_rows:,} quarantined"
    )
