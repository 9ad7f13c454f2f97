"""Hold final months of attribution to the weights and the terms that they became final with."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from analytics.channel_weights import Weight
from extractors.errors import ConfigError
from extractors.package import utc_text
from orchestration import attribution_rules, dbt
from orchestration.attribution_rules import DATED, Project
from orchestration.options import Options
from orchestration.solved import Kept
from warehouse.config import Settings
from warehouse.publish import final_figures, final_weights
from warehouse.publish.final_weights import COLUMNS, FinalMonth

# What decides which touches a path has, beside the rows of attribution_settings.
VARIABLES = ("session_gap_minutes", "session_max_hours", "identity_lookback_days")
WITHOUT_MONTH = frozenset((*VARIABLES, "reporting_time_zone"))


@dataclass(frozen=True, slots=True)
class Final:
    """What state keeps of final months: the weights by month, and the figures of campaigns."""

    months: Mapping[date, FinalMonth] = field(default_factory=dict[date, FinalMonth])
    figures: Sequence[Mapping[str, Any]] = ()


def kept_in(state: Path, known_at: datetime | None = None) -> Final:
    """Return what state keeps, of that what was published by `known_at`."""
    return Final(
        final_weights.final_months(state, known_at), final_figures.figures(state, known_at)
    )


def to_keep(final: Final, options: Options) -> Kept:
    """Return what a build has to keep of it."""
    return Kept(
        {
            period: [_weight(month, dict(zip(COLUMNS, row, strict=True))) for row in month.rows]
            for period, month in final.months.items()
            if period not in options.restated
        },
        final.figures,
        dict.fromkeys(options.restated, options.reason),
    )


def _weight(month: FinalMonth, row: Mapping[str, str]) -> Weight:
    return Weight(
        month.period,
        row["model"],
        row["channel"],
        *(Decimal(row[name]) for name in ("effect", "share", "share_low", "share_high")),
        is_final=True,
        settings_id=month.settings_id,
    )


def terms(settings: Settings, period: date, lookback_days: int | None = None) -> dict[str, str]:
    """Return by name what a month's orders are attributed under, as the project is now.

    Of the seeds it is what holds within the lookback, or within these days before the month.
    """
    project = _read(dbt.project(settings))
    variables = project.variables
    row: dict[str, Any] = {}
    for given in variables.get("attribution_settings", ()):
        if f"{given['valid_from']}-01" <= str(period):
            row |= given
    row.pop("valid_from", None)
    row |= {name: variables[name] for name in VARIABLES if name in variables}
    reach = row.get("lookback_days", 0) if lookback_days is None else lookback_days
    first = period - timedelta(days=int(reach))
    last = (period + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    row |= {
        f"seeds/{name}.csv": _in_force(rows, first, last) for name, rows in project.rules.items()
    }
    row["reporting_time_zone"] = settings.warehouse.reporting_time_zone
    return {name: str(value) for name, value in row.items()}


@cache
def _read(folder: Path) -> Project:
    return attribution_rules.read(folder)


def _in_force(rows: Sequence[Mapping[str, str]], first: date, last: date) -> str:
    """Return a hash of the rules that hold on any day from `first` to `last`, and of those days.

    Their order is no matter: a rule that decides by rank says its rank itself.
    """
    held: list[str] = []
    for row in rows:
        begins = max(row.get("valid_from") or "", str(first))
        ends = min(row.get("valid_to") or str(last), str(last))
        if begins <= ends:
            others = [value for name, value in row.items() if name not in DATED]
            held.append(repr([begins, ends, *others]))
    return hashlib.sha256(repr(sorted(held)).encode()).hexdigest()[:12]


def months_after(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    kept: Mapping[date, FinalMonth],
    restated: Collection[date],
    as_of: datetime,
) -> dict[date, FinalMonth]:
    """Return the final months as state has them once this build is published.

    ConfigError where a month to restate has nothing that it could be fitted to.
    """
    # An as_of that is yet to come is asked for by hand, perhaps mistyped: what it takes for final
    # has still to happen.
    is_now = as_of <= settings.now()
    built = final_weights.built_months(connection, lambda period: terms(settings, period))
    if missing := sorted(set(restated) - (built.keys() if is_now else set())):
        raise ConfigError(
            f"{_listed(missing)} cannot be restated as of {utc_text(as_of)}: not final then, or no"
            " order came by a path; the weights stay"
        )
    return final_weights.with_built(kept, built if is_now else {}, restated)


def records(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    final: Final,
    options: Options,
    *,
    run_id: str,
    as_of: datetime,
) -> list[dict[str, Any]]:
    """Return what state lacks of the final months of this build."""
    after = months_after(connection, settings, final.months, options.restated, as_of)
    if as_of > settings.now():
        return []
    return [
        *final_weights.records(final.months, after, as_of=as_of, reason=options.reason),
        *final_figures.records(connection, run_id, as_of),
    ]


def texts(final: Final, options: Options, run_id: str) -> dict[str, str]:
    """Return for solved tables a text that differs whenever what a build keeps in them does."""
    is_new = f"restated by {run_id}" if options.restated else ""
    return {
        "channel_weights": is_new or final_weights.digest(final.months),
        "campaign_figures": hashlib.sha256(repr(final.figures).encode()).hexdigest(),
        "restated_periods": is_new,
    }


def require_kept(
    settings: Settings, months: Mapping[date, FinalMonth], restated: Collection[date]
) -> None:
    """Raise ConfigError where the project would attribute a final month in another way.

    Before that, where what it says of attribution cannot be understood.

    Only final months are restated. Terms that a release adds do not count for months that became
    final without them.
    """
    _read.cache_clear()  # a process that runs twice sees what was edited in between
    _read(dbt.project(settings))
    require_final(months, restated)
    changed: dict[tuple[str, str, str], list[date]] = {}
    for period, month in sorted(months.items()):
        if period in restated:
            continue
        # Rules are compared over the days that counted then: another lookback is named itself.
        present = terms(settings, period, int(month.terms.get("lookback_days", 0)))
        for name, old in month.terms.items():
            new = present.get(name, "nothing")
            if new != old:
                changed.setdefault((name, old, new), []).append(period)
    if not changed:
        return
    affected = sorted({period for periods in changed.values() for period in periods})
    described = "; ".join(
        f"{name} is {new}, was {old} for {_listed(periods)}"
        for (name, old, new), periods in changed.items()
    )
    first_open = (max(months) + timedelta(days=31)).replace(day=1)
    begins = (
        f" and let the new value begin in an open month (valid_from {first_open:%Y-%m} or later)"
    )
    if {name for name, _, _ in changed} <= WITHOUT_MONTH:
        begins = " (it is one for all months)"
    raise ConfigError(
        f"final months would change: {described}. Put it back{begins}, or restate them:"
        " `warehouse restate"
        f" {' '.join(f'--period {period:%Y-%m}' for period in affected[:3])}"
        f"{' …' if len(affected) > 3 else ''} --reason TEXT`"
    )


def require_final(months: Mapping[date, FinalMonth], restated: Collection[date]) -> None:
    """Raise ConfigError where a month that is to be restated is not final."""
    missing = sorted(set(restated) - months.keys())
    if missing:
        kept = f"final are {_listed(sorted(months))}" if months else "no month is final yet"
        raise ConfigError(
            f"{_listed(missing)} cannot be restated: every run fits a month anew until it is final;"
            f" {kept}"
        )


def _listed(periods: Sequence[date]) -> str:
    if len(periods) > 3:
        return f"{periods[0]:%Y-%m} to {periods[-1]:%Y-%m} ({len(periods)} months)"
    return ", ".join(f"{period:%Y-%m}" for period in periods)
