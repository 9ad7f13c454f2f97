"""SQL that only DuckDB takes does not pass the portability gate."""

from pathlib import Path

import pytest

from tests.dbt.portability import compile_for_redshift, offences, project_offences

PLANTED = {
    "filter-where": ("select count(*) filter (where a > 1) as n from t", "Filter"),
    "group by all": ("select a, count(*) as n from t group by all", "Group.all"),
    "exclude": ("select * exclude (a) from t", "Star.except_"),
    "replace": ("select * replace (1 as a) from t", "Star.replace"),
    "union by name": ("select a from t union all by name select a from u", "Union.by_name"),
    "struct literal": ("select {'a': 1} as s from t", "Struct"),
    "list literal": ("select [1, 2] as l from t", "Array"),
    "list()": ("select list(a) as l from t", "list"),
    "hugeint": ("select cast(a as hugeint) as a from t", "type int128"),
    "asof join": ("select t.a from t asof join u on t.a >= u.a", "Join.method"),
    "from first": ("from t select a", "from before select"),
    "lambda": ("select list_transform(a, x -> x + 1) as l from t", "Lambda"),
    "json arrow": ("select a ->> 'b' as b from t", "JSONExtractScalar"),
    "is distinct from": ("select a from t where a is distinct from b", "NullSafeNEQ"),
    "try_cast": ("select try_cast(a as integer) as a from t", "TryCast"),
    "distinct on": ("select distinct on (a) a, b from t", "Distinct.on"),
    "arg_max": ("select arg_max(a, b) as a from t", "arg_max"),
    "ifnull": ("select ifnull(a, 0) as a from t", "ifnull"),
    "string_agg": ("select string_agg(a, ',') as a from t", "string_agg"),
    "strftime": ("select strftime(a, '%Y') as a from t", "strftime"),
    "hash": ("select hash(a) as a from t", "hash"),
    "table function": ("select a from range(10) as r", "range"),
    "columns": ("select columns('a') from t", "columns"),
    "wall clock": ("select current_timestamp as a", "CurrentTimestamp"),
    "limit": ("select a from t order by a limit 1", "Limit"),
    "integer division": ("select a / b as a from t", "whole-number division"),
    "floor division": ("select 7 // 2 as a", "what sqlglot cannot read as Redshift's SQL"),
    "window without a frame": (
        "select sum(a) over (partition by b order by c) as a from t",
        "ordered window without a frame",
    ),
    "bare varchar": ("select cast(a as varchar) as a from t", "varchar without a length"),
    "positional join": ("select a from t positional join u", "join without a condition"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_construct_that_only_duckdb_takes_is_an_offence(name: str) -> None:
    sql, construct = PLANTED[name]
    assert construct in [offence.construct for offence in offences(sql)]


def test_qualify_and_windows_and_casts_are_in_the_subset() -> None:
    assert (
        offences(
            """
            with t as (select * from s)
            select
                a,
                cast(sum(b) as decimal(18, 4)) as b,
                last_value(c ignore nulls) over (
                    partition by a order by d rows between unbounded preceding and 1 preceding
                ) as c
            from t
            left join u on t.a = u.a
            where d <= cast('2011-01-01 00:00:00+00' as timestamptz) - interval '30 days'
            group by a, c, d
            qualify row_number() over (partition by a order by d desc, c) = 1
            """
        )
        == []
    )


def test_an_offence_names_file_line_construct_and_what_to_write_instead() -> None:
    [offence] = offences("select a\nfrom t\ngroup by\n    all", "dbt_project/models/a.sql")
    assert str(offence).startswith("dbt_project/models/a.sql:")
    assert str(offence).endswith("Group.all is not portable; write the columns by name")
    [offence] = offences("select a,\n    ifnull(b, 0) as b\nfrom t", "dbt_project/models/a.sql")
    assert str(offence) == "dbt_project/models/a.sql:2: ifnull is not portable; write coalesce"


@pytest.mark.slow
def test_the_project_compiles_for_redshift_and_stays_in_the_subset(tmp_path: Path) -> None:
    compile_for_redshift(tmp_path)
    assert [str(offence) for offence in project_offences(tmp_path)] == []
