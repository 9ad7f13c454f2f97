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
    select
        {%- for name in step_names %}
        max(case when step_number = {{ loop.index }} then step_count else 0 end)
            as {{ name }}_count,
        {%- endfor %}
        report_date,
        channel,
        campaign_id
    from counted
    group by report_date, channel, campaign_id
),

every_step as (
    {%- for name in step_names %}
    select
        report_date,
        channel,
        campaign_id,
        {{ loop.index }} as step_number,
        cast('{{ name }}' as {{ varchar(64) }}) as step,
        {{ name }}_count as step_count,
        {{ loop.previtem ~ '_count' if loop.previtem else 'cast(null as bigint)' }}
            as previous_count
    from reached
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        every_step.report_date,
        every_step.channel,
        every_step.campaign_id,
        every_step.step,
        every_step.step_number,
        every_step.step_count,
        every_step.previous_count,
        {{ ratio('every_step.step_count', 'every_step.previous_count') }} as step_rate,
        coalesce(counted.returning_count, 0) as returning_count,
        coalesce(counted.timed_count, 0) as timed_count,
        counted.median_seconds,
        counted.p90_seconds
    from every_step
    left join
        counted
        on
            every_step.report_date = counted.report_date
            and every_step.channel = counted.channel
            and every_step.campaign_id = counted.campaign_id
            and every_step.step_number = counted.step_number
)

select * from final
