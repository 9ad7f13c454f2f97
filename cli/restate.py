"""`warehouse restate`: change what attribution gave in months that are final."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import click

from cli.shared import examples, may_wait, settings_of, time_text


class Month(click.ParamType):
    """A calendar month; its first day stands for it."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, "%Y-%m").replace(tzinfo=UTC).date()
        except ValueError:
            self.fail(f"{value!r} is not a month such as 2011-09", param, ctx)


@click.command(
    epilog=examples(
        "warehouse restate --period 2011-08 --reason 'the partner sent its clicks again'",
        "warehouse restate --period 2011-07 --period 2011-08 --reason 'lookback of 60 days'",
        "warehouse sql 'select * from campaign.restatements order by restated_at'",
    )
)
@click.option(
    "--period",
    "periods",
    type=Month(),
    multiple=True,
    required=True,
    metavar="YYYY-MM",
    help="A month of orders that is final; may be repeated.",
)
@click.option(
    "--reason",
    required=True,
    metavar="TEXT",
    help="Why, for those who read the figures: it stands beside each that changes.",
)
@may_wait
@click.pass_context
def restate(ctx: click.Context, *, periods: Sequence[date], reason: str, wait: float) -> None:
    """Fit final months of attribution anew, with the present data and settings, and publish.

    Data-driven weights become final 7 days after their month, and no run changes them. This does,
    for the months that are named and no other; nothing is extracted. The earlier weights stay in
    the state, and `campaign.restatements` tells old and new figures of each campaign.
    """
    if not reason.strip():
        raise click.UsageError("--reason is empty: say why, for those who read the figures", ctx)
    settings = settings_of(ctx)

    from warehouse import config

    config.require_available(settings)

    from cli.progress import reporter
    from orchestration import run as orchestrated
    from warehouse.publish import final_figures

    with reporter() as tell:
        result = orchestrated.restate(
            settings, frozenset(periods), reason.strip(), wait=wait, tell=tell
        )
    changed = final_figures.changed_by(settings.state_directory, result.run_id)
    shown = f"; readers keep {result.held}, held" if result.held else ""
    click.echo(f"published {result.version} as of {time_text(result.as_of)}{shown}")
    for period in sorted(set(periods)):
        count = changed.get(str(period), 0)
        figures = (
            f"{count:,} figures changed, see campaign.restatements" if count else "same figures"
        )
        click.echo(f"restated {period:%Y-%m}: {figures}")
