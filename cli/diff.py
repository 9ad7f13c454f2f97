"""`warehouse diff`: rows and money that differ between two versions."""

from typing import TYPE_CHECKING

import click

from cli.shared import as_json, examples, print_json, print_table, settings_of

if TYPE_CHECKING:
    from warehouse.engines.differences import Row, TableDiff
    from warehouse.publish.diff import MartDiff


@click.command(
    epilog=examples(
        "warehouse diff v000001 v000002",
        "warehouse diff v000001 v000002 core.orders --rows 20",
        "warehouse diff v000001 v000002 --json",
    )
)
@click.argument("a")
@click.argument("b")
@click.argument("mart", required=False)
@click.option(
    "--rows",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Also show up to N of the rows that differ of each mart, by key.",
)
@as_json
@click.pass_context
def diff(ctx: click.Context, a: str, b: str, mart: str | None, rows: int, as_json: bool) -> None:
    """Show what differs between the versions A and B: rows by key, and each amount in total.

    Added are rows that only B has, removed those that only A has. A change of an amount is the sum
    of what came with added rows, went with removed ones and changed in others. Amounts are all
    DECIMAL columns, and the whole numbers outside the key. MART is one mart, such as core.orders.
    """
    settings = settings_of(ctx)

    from warehouse.publish.diff import diff as compare

    found = compare(settings, a, b, mart, rows)
    if as_json:
        print_json({"a": a, "b": b, "marts": found})
        return
    print_table(
        ("mart", f"rows in {a}", f"rows in {b}", "added", "removed", "changed", ""),
        [_line(entry, a, b) for entry in found],
    )
    for entry in found:
        if entry.difference:
            _print_difference(entry.mart, entry.difference, a, b)


def _line(entry: "MartDiff", a: str, b: str) -> tuple[object, ...]:
    difference = entry.difference
    counts = (difference.added, difference.removed, difference.changed) if difference else (0, 0, 0)
    if entry.status == "only_in_a":
        return (entry.mart, entry.rows_a, 0, 0, entry.rows_a, 0, f"only in {a}")
    if entry.status == "only_in_b":
        return (entry.mart, 0, entry.rows_b, entry.rows_b, 0, 0, f"only in {b}")
    note = "identical" if entry.status == "identical" else ""
    return (entry.mart, entry.rows_a, entry.rows_b, *counts, note)


def _print_difference(mart: str, difference: "TableDiff", a: str, b: str) -> None:
    by = ", ".join(difference.key)
    click.echo(f"\n{mart}, {f'by {by}' if by else 'whole rows: no key tells them apart'}")
    columns = difference.columns
    for names, version in ((columns.only_in_a, a), (columns.only_in_b, b)):
        if names:
            click.echo(f"columns only in {version}: {', '.join(names)}")
    for column in columns.retyped:
        click.echo(f"column {column.column}: {column.a} in {a}, {column.b} in {b}")
    if difference.changed_columns:
        counted = (f"{name} {rows:,}" for name, rows in difference.changed_columns.items())
        click.echo(f"changed rows, per column: {', '.join(counted)}")
    moved = [
        (each.column, each.a, each.b, each.change, *parts)
        for each in difference.amounts
        if any(parts := (each.by_added, each.by_removed, each.by_changed))
    ]
    if moved:
        print_table(
            ("amount", f"total in {a}", f"total in {b}", "change", "added", "removed", "changed"),
            moved,
        )
    if difference.rows:
        print_table(
            ("row", "key", "column", f"in {a}", f"in {b}"),
            [line for row in difference.rows for line in _cells(row)],
        )


def _cells(row: "Row") -> list[tuple[str | None, ...]]:
    key = ", ".join(f"{name}={value}" for name, value in row.key.items())
    return [(row.change, key, column, cell.old, cell.new) for column, cell in row.values.items()]
