with clicks as (
    select * from {{ ref('int_affiliate__judged_clicks') }}
    where validity in ('valid', 'self') and affiliate_id is not null
),

days as (
    select
        {{ utc_day('occurred_at') }} as click_day,
        {{ rows_print(row_hash([
            'click_id', 'affiliate_id', 'visitor_id', 'customer_id', 'occurred_at', 'validity',
            'validity_rule', 'is_reviewed', 'click_order_minimum_seconds',
        ])) }} as digest
    from clicks
    group by 1
),

people as (
    select distinct
        order_key,
        person_kind,
        person_id
    from {{ ref('int_affiliate__order_keys') }}
),

final as (
    select
        'day ' || cast(click_day as {{ varchar(16) }}) as click_key,
        'day' as person_kind,
        cast(null as {{ varchar(256) }}) as person_id,
        digest
    from days
    union all
    select
        order_key as click_key,
        person_kind,
        person_id,
        cast(0 as decimal(38, 0)) as digest
    from people
)

select * from final
