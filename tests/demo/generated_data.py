"""Write docs/explanation/generated-data.md and its plots: `make docs-generated`. No servers."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure as Drawing

from demo.parameters import Parameters
from tests.demo.generated_figures import (
    BROWSING_HOURS,
    OLD_SCALE,
    ORDER_HOURS,
    SCALE,
    clicks,
    figures,
    hours,
    lags,
    popularity,
    shop,
)

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "generated-data.md"
PLOTS = PAGE.parent / "images" / "generated-data.svg"


def page() -> str:
    """Return the page as it should be."""
    rows = "\n".join(
        f"| {figure.name} | {figure.text(figure.wanted)} | {figure.text(figure.found)} |"
        for figure in figures()
    )
    _, found, _ = shop()
    items = sum(table.num_rows for table in found.items.values())
    causes = "\n".join(
        f"| {row['channel']} | {row['campaign_id']} | {row['exposures']:,} |"
        f" {row['caused_orders']:,} | {100 * row['effect']:.1f} % |"
        for row in sorted(
            found.truth["effects"].to_pylist(), key=lambda row: (row["channel"], row["campaign_id"])
        )
    )
    return f"""# What the generated data looks like

Written by `make docs-generated` from made-up shops, without any server: one of scale {SCALE:g} with
{items:,} DynamoDB items at its opening clock, and for the cancellations one of scale {OLD_SCALE:g}
that is 13 months old. A test compares this page with the generator.

The figures asked for were measured on public shop data: orders and cancellations on Online Retail
([origin](../../data/README.md)), visits on the e-shop clickstream (UCI 553), click-through on Open
Bandit; late, repeated and shared events are chosen. `demo/parameters.py` says which is which, and
`warehouse demo up --parameters FILE` sets any of them, for example `late_events: 0.05`.

| figure | asked for | generated |
| --- | ---: | ---: |
{rows}

Of the last months' orders some are still to be cancelled, so both shares of cancellations are a
little below what was asked for. The lags are those of orders that are at least nine months old.

![popularity, visits, hours and lags](images/generated-data.svg)

## What truly caused the orders

Each order of a known browser was caused by nothing (it would have come anyway) or by one campaign
or affiliate, whose touch begins one of the visits before it; all other touches are noise. The
effect is the orders that a campaign caused per visit of a person that it brought. `retargeting` is
shown to people who are about to buy anyway: it touches many orders and causes none.

| channel | campaign | visits | orders caused | effect |
| --- | --- | ---: | ---: | ---: |
{causes}

## Where the truth is kept

`var/demo/truth.duckdb` holds what is true about the shop at its clock, for tests: no part of the
warehouse reads it. It is written with the items, in one step.

| table | columns |
| --- | --- |
{_answer_tables()}

`orders.channel` is `(none)` where nothing caused the order. A visit of `sessions` is what the rule
of half an hour and of changing campaigns makes of the events that are in the stores; `clicks` are
its product views. Visits with `is_bot` are programs': the source flags their events on landings
and links, three in five call themselves a tool in `user_agent`, and their page views carry
neither. Of the browsers that saw an advertisement and never came 2 in 100 are a crawler's by name,
which nothing flags. A visitor of `visitors` with several rows is a shared device. `triggers` are
planted cases with customers of their own, whose ids begin with `T`: `reason` says why no e-mail
must be sent; they are right at `due_at`.
"""


def _answer_tables() -> str:
    _, found, _ = shop()
    return "\n".join(
        f"| `{name}` | {', '.join(f'`{column}`' for column in table.column_names)} |"
        for name, table in sorted(found.truth.items())
    )


def plots() -> Drawing:
    """Return popularity, clicks, hours and lags, each beside what was asked for."""
    asked = Parameters()
    drawing = Drawing(figsize=(9, 6.5), layout="constrained")
    (popular, visits), (day, lag) = drawing.subplots(2, 2)
    lines = popularity()
    rank = np.unique(np.geomspace(1, len(lines), 40).astype(int))
    popular.loglog(rank, lines[rank - 1], ".", label="generated")
    line = lines[9] * (rank / 10) ** -asked.popularity_slope
    popular.loglog(rank, line, "--", label=f"slope {asked.popularity_slope:g}")
    popular.set(title="Lines of an article", xlabel="rank", ylabel="lines")
    shares = np.linspace(0.01, 0.99, 50)
    visits.semilogy(shares, np.quantile(clicks(), shares), label="generated")
    visits.semilogy(*zip(*asked.session_clicks[1:5], strict=True), "o", label="asked for")
    visits.set(title="Product clicks of a visit", xlabel="share of visits", ylabel="clicks")
    for query, label in ((ORDER_HOURS, "orders"), (BROWSING_HOURS, "product views")):
        counted = hours(query)
        day.plot(np.arange(24), counted / counted.sum(), label=label)
    day.set(title="Hours of the day", xlabel="hour in London", ylabel="share")
    lag.semilogy(shares, np.maximum(np.quantile(lags(), shares), 0.3), label="generated")
    lag.semilogy(*zip(*asked.cancelled_after_days[1:4], strict=True), "o", label="asked for")
    lag.set(title="Days until a cancellation", xlabel="share of cancellations", ylabel="days")
    for axes in (popular, visits, day, lag):
        axes.legend(frameon=False)
    return drawing


def main() -> None:
    """Write the page and the plots."""
    PAGE.write_text(page(), encoding="utf-8")
    PLOTS.parent.mkdir(exist_ok=True)
    # The same file from the same data: no date, no random ids; text stays text.
    with mpl.rc_context({"svg.hashsalt": "generated data", "svg.fonttype": "none"}):
        plots().savefig(PLOTS, metadata={"Date": None})


if __name__ == "__main__":
    main()
