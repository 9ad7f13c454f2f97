"""A month of attribution that is final keeps its weights until it is restated."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

import warehouse
from extractors.errors import ConfigError
from orchestration import attribution, dbt, definitions, resources, run, solved
from orchestration.defs.publication.assets import JOB
from orchestration.rebuild import rebuild
from tests.warehouse.conftest import NOON, MakePackage
from warehouse import config
from warehouse.config import Settings
from warehouse.load import runs
from warehouse.publish import final_figures, final_weights, versions
from warehouse.publish.final_weights import FinalMonth

MARCH = date(2011, 3, 1)
APRIL = date(2011, 4, 1)
OPEN, FINAL, LATER = (datetime(2011, 4, day, tzinfo=UTC) for day in (7, 8, 9))

MODELS = dbt.SHIPPED / "models"
# Paths of one channel each, all of March, which is final from April 8 on.
PROJECT = {
    "dbt_project.yml": "name: small\nprofile: commerce_warehouse\n"
    "flags: {require_generic_test_arguments_property: true}\n"
    "vars: {session_gap_minutes: 30, session_max_hours: 12,"
    " attribution_settings: [{valid_from: 1900-01, lookback_days: 30, fit_days: 90}]}\n"
    "models: {small: {+materialized: table, +schema: intermediate}}\n",
    "macros/names.sql": "{% macro generate_schema_name(name, node) %}"
    "{{ name or target.schema }}{% endmacro %}"
    "{% macro as_of() %}cast('{{ env_var('WAREHOUSE_AS_OF', '') if execute else '' }}'"
    " as timestamptz){% endmacro %}{% macro varchar(length) %}varchar{% endmacro %}",
    "models/sources.yml": "sources: [{name: raw_s, tables: [{name: t}]},"
    " {name: solved, description: d, tables: [{name: channel_weights, description: d},"
    " {name: campaign_figures, description: d}, {name: restated_periods, description: d}]}]\n",
    "models/int_campaign__path_counts.sql": "select date '2011-03-10' as ended_on, id as path,"
    " n as order_count, 0 as none_count from {{ source('raw_s', 't') }}\n",
    "models/int_campaign__periods.sql": "select date '2011-03-01' as period,"
    " date '2011-01-01' as fit_from, date '2011-04-01' as fit_before, 1 as markov_order,"
    " {{ as_of() }} >= timestamptz '2011-04-08' as is_final, 'one' as settings_id\n",
    "models/campaign__channel_weights.sql": "{{ config(alias='channel_weights',"
    " schema='campaign') }} select * from {{ source('solved', 'channel_weights') }}\n",
    "models/campaign__final_figures.sql": "{{ config(alias='final_figures', schema='campaign') }}"
    " select period, model, channel, '(none)' as campaign_id, 4 * share as orders, 8.0 as revenue,"
    " 8.0 as net_revenue from {{ ref('campaign__channel_weights') }} where is_final\n",
    "models/campaign__restatements.sql": "{{ config(alias='restatements', schema='campaign') }}\n"
    + (MODELS / "marts/campaign/campaign__restatements.sql").read_text(),
    **{
        f"models/{path.name}": path.read_text()
        for name in ("published_figures", "restated_periods")
        for path in [MODELS / f"intermediate/campaign/int_campaign__{name}.sql"]
    },
}


@pytest.fixture
def small(settings: Settings) -> Settings:
    """Return the configuration of a warehouse with one table of paths."""
    folder = settings.path.parent / "project"
    for name, text in PROJECT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    text = settings.path.read_text().replace("{home: ./var}", "{home: ./var, dbt_project: project}")
    settings.path.write_text(text)
    return config.load(settings.path)


def refreshed(settings: Settings, as_of: datetime) -> None:
    """Build and publish what landed, without a source."""
    session = resources.Session()
    job = definitions.build(settings, session=session).resolve_job_def(JOB)
    tags = {resources.INTERACTIVE_TAG: "true", resources.AS_OF_TAG: as_of.isoformat()}
    with run.instance(settings) as dagster:
        run.execute(settings, job, dagster, session, tags, [])


def shares(settings: Settings, version: str | None = None) -> dict[str, float]:
    """Return what shapley gives each channel in a version."""
    with warehouse.open(version, config=settings.path) as opened:
        return {
            channel: float(share)
            for channel, share in opened.execute(
                "select channel, share from campaign.channel_weights where model = 'shapley'"
            ).fetchall()
        }


def restatements(settings: Settings) -> list[tuple[Any, ...]]:
    """Return what changed by shapley in final months: old and new orders of each channel."""
    with warehouse.open(config=settings.path) as opened:
        return opened.execute(
            "select channel, revision, restated_at, reason, old_orders, new_orders"
            " from campaign.restatements where model = 'shapley' order by all"
        ).fetchall()


@pytest.mark.slow
def test_a_final_month_keeps_its_weights_until_it_is_restated(
    small: Settings, make_package: MakePackage
) -> None:
    state = small.state_directory
    make_package([("a", 1), ("b", 1)], to=1)
    refreshed(small, OPEN)
    assert shares(small) == {"a": 0.5, "b": 0.5}
    assert final_weights.final_months(state) == {}

    make_package([("a", 3)], mode="incremental", start=1, to=2)
    refreshed(small, FINAL)
    assert shares(small) == {"a": 0.75, "b": 0.25}
    (kept,) = final_weights.final_months(state).values()
    assert (kept.period, kept.generation, kept.settings_id) == (MARCH, 1, "one")
    assert (kept.terms["session_gap_minutes"], kept.terms["fit_days"]) == ("30", "90")

    make_package([("b", 9)], mode="incremental", start=2, to=3)
    small.build_database.unlink()
    refreshed(small, LATER)
    assert shares(small) == {"a": 0.75, "b": 0.25}
    # aside, a month is as final as it was known to be, and nothing becomes final there
    assert shares(small, rebuild(small, "v000001", as_of=LATER).version) == {"a": 0.5, "b": 0.5}

    with pytest.raises(ConfigError, match="2011-04 cannot be restated.*final are 2011-03"):
        run.restate(small, [APRIL], "why not")
    last = runs.last(state)
    assert last
    assert last.status == "succeeded"  # what is refused is no run
    restated = run.restate(small, [MARCH], "clicks came late")
    assert (restated.published, restated.version) == (True, "v000004")
    # of two models, each for two channels
    assert final_figures.changed_by(state, restated.run_id) == {"2011-03-01": 4}
    assert shares(small) == {"a": 0.25, "b": 0.75}
    assert final_weights.final_months(state)[MARCH].generation == 2
    assert shares(small, "v000003") == {"a": 0.75, "b": 0.25}
    assert restatements(small) == [
        ("a", 1, NOON, "clicks came late", 3, 1),
        ("b", 1, NOON, "clicks came late", 1, 3),
    ]

    small.build_database.unlink()
    refreshed(small, NOON)
    newest, before = versions.versions(small)[-1:-3:-1]
    assert newest.tables == before.tables

    again = run.restate(small, [MARCH], "to be sure")
    assert final_figures.changed_by(state, again.run_id) == {}


def month(*rows: tuple[str, ...], generation: int = 1) -> FinalMonth:
    return FinalMonth(MARCH, generation, "one", {}, rows)


def test_a_run_adds_months_that_become_final_and_never_changes_one() -> None:
    kept = {MARCH: month(("markov", "a"))}
    april = FinalMonth(APRIL, 1, "one", {}, (("markov", "b"),))
    after = final_weights.with_built(kept, {MARCH: month(("markov", "b")), APRIL: april}, [])
    assert after == {MARCH: month(("markov", "a")), APRIL: april}
    [record] = final_weights.records(kept, after, as_of=FINAL, reason="why")
    assert (record["id"], record["reason"]) == ("attribution_weights:2011-04-01:1", None)
    restated = final_weights.with_built(kept, {MARCH: month(("markov", "b"))}, [MARCH])
    assert restated == {MARCH: month(("markov", "b"), generation=2)}
    assert final_weights.digest(restated) != final_weights.digest(kept)
    [record] = final_weights.records(kept, restated, as_of=FINAL, reason="why")
    assert (record["id"], record["reason"]) == ("attribution_weights:2011-03-01:2", "why")


def test_nothing_becomes_final_or_is_restated_before_its_time(small: Settings) -> None:
    now = small.now()
    with duckdb.connect() as connection:
        connection.execute(
            "create schema solved; create table solved.channel_weights as select"
            " date '2011-03-01' as period, 'markov' as model, 'a' as channel, 1 as effect,"
            " 1 as share, 1 as share_low, 1 as share_high, true as is_final, 'one' as settings_id"
        )

        def after(restated: list[date], as_of: datetime) -> dict[date, FinalMonth]:
            kept = {MARCH: month(("markov", "a")), APRIL: month()}
            return attribution.months_after(
                connection, small, kept if restated else {}, restated, as_of
            )

        assert list(after([], now)) == [MARCH]
        # an as_of by hand that is yet to come
        assert after([], now + timedelta(days=1)) == {}
        assert after([MARCH], now)[MARCH].generation == 2
        with pytest.raises(ConfigError, match="2011-03 cannot be restated as of .* not final then"):
            after([MARCH], now + timedelta(days=1))
        # final in state, and not by the as_of of this build, or without a path that converted
        with pytest.raises(ConfigError, match="2011-04 cannot be restated as of"):
            after([APRIL], now)


Edit = Callable[[str, str, str], None]


@pytest.fixture
def edit(small: Settings) -> Edit:
    """Return a function that changes a text in a file of the project."""

    def change(name: str, old: str, new: str) -> None:
        path: Path = small.path.parent / "project" / name
        text = path.read_text() if path.is_file() else ""
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace(old, new) if old else text + new)

    return change


RULES = (
    "rule,channel,valid_from,valid_to\n1,email,,\n2,social,2011-04-01,\n3,radio,2011-03-10,\n"
    "4,print,,2010-12-31\n"
)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "dbt_project.yml",
            "fit_days: 90",
            "fit_days: 60",
            "fit_days is 60, was 90 for 2011-03. Put it back and let the new value begin in an open"
            " month (valid_from 2011-04 or later), or restate them:"
            " `warehouse restate --period 2011-03 --reason TEXT`",
        ),
        (
            "dbt_project.yml",
            "minutes: 30",
            "minutes: 20",
            "session_gap_minutes is 20, was 30 for 2011-03. Put it back (it is one for all months),"
            " or restate them: `warehouse restate --period 2011-03 --reason TEXT`",
        ),
        (
            "dbt_project.yml",
            "lookback_days: 30",
            "lookback_days: 90",
            "final months would change: lookback_days is 90, was 30 for 2011-03. Put it back and",
        ),
        ("dbt_project.yml", "hours: 12", "hours: 3", "max_hours is 3, was 12"),
        ("seeds/channel_rules.csv", "1,email", "1,mail", "seeds/channel_rules.csv is "),
        ("seeds/channel_rules.csv", "2011-03-10", "2011-03-20", "seeds/channel_rules.csv is "),
        ("seeds/channel_rules.csv", "2010-12-31", "2011-02-28", "seeds/channel_rules.csv is "),
        ("dbt_project.yml", "90}]", "90}, {valid_from: 2011-03, fit_days: 80}]", "is 80, was 90"),
    ],
)
def test_a_change_that_touches_a_final_month_is_refused(
    small: Settings, edit: Edit, name: str, old: str, new: str, said: str
) -> None:
    edit("seeds/channel_rules.csv", "", RULES)
    months = {MARCH: FinalMonth(MARCH, 1, "one", attribution.terms(small, MARCH), ())}
    attribution.require_kept(small, months, [])
    edit(name, old, new)
    with pytest.raises(ConfigError) as refused:
        attribution.require_kept(small, months, [])
    assert said in str(refused.value)
    attribution.require_kept(small, months, [MARCH])


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("dbt_project.yml", "90}]", "90}, {valid_from: 2011-04, fit_days: 80}]"),
        ("seeds/channel_rules.csv", "2,social", "2,video"),
        ("seeds/channel_rules.csv", "", "5,print,2011-04-01,\n"),
        ("seeds/channel_rules.csv", "3,radio,2011-03-10,\n", "3,radio,2011-03-10,2011-03-31\n"),
        ("seeds/channel_rules.csv", RULES[RULES.index("1,") :], "\n".join(RULES.split()[:0:-1])),
        ("dbt_project.yml", "vars: {", "vars: {identity_lookback_days: 3, "),
    ],
)
def test_a_change_for_later_months_is_not(
    small: Settings, edit: Edit, name: str, old: str, new: str
) -> None:
    edit("seeds/channel_rules.csv", "", RULES)
    months = {MARCH: FinalMonth(MARCH, 1, "one", attribution.terms(small, MARCH), ())}
    edit(name, old, new)
    attribution.require_kept(small, months, [])


def test_state_gets_each_figure_once_and_gives_all_back(build: duckdb.DuckDBPyConnection) -> None:
    """One month became final before and moved since; another becomes final with this build."""
    text = "2011-05-01T00:00:00.000000Z"
    first = ["2011-03-01", "markov", "email", "k1", 0, text, None, None, None, None]
    moved = ["2011-03-01", "markov", "email", "k1", 1, text, "late data", "1.000000000000"]
    known = {
        **dict.fromkeys(final_figures.COLUMNS),
        **dict(zip(final_figures.COLUMNS, [*first, "1", "4", "4"], strict=True)),
    }
    assert solved.write(build, "campaign_figures", solved.Kept(figures=[known])) == 1
    build.execute(
        "create schema campaign;"
        " create table campaign.final_figures as select * from (values"
        " (date '2011-03-01', 'markov', 'email', 'k1', 1::decimal(24, 12), 5.5::decimal(18, 4),"
        " 4::decimal(18, 4)), (date '2011-04-01', 'markov', 'email', 'k1', 2, 7, 7))"
        " as t(period, model, channel, campaign_id, orders, revenue, net_revenue);"
        " create table campaign.restatements as select * replace (1::bigint as revision,"
        " 'late data' as reason, new_orders as old_orders, new_revenue as old_revenue,"
        " new_net_revenue as old_net_revenue, 5.5::decimal(18, 4) as new_revenue)"
        " from solved.campaign_figures"
    )
    [record] = final_figures.records(build, "run", datetime(2011, 5, 8, tzinfo=UTC))
    later = "2011-05-08T00:00:00.000000Z"
    april = ["2011-04-01", "markov", "email", "k1", 0, later, None, None, None, None]
    assert record["figures"] == [
        [*april, "2.000000000000", "7.0000", "7.0000"],
        [*moved, "4.0000", "4.0000", "1.000000000000", "5.5000", "4.0000"],
    ]
    rows = [dict(zip(final_figures.COLUMNS, row, strict=True)) for row in record["figures"]]
    solved.write(build, "campaign_figures", solved.Kept(figures=[known, *rows]))
    assert final_figures.records(build, "run", datetime(2011, 5, 9, tzinfo=UTC)) == []
    assert build.execute(
        "select old_revenue, new_revenue, restated_at from solved.campaign_figures"
        " where revision = 1"
    ).fetchall() == [(Decimal(4), Decimal("5.5"), datetime(2011, 5, 1, tzinfo=UTC))]
