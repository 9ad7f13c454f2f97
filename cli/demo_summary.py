"""What `make demo` ends with: the rows of each source table, what vouches for them, the marts."""

import click

from cli.shared import print_table, time_text

NEXT = """
The version is the file var/published/{version}.duckdb. Where to go from here:
  make dev                       the Dagster UI on http://127.0.0.1:3000
  make notebooks                 notebooks on the marts, in JupyterLab
  make docs                      every table and column, and where it comes from
  .venv/bin/warehouse sql        a SQL prompt on the marts
  .venv/bin/warehouse report     pages for managers; metrics: named figures; serve: for BI tools
  .venv/bin/warehouse demo advance, then run: a day passes in the shop
  docs/tutorial/first-hour.md    what to try next"""


def summary() -> None:
    """Print what the newest run read, certified and published."""
    from warehouse import config
    from warehouse.publish import status, versions

    settings = config.load(None)
    tables = status.status(settings)["tables"]
    click.echo("\nSource tables")
    print_table(
        ("table", "rows", "certificate", "complete up to"),
        [
            (
                f"{table['source']}.{table['entity']}",
                table["rows"],
                _certificate(table["certificate"]),
                time_text(table["complete_up_to"]),
            )
            for table in tables
        ],
    )
    current = next(entry for entry in versions.versions(settings) if entry.is_current)
    click.echo(f"\nMarts of version {current.version}, as of {time_text(current.as_of)}")
    print_table(
        ("mart", "rows"),
        [(f"{table.schema}.{table.table}", table.rows) for table in current.tables],
    )
    click.echo(NEXT.format(version=current.version))


def _certificate(certificate: dict[str, str] | None) -> str:
    return f"{certificate['kind']}, {certificate['status']}" if certificate else "none"


if __name__ == "__main__":
    summary()
