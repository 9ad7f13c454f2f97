"""`warehouse metrics`: named measures, each defined once, told of a published version."""

import csv
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.shared import Day, as_json, examples, print_json, print_table, settings_of

if TYPE_CHECKING:
    from warehouse.config import Settings
    from warehouse.metrics.answers import Answer
    from warehouse.metrics.definitions import Definitions, Metric

# A table is for the eye; CSV and JSON hold every digit.
SHOWN = Decimal("1e-4")


@click.group(
    invoke_without_command=True,
    epilog=examples(
        "warehouse metrics                      # what there is, and what it can be grouped by",
        "warehouse metrics query roas --by channel",
    ),
)
@as_json
@click.pass_context
def metrics(ctx: click.Context, as_json: bool) -> None:
    """List the named measures: what each means, its unit, and what it can be grouped by.

    Revenue, ROAS, CAC or commission are defined once, in the dbt project; notebooks and reports
    that ask here agree.
    """
    if ctx.invoked_subcommand:
        return
    settings = settings_of(ctx)
    found = _definitions(settings).metrics.values()
    currency = settings.warehouse.reporting_currency
    if as_json:
        print_json([_described(metric, currency) for metric in found])
        return
    print_table(
        ("metric", "short", "unit", "what it is", "by"),
        [
            (
                *(metric.name, metric.short or "", _unit(metric, currency), metric.description),
                ", ".join([*metric.dimensions, metric.grain]),
            )
            for metric in found
        ],
    )


@metrics.command(
    epilog=examples(
        "warehouse metrics query spend roas --by month",
        "warehouse metrics query model_revenue --by attribution_model --by channel --format csv",
        "warehouse metrics query commission_accrued --by currency --from 2026-01-01",
        "warehouse metrics query orders --where channel=email,paid_search --by week --json",
    )
)
@click.argument("names", nargs=-1, required=True, metavar="METRIC...")
@click.option(
    "--by",
    multiple=True,
    metavar="DIMENSION",
    help="Group by it, or by day, week, month, quarter or year; repeat it for several.",
)
@click.option(
    "--where",
    multiple=True,
    metavar="DIMENSION=VALUE[,VALUE]",
    help="Only these rows, or with != all others; repeated, all must hold, also of one dimension.",
)
@click.option("--from", "first", type=Day(), metavar="YYYY-MM-DD", help="From this day on.")
@click.option(
    "--to", "last", type=Day(), metavar="YYYY-MM-DD", help="Up to this day, which counts."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to print the answer.",
)
@click.option("--version", metavar="VERSION", help="An earlier version than the current one.")
@click.option("--sql", "as_sql", is_flag=True, help="Print the SQL instead of the answer.")
@as_json
@click.pass_context
def query(
    ctx: click.Context,
    *,
    names: tuple[str, ...],
    by: tuple[str, ...],
    where: tuple[str, ...],
    first: date | None,
    last: date | None,
    form: str,
    version: str | None,
    as_sql: bool,
    as_json: bool,
) -> None:
    """Answer what METRICs were, by dimensions and time, from the published version.

    Sums are exact; of ratios money has 4 digits behind the point and the rest 12, rounded half away
    from zero (a table shows 4), empty where nothing is divided by.
    """
    import warehouse
    from warehouse.metrics import answers, questions

    settings = settings_of(ctx)
    # Before all that takes seconds to import: there may be nothing to ask.
    published = None if as_sql else warehouse.open(version, settings.path)
    definitions = _definitions(settings)
    groups = [name.strip() for one in by for name in one.split(",")]
    asked = questions.question(definitions, names, groups, where, first, last)

    from warehouse.metrics.engine import Engine

    engine = Engine(definitions)
    if published is None:
        for name, sql in answers.queries(engine, asked).items():
            click.echo(f"-- {name}\n{sql};")
        return
    with published:
        found = answers.answer(published, engine, asked)
    for note in found.notes:
        click.echo(note, err=True)
    if as_json or form == "json":
        _print_as_json(found, settings)
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([found.head, *(map(_plain, row) for row in found.rows)])
    else:
        print_table(found.head, _shown(found))


def _definitions(settings: "Settings") -> "Definitions":
    from warehouse.metrics import definitions

    return definitions.read(_manifest(settings))


def _manifest(settings: "Settings") -> Path:
    """Return the manifest of the project as it is now, parsed first where its files are new.

    The import of what parses takes seconds, so it comes only then.
    """
    from orchestration import project

    kept = project.manifest_file(settings)
    if kept.is_file():
        return kept
    from orchestration import dbt

    return dbt.manifest_path(settings)


def _unit(metric: "Metric", currency: str) -> str:
    if metric.unit == "reporting_currency":
        return currency
    return metric.unit.replace("_", " ")


def _described(metric: "Metric", currency: str) -> dict[str, Any]:
    return {
        "name": metric.name,
        "label": metric.label,
        "description": metric.description,
        "unit": _unit(metric, currency),
        "short": metric.short,
        "needs": metric.needs,
        "dimensions": list(metric.dimensions),
        "times": list(metric.grains()),
    }


def _print_as_json(found: "Answer", settings: "Settings") -> None:
    from warehouse.publish import versions

    currency, _ = versions.reporting_of(settings, found.version)
    print_json(
        {
            "version": found.version,
            "units": {metric.name: _unit(metric, currency) for metric in found.question.metrics},
            "rows": [dict(zip(found.head, row, strict=True)) for row in found.rows],
        }
    )


def _shown(found: "Answer") -> list[list[Any]]:
    """Return the rows as a table shows them."""
    ratios = [metric.unit == "ratio" for metric in found.question.metrics]
    groups = len(found.question.by)
    return [
        [
            *(_plain(value) for value in row[:groups]),
            *(
                value.quantize(SHOWN) if is_ratio and value is not None else value
                for value, is_ratio in zip(row[groups:], ratios, strict=True)
            ),
        ]
        for row in found.rows
    ]


def _plain(value: Any) -> str | None:
    """Return a value as text that a program reads."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
