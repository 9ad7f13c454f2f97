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
{%- set models = ['linear', 'position_based', 'time_decay', 'markov', 'shapley'] -%}

with touches as (
    select * from {{ ref('int_campaign__touch_weights') }}
    where
        {{ is_changed(
            'int_campaign__order_versions', 'order_number', 'order_number', 'order_number'
        ) }}
),

credits as (
    select * from {{ ref('int_campaign__touch_credits') }}
    where
        {{ is_changed(
            'int_campaign__order_versions', 'order_number', 'order_number', 'order_number'
        ) }}
),

revenues as (select * from {{ ref('int_campaign__order_revenues') }}),

orders as (
    select
        touches.order_number,
        revenues.cell,
        revenues.gross_revenue,
        revenues.net_revenue
    from touches
    inner join revenues on touches.order_id = revenues.order_id
    where touches.touch_number = 1
),

-- Most orders have no refunds: what they bring is shared once. 19 digits times 13 are exact on
-- either engine; 18 would stay in 64 bits on DuckDB and overflow.
amounts as (
    select
        order_number * 2 as part_number,
        order_number,
        case when gross_revenue < 0 then -0.0001 else 0.0001 end as unit,
        cast(cast(abs(gross_revenue) as decimal(19, 4)) * 10000 as decimal(19, 0)) as units
    from orders
    union all
    select
        order_number * 2 + 1 as part_number,
        order_number,
        case when net_revenue < 0 then -0.0001 else 0.0001 end as unit,
        cast(cast(abs(net_revenue) as decimal(19, 4)) * 10000 as decimal(19, 0)) as units
    from orders
    where net_revenue <> gross_revenue
),

multiplied as (
    select
        {%- for model in models %}
        amounts.units * credits.{{ model }}_credit as {{ model }}_product,
        {%- endfor %}
        amounts.part_number,
        credits.touch_number,
        amounts.unit,
        amounts.units
    from amounts
    inner join credits on amounts.order_number = credits.order_number
),

divided as (
    select
        {%- for model in models %}
        cast(floor({{ model }}_product) as bigint) as {{ model }}_quotient,
        cast({{ model }}_product - floor({{ model }}_product) as decimal(13, 12))
            as {{ model }}_remainder,
        {%- endfor %}
        part_number,
        touch_number,
        unit,
        units
    from multiplied
),

shared as (
    select
        {%- for model in models %}
        {{ largest_remainder(
            'units', model ~ '_quotient', model ~ '_remainder', 'part_number', 'touch_number'
        ) }} as {{ model }}_units,
        {%- endfor %}
        part_number,
        touch_number,
        unit
    from divided
),

signed as (
    select
        {%- for model in models %}
        cast(
            cast({{ model }}_units as decimal(19, 0)) * cast(unit as decimal(5, 4))
            as decimal(18, 4)
        ) as {{ model }}_amount,
        {%- endfor %}
        part_number,
        touch_number
    from shared
),

final as (
    select
        {%- for model in models %}
        credits.{{ model }}_credit,
        gross.{{ model }}_amount as {{ model }}_revenue,
        coalesce(net.{{ model }}_amount, gross.{{ model }}_amount) as {{ model }}_net_revenue,
        {%- endfor %}
        credits.order_number,
        credits.touch_number,
        orders.cell,
        orders.gross_revenue,
        orders.net_revenue
    from credits
    inner join orders on credits.order_number = orders.order_number
    inner join signed as gross
        on
            credits.order_number * 2 = gross.part_number
            and credits.touch_number = gross.touch_number
    left join signed as net
        on
            credits.order_number * 2 + 1 = net.part_number
            and credits.touch_number = net.touch_number
)

select * from final
