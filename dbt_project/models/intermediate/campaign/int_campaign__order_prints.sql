with conversions as (select * from {{ ref('int_campaign__conversions') }}),

revenues as (select * from {{ ref('int_campaign__order_revenues') }}),

channel_weights as (select * from {{ ref('int_campaign__channel_weights') }}),

touches as (
    select * from {{ ref('int_campaign__path_touches') }}
    where order_id is not null
),

-- a month whose weights move divides all of its orders anew
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
            'revenues.gross_revenue', 'revenues.net_revenue', 'coalesce(months.digest, 0)',
        ]) }} as part_hash
    from conversions
    inner join revenues on conversions.order_id = revenues.order_id
    left join months
        on cast(date_trunc('month', conversions.order_date) as date) = months.period
    union all
    select
        order_id,
        {{ row_hash(['position', 'touchpoint_id', 'channel', 'campaign_id', 'occurred_at']) }}
            as part_hash
    from touches
),

final as (
    select
        order_id,
        {{ rows_print('part_hash') }} as digest
    from parts
    group by order_id
)

select * from final
