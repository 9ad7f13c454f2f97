{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__order_versions'), 'order_number', 'order_number') }}",
        "{{ forget_changed(ref('int_campaign__order_versions'), 'order_number', 'order_number', 'order_number') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_campaign__order_versions'), 'order_number', 'order_number') }}"],
) }}
with versions as (
    select * from {{ ref('int_campaign__order_versions') }}
    where
        {{ is_changed(
            'int_campaign__order_versions', 'order_number', 'order_number', 'order_number'
        ) }}
),

touches as (
    select * from {{ ref('int_campaign__path_touches') }}
    where order_id is not null
),

channel_weights as (select * from {{ ref('int_campaign__channel_weights') }}),

-- whole numbers divide and sort many times faster than the ids of orders
orders as (
    select
        order_id,
        order_number,
        cast(date_trunc('month', order_date) as date) as period,
        {{ attribution_setting('half_life_days', 'order_date') }} as half_life_days,
        {{ attribution_setting('position_first', 'order_date') }} as position_first,
        {{ attribution_setting('position_last', 'order_date') }} as position_last
    from versions
),

-- a share of 12 places as the whole number of its units
shares as (
    select
        period,
        channel,
        row_number() over (partition by period order by channel) as channel_number,
        max(
            case when model = 'markov' then cast(share as decimal(38, 12)) * 1000000000000 end
        ) as markov_units,
        max(
            case when model = 'shapley' then cast(share as decimal(38, 12)) * 1000000000000 end
        ) as shapley_units
    from channel_weights
    group by period, channel
),

numbered as (
    select
        orders.order_number,
        orders.half_life_days,
        orders.position_first,
        orders.position_last,
        touches.order_id,
        cast(touches.position as integer) as position,
        touches.touchpoint_id,
        touches.channel,
        touches.campaign_id,
        cast(floor(extract(epoch from touches.occurred_at)) as bigint) as occurred_second,
        coalesce(shares.channel_number, 0) as channel_number,
        cast(coalesce(shares.markov_units, 0) as bigint) as markov_units,
        cast(coalesce(shares.shapley_units, 0) as bigint) as shapley_units
    from touches
    inner join orders on touches.order_id = orders.order_id
    left join shares on orders.period = shares.period and touches.channel = shares.channel
),

compared as (
    select
        *,
        row_number() over (partition by order_number order by touchpoint_id) as touch_number,
        count(*) over (partition by order_number) as touch_count,
        count(*) over (partition by order_number, channel_number) as channel_touch_count,
        max(occurred_second) over (partition by order_number) as last_second,
        max(case when channel <> 'direct' then position end) over (partition by order_number)
            as last_named_position
    from numbered
),

final as (
    select
        order_number,
        touch_number,
        touch_count,
        order_id,
        touchpoint_id,
        channel,
        campaign_id,
        case when position = 1 then 1 else 0 end as first_touch_credit,
        case when position = touch_count then 1 else 0 end as last_touch_credit,
        case when position = coalesce(last_named_position, touch_count) then 1 else 0 end
            as last_non_direct_credit,
        1 as linear_weight,
        -- percents of a path of three; two touches share it as first to last, 50 to 50 unless set
        case
            when touch_count = 1 then 1
            when position = 1 then position_first * greatest(touch_count - 2, 1)
            when position = touch_count then position_last * greatest(touch_count - 2, 1)
            else 100 - position_first - position_last
        end as position_based_weight,
        -- of the most recent touch a million millionth is one
        cast(
            round(
                power(
                    cast(0.5 as double precision),
                    cast(last_second - occurred_second as double precision)
                    / (half_life_days * 86400)
                ) * 1000000000000
            ) as bigint
        ) as time_decay_weight,
        -- the touches of a channel share what it weighs
        cast(
            floor(cast(markov_units as double precision) * 1000000 / channel_touch_count) as bigint
        ) as markov_weight,
        cast(
            floor(cast(shapley_units as double precision) * 1000000 / channel_touch_count)
            as bigint
        ) as shapley_weight
    from compared
)

select * from final
