{%- set lookback = "interval '" ~ var('path_lookback_days') ~ " days'" -%}
{%- set in_order = "partition by path_key order by occurred_at, source_rank, event_id" -%}

with sessions as (select * from {{ ref('int_core__sessions') }}),

conversions as (select * from {{ ref('int_campaign__conversions') }}),

steps as (
    select
        path_key,
        started_at as occurred_at,
        source_rank,
        event_id,
        session_id as touchpoint_id,
        channel,
        campaign_id,
        cast(null as {{ varchar(256) }}) as order_id,
        cast(null as timestamptz) as ordered_at
    from sessions
    union all
    -- an order comes after a touch at the same instant, even after the one that it opened itself
    select
        path_key,
        ordered_at as occurred_at,
        7 as source_rank,
        order_id as event_id,
        cast(null as {{ varchar(256) }}) as touchpoint_id,
        cast(null as {{ varchar(256) }}) as channel,
        cast(null as {{ varchar(256) }}) as campaign_id,
        order_id,
        ordered_at
    from conversions
    where path_key is not null
),

-- the next order of the same key: an earlier one can claim no later touch
led as (
    select
        *,
        first_value(order_id ignore nulls) over (
            {{ in_order }} rows between current row and unbounded following
        ) as next_order_id,
        first_value(ordered_at ignore nulls) over (
            {{ in_order }} rows between current row and unbounded following
        ) as next_ordered_at
    from steps
),

touches as (
    select
        path_key,
        occurred_at,
        source_rank,
        event_id,
        touchpoint_id,
        channel,
        campaign_id,
        case when next_ordered_at <= occurred_at + {{ lookback }} then next_order_id end
            as order_id,
        case when next_ordered_at <= occurred_at + {{ lookback }} then next_ordered_at end
            as ordered_at
    from led
    where touchpoint_id is not null
),

-- touches that led to no order form one path until the key is silent for longer than a path may be
previous as (
    select
        *,
        lag(order_id) over ({{ in_order }}) as previous_order_id,
        lag(occurred_at) over ({{ in_order }}) as previous_at
    from touches
),

numbered as (
    select
        *,
        sum(
            case
                when order_id is not null then 0
                when previous_at is null or previous_order_id is not null then 1
                when occurred_at > previous_at + {{ lookback }} then 1
                else 0
            end
        ) over (
            {{ in_order }} rows between unbounded preceding and current row
        ) as open_path_number
    from previous
),

named as (
    select
        *,
        case
            when order_id is not null then 'order ' || order_id
            else
                'none ' || first_value(touchpoint_id) over (
                    partition by
                        path_key,
                        case when order_id is null then 1 else 0 end,
                        open_path_number
                    order by occurred_at, source_rank, event_id
                    rows between unbounded preceding and current row
                )
        end as path_name
    from numbered
),

final as (
    select
        md5(path_name) as path_id,
        row_number() over (
            partition by path_name order by occurred_at, source_rank, event_id
        ) as position,
        touchpoint_id,
        channel,
        campaign_id,
        occurred_at,
        order_id,
        ordered_at
    from named
)

select * from final
