{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__path_versions')) }}",
        "{{ forget_changed(ref('int_campaign__path_versions'), row_hash(['path_id'])) }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_campaign__path_versions')) }}"],
) }}
{%- set days_before -%}
    cast(
        cast(
            extract(epoch from explained.ordered_at) - extract(epoch from explained.occurred_at)
            as double precision
        ) / 86400 as decimal(12, 4)
    )
{%- endset -%}

with touches as (
    select * from {{ ref('int_campaign__judged_touches') }}
    where {{ is_of_changed_path('int_campaign__path_versions') }}
),

conversions as (
    select * from {{ ref('int_campaign__conversions') }}
    where
        {{ is_of_changed_path('int_campaign__path_versions') }}
        or (
            path_key is null
            and {{ is_changed(
                'int_campaign__path_versions', row_hash(["md5('order ' || order_id)"])
            ) }}
        )
),

own_paths as (
    select
        path_name,
        order_id,
        touchpoint_id,
        channel,
        campaign_id,
        occurred_at,
        rule,
        replaced_by_id as decided_by_id
    from touches
),

-- too old for the order that comes next
too_early as (
    select
        'order ' || next_order_id as path_name,
        next_order_id as order_id,
        touchpoint_id,
        channel,
        campaign_id,
        occurred_at,
        'before_lookback' as rule,
        cast(null as {{ varchar(256) }}) as decided_by_id
    from touches
    where order_id is null and next_order_id is not null
),

-- recent enough for a later order, and beyond the order that comes next
claimed as (
    select
        'order ' || conversions.order_id as path_name,
        conversions.order_id,
        touches.touchpoint_id,
        touches.channel,
        touches.campaign_id,
        touches.occurred_at,
        'claimed_by_earlier_order' as rule,
        touches.next_order_id as decided_by_id
    from touches
    inner join
        conversions
        on
            touches.path_key = conversions.path_key
            and touches.next_ordered_at <= conversions.ordered_at
            and touches.occurred_at
            >= conversions.ordered_at - conversions.lookback_days * interval '1 day'
    where
        touches.next_ordered_at < conversions.ordered_at
        or touches.next_order_id < conversions.order_id
),

considered_orders as (
    select distinct order_id from touches
    where order_id is not null
),

-- an order that nothing led to is explained too
alone as (
    select
        'order ' || conversions.order_id as path_name,
        conversions.order_id,
        '(none)' as touchpoint_id,
        'unattributed' as channel,
        '(none)' as campaign_id,
        cast(null as timestamptz) as occurred_at,
        case when conversions.path_key is null then 'nobody_known' else 'no_touch' end as rule,
        cast(null as {{ varchar(256) }}) as decided_by_id
    from conversions
    left join considered_orders on conversions.order_id = considered_orders.order_id
    where considered_orders.order_id is null
),

unioned as (
    {%- for name in ['own_paths', 'too_early', 'claimed', 'alone'] %}
    select * from {{ name }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

explained as (
    select
        unioned.*,
        conversions.ordered_at,
        conversions.lookback_days
    from unioned
    left join conversions on unioned.order_id = conversions.order_id
),

final as (
    select
        md5(explained.path_name) as path_id,
        explained.touchpoint_id,
        explained.order_id,
        explained.channel,
        explained.campaign_id,
        explained.rule = 'considered' as is_considered,
        cast(explained.rule as {{ varchar(64) }}) as rule,
        explained.decided_by_id,
        {{ days_before }} as days_before_order,
        cast(explained.lookback_days as integer) as lookback_days,
        explained.occurred_at,
        explained.ordered_at
    from explained
)

select * from final
