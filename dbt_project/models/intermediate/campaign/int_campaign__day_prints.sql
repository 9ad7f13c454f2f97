with activity as (select * from {{ ref('int_campaign__activity_daily') }}),

versions as (select * from {{ ref('int_campaign__order_versions') }}),

orders as (select * from {{ ref('int_core__orders') }}),

line_costs as (select * from {{ ref('int_affiliate__line_costs') }}),

-- before the first order there is one model only
sold as (select count(*) > 0 as has_orders from versions),

parts as (
    select
        activity.report_date,
        {{ row_hash([
            'activity.channel', 'activity.campaign_id', 'activity.spend', 'activity.impressions',
            'activity.ad_clicks', 'activity.landing_views', 'activity.sessions',
            'activity.new_visitors', 'sold.has_orders',
        ]) }} as part_hash
    from activity
    cross join sold
    union all
    select
        versions.order_date as report_date,
        {{ row_hash(['versions.order_number', 'orders.is_first_order']) }} as part_hash
    from versions
    inner join orders on versions.order_id = orders.order_id
    union all
    select
        order_date as report_date,
        {{ row_hash(['order_line_id', 'affiliate_id', 'currency', 'reporting_amount']) }}
            as part_hash
    from line_costs
),

final as (
    select
        report_date,
        {{ rows_print('part_hash') }} as digest
    from parts
    group by report_date
)

select * from final
