with conversions as (select * from {{ ref('int_campaign__conversions') }}),

revenues as (select * from {{ ref('int_campaign__order_revenues') }}),

channel_weights as (select * from {{ ref('int_campaign__channel_weights') }}),

touches as (
    select * from {{ ref('int_campaign__path_touches') }}
    where order_id is not null
),

-- a month whose weights move divides anew its orders of several channels: one takes all, whatever
-- it weighs
months as (
    select
        period,
        {{ rows_print(row_hash(['model', 'channel', 'share'])) }} as digest
    from channel_weights
    group by period
),

parts as (
    select
        conversions.order_id,
        {{ row_hash([
            'conversions.order_date', 'conversions.customer_id', 'revenues.cell',
            'revenues.gross_revenue', 'revenues.net_revenue',
        ]) }} as part_hash,
        null as channel_hash,
        months.digest as month_digest
    from conversions
    inner join revenues on conversions.order_id = revenues.order_id
    left join months
        on cast(date_trunc('month', conversions.order_date) as date) = months.period
    union all
    select
        order_id,
        {{ row_hash(['position', 'touchpoint_id', 'channel', 'campaign_id', 'occurred_at']) }}
            as part_hash,
        {{ row_hash(['channel']) }} as channel_hash,
        null as month_digest
    from touches
),

final as (
    select
        order_id,
        cast(
            {{ rows_print('part_hash') }}
            + case
                when min(channel_hash) <> max(channel_hash) then coalesce(max(month_digest), 0)
                else 0
            end as decimal(38, 0)
        ) as digest
    from parts
    group by order_id
)

select * from final
