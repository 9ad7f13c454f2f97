"""`warehouse check`: can the coming run work, how will it read, and what will it cost?"""

from typing import TYPE_CHECKING

import click

from cli.shared import as_json, examples, print_json, print_table, settings_of, size_text

if TYPE_CHECKING:
    from cli.inspection import Findings, TableCheck
    from warehouse.config import Settings


@click.command(epilog=examples("warehouse check", "warehouse check --json"))
@as_json
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Check the configuration, and ask every source what a run would need.

    For each table: that it and its key exist and may be read, how it will be read, its size, and
    for DynamoDB the read units and time of a scan; columns that the dbt models use and a source
    lacks. Reads nothing else and changes nothing. Exits with 2 when the configuration is wrong, 3
    when a source is.
    """
    from warehouse import config

    settings = settings_of(ctx)
    config.require_available(settings)

    from cli.inspection import inspect

    now = settings.now()
    findings = inspect(settings)
    if as_json:
        print_json(
            {
                "path": settings.path,
                "home": settings.home,
                "now": now,
                "tables": findings.tables,
                "notes": findings.notes,
                "problems": findings.problems,
            }
        )
    else:
        _print_findings(settings, findings)
    if findings.problems:
        from cli.failures import report_problems

        ctx.exit(report_problems(findings.problems))


def _print_findings(settings: "Settings", findings: "Findings") -> None:
    click.echo(f"configuration  {settings.path}")
    click.echo(f"home           {settings.home}")
    if findings.tables:
        click.echo()
        print_table(
            ("table", "cell", "key", "rows, about", "size", "read", "cost"),
            [
                (
                    f"{table.source}.{table.table}",
                    table.cell,
                    ", ".join(table.key),
                    table.rows,
                    size_text(table.bytes),
                    table.reading,
                    _cost(table),
                )
                for table in findings.tables
            ],
        )
        click.echo()
        for line in dict.fromkeys(f"{t.source}: {t.reading}, {t.reason}" for t in findings.tables):
            click.echo(line)
    for note in findings.notes:
        click.echo(f"note: {note}")
    if not findings.problems:
        click.echo("no problems")


def _cost(table: "TableCheck") -> str | None:
    if table.read_units is None or table.seconds is None:
        return None
    return f"{table.read_units:,.0f} read units, {table.seconds:,.0f} s"
