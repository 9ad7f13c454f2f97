"""The section about weeks: how campaigns went, and what was unusual."""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from warehouse import figures
from warehouse.figures import count, money
from warehouse.report.facts import Facts, Row
from warehouse.report.parts import Column, Plots, Section, Table, among, numbers
from warehouse.report.plots import Plot, Point, line

TITLE = "How did it go, week by week?"
WEEKS = 13  # a quarter
SHOWN = 6  # more plots than that nobody compares
MOST = 50  # rows
# As `campaign.trends_weekly` judges: beyond three spreads from the median of eight weeks.
SPREADS = 3
SHOWN_WEEKS = (
    f"is_complete and week_start > cast($last as date) - {7 * WEEKS} and week_start <= $last"
)
MEASURES: dict[str, tuple[str, Callable[[Decimal], str]]] = {
    "spend": ("Spend", money),
    "sessions": ("Visits", count),
    "orders": ("Orders", count),
    "attributed_net_revenue": ("Revenue after refunds", money),
}


def section(facts: Facts) -> Section:
    """Return the last weeks that are over, of all campaigns and of those that were unusual."""
    # summed there, since of ten thousand campaigns few rows are told
    summed = facts.rows(f"""
        select week_start, measure, sum(total) as total
        from campaign.trends_weekly
        where {SHOWN_WEEKS}
        group by week_start, measure
    """)
    rows = facts.rows(f"""
        with shown as (select * from campaign.trends_weekly where {SHOWN_WEEKS})

        select week_start, channel, campaign_id, measure, total, usual_total, usual_spread,
            is_anomaly
        from shown
        where exists (
            select 1 from shown as other
            where
                other.is_anomaly and other.total <> 0 and other.week_start >= $first
                and shown.channel = other.channel and shown.campaign_id = other.campaign_id
                and shown.measure = other.measure
        )
        order by week_start, channel, campaign_id, measure
    """)
    # a week within which the data begin would look like a bad one
    begins = facts.begins_at("campaign.performance_daily_last_touch")
    rows = [row for row in rows if begins is None or row["week_start"] >= begins]
    unusual = [
        row
        for row in rows
        # once told that a campaign has ended, it is no news that it still has
        if row["is_anomaly"] and row["total"] and row["week_start"] >= facts.period.first
    ]
    weeks = sorted(
        {row["week_start"] for row in summed if begins is None or row["week_start"] >= begins}
    )
    newest = weeks[-1] if weeks else None
    found = {(row["week_start"], row["measure"]): row["total"] for row in summed}
    totals = {(week, one): found.get((week, one), Decimal(0)) for week in weeks for one in MEASURES}
    plots = tuple(
        line(
            f"weeks-{measure}",
            _title(name, measure, facts.currency),
            [Point(figures.day_and_month(week), totals[week, measure]) for week in weeks],
            written,
        )
        for measure, (name, written) in MEASURES.items()
        if weeks
    )
    table = Table(
        f"All channels by week, amounts in {facts.currency}",
        (Column("Week from"), *numbers(*(name for name, _ in MEASURES.values()))),
        tuple(
            (str(week), *(written(totals[week, one]) for one, (_, written) in MEASURES.items()))
            for week in weeks
        ),
        "No week is over yet.",
    )
    return Section(
        "trend",
        TITLE,
        "Of all channels, weeks from Monday to Sunday, from the first whole one on. A single"
        " campaign is unusual in a week that"
        f" is more than {SPREADS} spreads away from the median of the eight before; such are drawn"
        " below, with the range that would have been usual.",
        (Plots(plots, table), *_unusual(facts, rows, unusual)),
        tuple(
            f"{_who(row)}: {MEASURES[row['measure']][0].lower()} of the last week"
            f" {'rose' if row['total'] > row['usual_total'] else 'fell'} to"
            f" {_written(row)(row['total'])} from a usual {_written(row)(row['usual_total'])}"
            for row in _strongest(unusual)
            if row["week_start"] == newest
        ),
    )


def _unusual(facts: Facts, rows: list[Row], unusual: list[Row]) -> tuple[Plots, ...]:
    series = list(dict.fromkeys(_key(row) for row in _strongest(unusual)))[:SHOWN]
    if not series:
        return ()
    plots = tuple(
        _drawn(facts, number, [row for row in rows if _key(row) == key])
        for number, key in enumerate(series, start=1)
    )
    table = Table(
        among(
            MOST,
            len(unusual),
            f"Unusual in the last four weeks, amounts in {facts.currency}",
        ),
        (
            Column("Week from"),
            Column("Campaign or channel"),
            Column("Measure"),
            *numbers("Value", "Usual", "Usual at least", "Usual at most"),
        ),
        tuple(
            (
                str(row["week_start"]),
                _who(row),
                MEASURES[row["measure"]][0],
                _written(row)(row["total"]),
                *_range(row),
            )
            for row in _strongest(unusual)[:MOST]
        ),
        "Nothing was unusual in the last four weeks.",
    )
    return (Plots(plots, table),)


def _drawn(facts: Facts, number: int, rows: list[Row]) -> Plot:
    name, written = MEASURES[rows[0]["measure"]]
    return line(
        f"unusual-{number}",
        f"{_who(rows[0])}: {_title(name, rows[0]['measure'], facts.currency).lower()}"
        if rows[0]["measure"] in {"sessions", "orders"}
        else f"{_who(rows[0])}: {name.lower()}, {facts.currency}",
        [
            Point(
                figures.day_and_month(row["week_start"]),
                row["total"],
                None if row["usual_spread"] is None else _usual(row),
                row["is_anomaly"],
            )
            for row in rows
        ],
        written,
    )


def _strongest(unusual: list[Row]) -> list[Row]:
    """Return the newest first, and of a week those furthest from what is usual."""
    return sorted(
        unusual,
        key=lambda row: (
            -row["week_start"].toordinal(),
            -abs(row["total"] - row["usual_total"]) / row["usual_spread"],
            _key(row),
        ),
    )


def _range(row: Row) -> tuple[str, str, str]:
    """Return what is usual, and the edges rounded inwards: what lies beyond them is seen to."""
    places = 1 if _written(row) is count else 2
    place = Decimal(1).scaleb(-places)
    low, high = _usual(row)
    return (
        f"{row['usual_total']:,.{places}f}",
        f"{low.quantize(place, ROUND_CEILING):,f}",
        f"{high.quantize(place, ROUND_FLOOR):,f}",
    )


def _usual(row: Row) -> tuple[Decimal, Decimal]:
    reach = SPREADS * row["usual_spread"]
    low = row["usual_total"] - reach
    # visits and money spent are never fewer than none
    return (low if row["measure"] == "attributed_net_revenue" else max(low, Decimal(0))), row[
        "usual_total"
    ] + reach


def _key(row: Row) -> tuple[str, str, str]:
    return row["channel"], row["campaign_id"], row["measure"]


def _who(row: Row) -> str:
    return row["channel"] if row["campaign_id"] == "(none)" else row["campaign_id"]


def _written(row: Row) -> Callable[[Decimal], str]:
    return MEASURES[row["measure"]][1]


def _title(name: str, measure: str, currency: str) -> str:
    return name if measure in {"sessions", "orders"} else f"{name}, {currency}"
