with clicks as (select * from {{ ref('int_affiliate__seen_clicks') }}),

of_addresses as (
    select
        address,
        date_trunc('hour', occurred_at) as starts_at,
        count(*) as click_count
    from clicks
    where address is not null
    group by address, date_trunc('hour', occurred_at)
    having count(*) > max(click_address_per_hour)
),

of_affiliates as (
    select
        affiliate_id,
        date_trunc('minute', occurred_at) as starts_at,
        count(*) as click_count
    from clicks
    where affiliate_id is not null
    group by affiliate_id, date_trunc('minute', occurred_at)
    having count(*) > max(click_affiliate_per_minute)
),

-- people who click buy now and then; a visit that nothing was told of says neither
without_orders as (
    select
        affiliate_id,
        date_trunc('day', occurred_at) as starts_at,
        count(*) as click_count,
        count(case when is_ordered then 1 end) as order_count
    from clicks
    where affiliate_id is not null and is_seen is not null
    group by affiliate_id, date_trunc('day', occurred_at)
    having
        count(*) >= max(click_order_minimum_clicks)
        and count(case when is_ordered then 1 end) < max(click_order_share) * count(*)
),

final as (
    select
        'address_velocity' as burst_rule,
        address as burst_key,
        starts_at,
        cast(click_count as {{ varchar(32) }}) || ' clicks from one address in an hour' as figures
    from of_addresses
    union all
    select
        'affiliate_velocity' as burst_rule,
        affiliate_id as burst_key,
        starts_at,
        cast(click_count as {{ varchar(32) }}) || ' clicks of the affiliate in a minute' as figures
    from of_affiliates
    union all
    select
        'clicks_without_orders' as burst_rule,
        affiliate_id as burst_key,
        starts_at,
        cast(order_count as {{ varchar(32) }}) || ' orders in the visits of '
        || cast(click_count as {{ varchar(32) }}) || ' clicks of the affiliate in a day' as figures
    from without_orders
)

select * from final
