{%- set step_names = ['impression', 'click', 'landing', 'view', 'cart', 'order'] -%}

with steps as (select * from {{ ref('int_campaign__funnel_steps') }}),

-- the times of one day, campaign and step in order: a percentile is the one at its place
ranked as (
    select
        *,
        sum(case when seconds is not null then step_count else 0 end) over (
            partition by report_date, channel, campaign_id, step_number
            order by seconds
            rows between unbounded preceding and current row
        ) as place,
        sum(case when seconds is not null then step_count else 0 end) over (
            partition by report_date, channel, campaign_id, step_number
        ) as timed
    from steps
),

counted as (
    select
        report_date,
        channel,
        campaign_id,
        step_number,
        cast(sum(step_count) as bigint) as step_count,
        cast(sum(returning_count) as bigint) as returning_count,
        cast(max(timed) as bigint) as timed_count,
        min(case when place * 2 >= timed then seconds end) as median_seconds,
        min(case when place * 10 >= timed * 9 then seconds end) as p90_seconds
    from ranked
    group by report_date, channel, campaign_id, step_number
),

-- a step that nobody reached is a row too
reached as (
    select distinct
        report_date,
        channel,
        campaign_id
    from counted
),

step_names as (
    {%- for name in step_names %}
    select
        {{ loop.index }} as step_number,
        cast('{{ name }}' as {{ varchar(64) }}) as step
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

every_step as (
    select
        reached.report_date,
        reached.channel,
        reached.campaign_id,
        step_names.step,
        step_names.step_number,
        coalesce(counted.step_count, 0) as step_count,
        lag(coalesce(counted.step_count, 0)) over (
            partition by reached.report_date, reached.channel, reached.campaign_id
            order by step_names.step_number
        ) as previous_count,
        coalesce(counted.returning_count, 0) as returning_count,
        coalesce(counted.timed_count, 0) as timed_count,
        counted.median_seconds,
        counted.p90_seconds
    from reached
    cross join step_names
    left join
        counted
        on
            reached.report_date = counted.report_date
            and reached.channel = counted.channel
            and reached.campaign_id = counted.campaign_id
            and step_names.step_number = counted.step_number
),

final as (
    select
        report_date,
        channel,
        campaign_id,
        step,
        step_number,
        step_count,
        previous_count,
        {{ ratio('step_count', 'previous_count') }} as step_rate,
        returning_count,
        timed_count,
        median_seconds,
        p90_seconds
    from every_step
)

select * from final
