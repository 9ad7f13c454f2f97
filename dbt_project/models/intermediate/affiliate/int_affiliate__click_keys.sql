{#- Written nowhere: two models read it, and the keys are longer than the clicks. -#}
{{ config(materialized='view') }}

with clicks as (
    select * from {{ ref('int_affiliate__judged_clicks') }}
    where validity in ('valid', 'self') and affiliate_id is not null
),

final as (
    select
        click_id,
        affiliate_id,
        occurred_at,
        'visitor ' || visitor_id as click_key
    from clicks
    where visitor_id is not null
    union all
    select
        click_id,
        affiliate_id,
        occurred_at,
        'customer ' || customer_id as click_key
    from clicks
    where customer_id is not null
)

select * from final
