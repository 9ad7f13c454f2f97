{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__path_prints')) }}",
        "{{ forget_changed(ref('int_campaign__path_prints'), row_hash(['path_key'])) }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_campaign__path_prints')) }}"],
) }}
{%- set in_order = "partition by path_key order by occurred_at, source_rank, event_id" -%}
{%- set from_here = "rows between current row and unbounded following" -%}
{%- set so_far = "rows between unbounded preceding and current row" -%}

with sessions as (
    select * from {{ ref('int_core__sessions') }}
    where {{ is_changed('int_campaign__path_prints', row_hash(['path_key'])) }}
),

conversions as (
    select * from {{ ref('int_campaign__conversions') }}
    where
        path_key is not null
        and {{ is_changed('int_campaign__path_prints', row_hash(['path_key'])) }}
),

steps as (
    select
        path_key,
        started_at as occurred_at,
        source_rank,
        event_id,
        session_id as touchpoint_id,
        channel,
        campaign_id,
        {{ attribution_setting('lookback_days', 'session_date') }} as lookback_days,
        {{ attribution_setting('path_transform', 'session_date') }} as path_transform,
        cast(null as {{ varchar(256) }}) as order_id,
        cast(null as timestamptz) as ordered_at,
        cast(null as timestamptz) as looks_back_to,
        cast(null as {{ varchar(64) }}) as order_transform
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
        lookback_days,
        path_transform,
        order_id,
        ordered_at,
        ordered_at - lookback_days * interval '1 day' as looks_back_to,
        path_transform as order_transform
    from conversions
),

-- the next order of the same key: an earlier one can claim no later touch
led as (
    select
        *,
        {%- for name in ['order_id', 'ordered_at', 'looks_back_to', 'order_transform'] %}
        first_value({{ name }} ignore nulls) over ({{ in_order }} {{ from_here }})
            as next_{{ name }},
        {%- endfor %}
        lag(touchpoint_id) over ({{ in_order }}) as previous_touchpoint_id,
        lag(occurred_at) over ({{ in_order }}) as previous_at,
        lag(channel) over ({{ in_order }}) as previous_channel,
        lag(campaign_id) over ({{ in_order }}) as previous_campaign_id
    from steps
),

looked_back_to as (
    select
        *,
        coalesce(occurred_at >= next_looks_back_to, false) as is_of_order,
        coalesce(previous_at >= next_looks_back_to, false) as is_previous_of_order
    from led
    where touchpoint_id is not null
),

-- touches that led to no order form one path until the key is silent for longer than a path may be
opened as (
    select
        *,
        previous_touchpoint_id is null
        or is_of_order <> is_previous_of_order
        or (
            not is_of_order
            and occurred_at > previous_at + lookback_days * interval '1 day'
        ) as is_path_start
    from looked_back_to
),

final as (
    select
        path_key,
        last_value(case when is_path_start then touchpoint_id end ignore nulls) over (
            {{ in_order }} {{ so_far }}
        ) as first_touchpoint_id,
        occurred_at,
        source_rank,
        event_id,
        touchpoint_id,
        channel,
        campaign_id,
        case when is_of_order then next_order_id end as order_id,
        case when is_of_order then next_ordered_at end as ordered_at,
        next_order_id,
        next_ordered_at,
        case when is_of_order then next_order_transform else path_transform end as path_transform,
        -- of touches in a row of the same campaign the last stands for all: it is the most recent
        lead(
            case
                when is_path_start then 0
                when channel = previous_channel and campaign_id = previous_campaign_id then 1
                else 0
            end
        ) over ({{ in_order }}) as is_next_the_same,
        lead(touchpoint_id) over ({{ in_order }}) as next_touchpoint_id
    from opened
)

select * from final
