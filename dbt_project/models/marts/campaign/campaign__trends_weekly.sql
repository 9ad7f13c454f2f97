{%- set measures = ['spend', 'sessions', 'orders', 'attributed_net_revenue'] -%}
{%- set weeks = var('trend_baseline_weeks') | int -%}
{#- The median of n values is the mean of these two places. -#}
{%- set low, high = (weeks + 1) // 2, weeks // 2 + 1 -%}
{%- set half = 0.5 if high > low else 1 -%}
{%- set this_week = "cast(date_trunc('week', " ~ as_of_date() ~ ") as date)" -%}

with performance as (select * from {{ ref('campaign__performance_daily_last_touch') }}),

days as (select * from {{ ref('int_core__days') }}),

measured as (
    {%- for measure in measures %}
    select
        cast(date_trunc('week', report_date) as date) as week_start,
        channel,
        campaign_id,
        cast('{{ measure }}' as {{ varchar(64) }}) as measure,
        channel || ' | ' || campaign_id || ' | {{ measure }}' as series_id,
        cast(sum({{ measure }}) as decimal(18, 4)) as total
    from performance
    group by cast(date_trunc('week', report_date) as date), channel, campaign_id
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- a campaign that stops is a row of zeros until the stop is what is usual
series as (
    select
        series_id,
        channel,
        campaign_id,
        measure,
        min(week_start) as first_week,
        least(max(week_start) + {{ 7 * weeks }}, {{ this_week }}) as last_week
    from measured
    group by series_id, channel, campaign_id, measure
),

weeks as (
    select distinct cast(date_trunc('week', date_day) as date) as week_start from days
),

weekly as (
    select
        series.series_id,
        weeks.week_start,
        series.channel,
        series.campaign_id,
        series.measure,
        coalesce(measured.total, 0) as total
    from series
    inner join
        weeks
        on series.first_week <= weeks.week_start and series.last_week >= weeks.week_start
    left join
        measured
        on
            series.series_id = measured.series_id
            and weeks.week_start = measured.week_start
),

-- each week beside those before it
placed as (
    select
        weekly.series_id,
        weekly.week_start,
        earlier.week_start as earlier_week,
        earlier.total,
        row_number() over (
            partition by weekly.series_id, weekly.week_start
            order by earlier.total, earlier.week_start
        ) as place
    from weekly
    inner join
        weekly as earlier
        on
            weekly.series_id = earlier.series_id
            and weekly.week_start > earlier.week_start
            and weekly.week_start <= earlier.week_start + {{ 7 * weeks }}
),

-- what fewer weeks come before is not judged
medians as (
    select
        series_id,
        week_start,
        {{ half }} * sum(
            case when place in ({{ low }}, {{ high }}) then total else 0 end
        ) as usual_total
    from placed
    group by series_id, week_start
    having count(*) = {{ weeks }}
),

deviations as (
    select
        medians.series_id,
        medians.week_start,
        medians.usual_total,
        abs(placed.total - medians.usual_total) as deviation,
        row_number() over (
            partition by medians.series_id, medians.week_start
            order by abs(placed.total - medians.usual_total), placed.earlier_week
        ) as place
    from medians
    inner join
        placed
        on medians.series_id = placed.series_id and medians.week_start = placed.week_start
),

-- 1.4826 medians of the deviations are a standard deviation of normal values; a tenth of what is
-- usual, or 1, is nothing
spreads as (
    select
        series_id,
        week_start,
        usual_total,
        greatest(
            1.4826 * {{ half }}
            * sum(case when place in ({{ low }}, {{ high }}) then deviation else 0 end),
            usual_total * 0.1,
            1
        ) as usual_spread
    from deviations
    group by series_id, week_start, usual_total
),

compared as (
    select
        weekly.*,
        lag(weekly.total) over (
            partition by weekly.series_id order by weekly.week_start
        ) as previous_total,
        cast(spreads.usual_total as decimal(18, 4)) as usual_total,
        cast(spreads.usual_spread as decimal(18, 4)) as usual_spread,
        weekly.week_start < {{ this_week }} as is_complete
    from weekly
    left join
        spreads
        on weekly.series_id = spreads.series_id and weekly.week_start = spreads.week_start
),

final as (
    select
        week_start,
        channel,
        campaign_id,
        measure,
        cast(extract(week from week_start) as integer) as iso_week,
        is_complete,
        total,
        previous_total,
        cast(total - previous_total as decimal(18, 4)) as total_change,
        {{ ratio('total - previous_total', 'previous_total') }} as change_rate,
        usual_total,
        usual_spread,
        coalesce(
            is_complete and abs(total - usual_total) > 3 * usual_spread, false
        ) as is_anomaly
    from compared
)

select * from final
