"""`warehouse prune`: remove what retention does not keep."""

import click

from cli.shared import as_json, examples, may_wait, print_json, print_table, settings_of, size_text


@click.command(epilog=examples("warehouse prune --dry-run", "warehouse prune --json"))
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and change nothing.")
@may_wait
@as_json
@click.pass_context
def prune(ctx: click.Context, dry_run: bool, wait: float, as_json: bool) -> None:
    """Merge old load packages, and remove what `retention` in the configuration does not keep.

    Removed are packages that were merged long enough ago, outdated history, refused packages,
    versions beyond `publication.keep` that nobody has open, logs, and what killed commands left
    behind. A run does it by itself once a day. Raw and marts stay as they are.
    """
    from warehouse import config

    settings = settings_of(ctx)
    config.require_available(settings)

    from cli.progress import reporter
    from orchestration import housekeeping
    from orchestration.opening import running
    from orchestration.options import Options

    with reporter() as tell:
        if dry_run:
            found = housekeeping.would_prune(settings, wait=wait, tell=tell)
        else:
            with running(settings, Options(wait=wait, interactive=True), tell) as pipeline:
                found = housekeeping.prune_now(pipeline)
    freed = sum(entry.freed for entry in found)
    if as_json:
        print_json({"dry_run": dry_run, "freed_bytes": freed, "items": found})
        return
    if found:
        print_table(
            ("kind", "what", "count", "size"),
            [(entry.kind, entry.name, entry.count, size_text(entry.bytes)) for entry in found],
        )
        click.echo()
    click.echo(f"{'would free' if dry_run else 'freed'} {size_text(freed)}")
