{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__order_versions'), 'order_id', 'order_number') }}",
        "{{ forget_changed(ref('int_campaign__order_versions'), 'order_id', 'order_id', 'order_number') }}",
    ],
    post_hook=[
        "{{ drop_prints() }}",
        "{{ keep_prints(ref('int_campaign__order_versions'), 'order_id', 'order_number') }}",
    ],
) }}
{%- set whole = ['first_touch', 'last_touch', 'last_non_direct'] -%}
{%- set shared = ['linear', 'position_based', 'time_decay', 'markov', 'shapley'] -%}

with touches as (
    select * from {{ ref('int_campaign__touch_weights') }}
    where {{ is_changed('int_campaign__order_versions', 'order_id', 'order_id', 'order_number') }}
),

amounts as (select * from {{ ref('int_campaign__touch_amounts') }}),

revenues as (
    select * from {{ ref('int_campaign__order_revenues') }}
    where {{ is_changed('int_campaign__order_versions', 'order_id', 'order_id', 'order_number') }}
),

models as (
    {%- for model in whole + shared %}
    select '{{ model }}' as model
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

credited as (
    select
        touches.order_id,
        models.model,
        touches.touchpoint_id,
        amounts.cell,
        touches.channel,
        touches.campaign_id,
        case models.model
            {%- for model in whole %}
            when '{{ model }}' then cast(touches.{{ model }}_credit as decimal(13, 12))
            {%- endfor %}
            {%- for model in shared %}
            when '{{ model }}' then amounts.{{ model }}_credit
            {%- endfor %}
        end as credit,
        case models.model
            {%- for model in shared %}
            when '{{ model }}' then amounts.{{ model }}_revenue
            {%- endfor %}
            else amounts.gross_revenue
        end as attributed_revenue,
        case models.model
            {%- for model in shared %}
            when '{{ model }}' then amounts.{{ model }}_net_revenue
            {%- endfor %}
            else amounts.net_revenue
        end as attributed_net_revenue
    from touches
    inner join amounts
        on
            touches.order_number = amounts.order_number
            and touches.touch_number = amounts.touch_number
    cross join models
),

unattributed as (
    select
        revenues.order_id,
        models.model,
        '(none)' as touchpoint_id,
        revenues.cell,
        'unattributed' as channel,
        '(none)' as campaign_id,
        cast(1 as decimal(13, 12)) as credit,
        revenues.gross_revenue as attributed_revenue,
        revenues.net_revenue as attributed_net_revenue
    from revenues
    left join touches on revenues.order_id = touches.order_id and touches.touch_number = 1
    cross join models
    where touches.order_id is null
),

unioned as (
    select * from credited
    where credit > 0
    union all
    select * from unattributed
),

final as (
    select
        order_id,
        cast(model as {{ varchar(64) }}) as model,
        cast(touchpoint_id as {{ varchar(256) }}) as touchpoint_id,
        cell,
        cast(channel as {{ varchar(256) }}) as channel,
        cast(campaign_id as {{ varchar(256) }}) as campaign_id,
        credit,
        attributed_revenue,
        attributed_net_revenue
    from unioned
)

select * from final
