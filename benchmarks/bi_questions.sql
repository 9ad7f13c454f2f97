-- Twenty questions that people ask the published version, as BI tools send them: one statement
-- each, in the SQL that PostgreSQL and DuckDB share. The comment before a question says who asks it
-- and what. `python benchmarks/bi_questions.py` measures them, and a test compares what both
-- databases answer, row by row.

-- marketing: Which campaign should I stop?
with money as (
    select
        campaign_id,
        model,
        sum(spend) as spend,
        sum(contribution_margin) as margin
    from campaign.performance_daily
    where campaign_id <> '(none)'
    group by campaign_id, model
),

by_campaign as (
    select
        campaign_id,
        max(spend) as spend,
        min(margin) as lowest_margin,
        max(margin) as highest_margin
    from money
    group by campaign_id
),

visits as (
    select
        campaign_id,
        sum(returning_count) as returning_visitors,
        sum(step_count) as visitors
    from campaign.funnel_daily
    where step = 'landing'
    group by campaign_id
)

select
    by_campaign.campaign_id,
    cast(by_campaign.spend as decimal(18, 2)) as spend,
    cast(by_campaign.lowest_margin as decimal(18, 2)) as lowest_margin,
    cast(by_campaign.highest_margin as decimal(18, 2)) as highest_margin,
    cast(visits.returning_visitors as bigint) as returning_visitors,
    cast(visits.visitors as bigint) as visitors,
    case
        when by_campaign.highest_margin < 0 then 'stop'
        when by_campaign.lowest_margin < 0 then 'look closer'
        else 'keep'
    end as advice
from by_campaign
inner join visits on by_campaign.campaign_id = visits.campaign_id
order by by_campaign.lowest_margin, by_campaign.campaign_id;

-- marketing: What is left of each channel's sales, affiliates' commissions included?
select
    channel,
    cast(sum(attributed_net_revenue) as decimal(18, 2)) as net_revenue,
    cast(sum(spend) as decimal(18, 2)) as spend,
    cast(sum(affiliate_commission) as decimal(18, 2)) as affiliate_commission,
    cast(sum(contribution_margin) as decimal(18, 2)) as margin
from campaign.performance_daily_last_touch
group by channel
order by margin desc, channel;

-- marketing: What does an order, or a new customer, cost by campaign, and what does it bring back?
select
    channel,
    campaign_id,
    model,
    cast(sum(spend) as decimal(18, 2)) as spend,
    cast(sum(orders) as decimal(18, 1)) as orders,
    cast(sum(spend) / nullif(sum(orders), 0) as decimal(18, 2)) as cost_per_order,
    cast(sum(spend) / nullif(sum(new_customers), 0) as decimal(18, 2)) as cost_per_new_customer,
    cast(sum(attributed_revenue) / nullif(sum(spend), 0) as decimal(18, 2)) as roas
from campaign.performance_daily
where model in ('first_touch', 'last_touch')
group by channel, campaign_id, model
having sum(spend) > 0
order by channel, campaign_id, model;

-- marketing: Where do people drop out, month by month?
select
    calendar.month_start,
    funnel.step_number,
    funnel.step,
    cast(sum(funnel.step_count) as bigint) as people,
    cast(
        cast(sum(funnel.step_count) as decimal(18, 0)) / nullif(sum(funnel.previous_count), 0)
        as decimal(18, 3)
    ) as share_of_the_step_before
from campaign.funnel_daily as funnel
inner join core.calendar as calendar on funnel.report_date = calendar.date_day
where funnel.channel in ('display', 'paid_search', 'paid_social')
group by calendar.month_start, funnel.step_number, funnel.step
order by calendar.month_start, funnel.step_number;

-- marketing: Which landing pages lose people?
select
    landing_page,
    cast(sum(sessions) as bigint) as visits,
    cast(cast(sum(bounces) as decimal(18, 0)) / sum(sessions) as decimal(18, 3)) as bounce_rate,
    cast(
        cast(sum(sessions_with_order) as decimal(18, 0)) / sum(sessions) as decimal(18, 4)
    ) as conversion_rate,
    cast(sum(net_revenue) / sum(sessions) as decimal(18, 2)) as net_revenue_per_visit
from campaign.landing_pages_daily
where landing_page <> '(none)'
group by landing_page
having sum(sessions) >= 50
order by conversion_rate, landing_page
limit 20;

-- marketing: Which customers came back, by the campaign that won them and the month?
select
    cohort_month,
    campaign_id,
    cast(max(customers) as bigint) as customers,
    cast(sum(case when months_since = 1 then active_customers else 0 end) as bigint)
        as came_back_in_the_month_after,
    cast(sum(net_revenue) as decimal(18, 2)) as net_revenue,
    cast(sum(net_revenue) / max(customers) as decimal(18, 2)) as worth_so_far
from campaign.cohorts_monthly
group by cohort_month, campaign_id
order by cohort_month, worth_so_far desc, campaign_id;

-- marketing: What changed in the last whole week, and is it unusual?
select
    channel,
    campaign_id,
    measure,
    cast(previous_total as decimal(18, 2)) as the_week_before,
    cast(total as decimal(18, 2)) as last_week,
    cast(total_change as decimal(18, 2)) as change,
    is_anomaly
from campaign.trends_weekly
where
    is_complete
    and week_start = (select max(week_start) from campaign.trends_weekly where is_complete)
order by is_anomaly desc, measure, abs(total_change) desc nulls last, channel, campaign_id
limit 40;

-- marketing: How many touches does an order take, and how long is the way, by the channel it begins
-- with?
select
    firsts.channel as begins_with,
    case when paths.touchpoint_count >= 5 then 5 else paths.touchpoint_count end as touches_up_to_5,
    count(*) as orders,
    cast(sum(orders.net_revenue) as decimal(18, 2)) as net_revenue,
    cast(
        sum(cast(extract(epoch from paths.ended_at - paths.started_at) as bigint))
        / cast(count(*) * 86400 as decimal(18, 0)) as decimal(18, 1)
    ) as days
from campaign.paths as paths
inner join campaign.path_touchpoints as firsts
    on paths.path_id = firsts.path_id and firsts.position = 1
inner join core.orders as orders on paths.order_id = orders.order_id
group by
    firsts.channel,
    case when paths.touchpoint_count >= 5 then 5 else paths.touchpoint_count end
order by firsts.channel, touches_up_to_5;

-- crm: Whom of the best customers who grow cold may we write to, by country?
select
    customers.country,
    customers.monetary_quintile,
    count(*) as customers,
    count(members.customer_id) as may_be_addressed,
    cast(sum(customers.net_revenue) as decimal(18, 2)) as net_revenue,
    cast(max(customers.last_order_at) as date) as last_order_on
from core.customers as customers
left join campaign.audience_members as members on customers.customer_id = members.customer_id
where customers.monetary_quintile >= 4 and customers.recency_quintile <= 2
group by customers.country, customers.monetary_quintile
order by net_revenue desc, customers.country, customers.monetary_quintile;

-- finance: What did we sell, pay back and keep by month, against the month before?
with months as (
    select
        calendar.month_start,
        cast(sum(totals.gross_revenue) as decimal(18, 2)) as gross_revenue,
        cast(sum(totals.refunded_amount) as decimal(18, 2)) as refunded_amount,
        cast(sum(totals.net_revenue) as decimal(18, 2)) as net_revenue
    from core.daily_totals as totals
    inner join core.calendar as calendar on totals.report_date = calendar.date_day
    group by calendar.month_start
)

select
    month_start,
    gross_revenue,
    refunded_amount,
    net_revenue,
    cast(net_revenue - lag(net_revenue) over (order by month_start) as decimal(18, 2))
        as more_than_the_month_before
from months
order by month_start;

-- finance: Which orders were not paid as they were due, and for how much?
select
    reason,
    count(*) as orders,
    cast(sum(due_amount) as decimal(18, 2)) as due_amount,
    cast(sum(paid_amount) as decimal(18, 2)) as paid_amount,
    cast(sum(difference_amount) as decimal(18, 2)) as difference_amount,
    min(occurred_date) as first_on,
    max(occurred_date) as last_on
from core.payment_differences
group by reason
order by difference_amount, reason;

-- finance: How much of what was sold in a month came back, and how soon?
select
    calendar.month_start,
    cast(sum(allocations.amount) as decimal(18, 2)) as refunded_amount,
    cast(
        sum(
            case
                when refunds.refund_date - lines.order_date <= 14 then allocations.amount
                else 0
            end
        ) as decimal(18, 2)
    ) as within_two_weeks,
    count(distinct lines.order_id) as orders
from core.refund_allocations as allocations
inner join core.refunds as refunds on allocations.refund_id = refunds.refund_id
inner join core.order_lines as lines on allocations.order_line_id = lines.order_line_id
inner join core.calendar as calendar on lines.order_date = calendar.date_day
group by calendar.month_start
order by calendar.month_start;

-- finance: What did each affiliate earn, and what became of it?
select
    affiliate_id,
    currency,
    cast(sum(commission_amount) as decimal(18, 2)) as earned,
    cast(sum(commission_amount - due_amount) as decimal(18, 2)) as taken_back,
    cast(sum(case when status = 'pending' then due_amount else 0 end) as decimal(18, 2)) as in_hold,
    cast(
        sum(case when status in ('approved', 'payable', 'paid') then due_amount else 0 end)
        as decimal(18, 2)
    ) as matured
from affiliate.conversions
group by affiliate_id, currency
order by affiliate_id, currency;

-- finance: Which commissions become payable, and when?
select
    cast(matures_at as date) as matures_on,
    currency,
    count(distinct affiliate_id) as affiliates,
    cast(sum(due_amount) as decimal(18, 2)) as amount
from affiliate.conversions
where status = 'pending'
group by cast(matures_at as date), currency
order by matures_on, currency;

-- finance: Does the ledger of commissions balance, and what stands on its accounts by month?
select
    period,
    account,
    currency,
    count(*) as entries,
    cast(sum(amount) as decimal(18, 2)) as amount,
    cast(
        sum(sum(amount)) over (partition by account, currency order by period) as decimal(18, 2)
    ) as balance
from affiliate.commission_ledger
group by period, account, currency
order by period, account, currency;

-- merchandising: What sells in each category, this month and the one before?
with months as (
    select
        month_start,
        row_number() over (order by month_start desc) as months_ago
    from core.calendar
    where date_day <= (select max(order_date) from core.orders)
    group by month_start
)

select
    products.category,
    cast(sum(case when months.months_ago = 1 then lines.net_amount else 0 end) as decimal(18, 2))
        as this_month,
    cast(sum(case when months.months_ago = 2 then lines.net_amount else 0 end) as decimal(18, 2))
        as the_month_before,
    cast(sum(case when months.months_ago = 1 then lines.quantity else 0 end) as bigint) as units,
    count(distinct case when months.months_ago = 1 then lines.order_id end) as orders
from core.order_lines as lines
inner join core.orders as orders on lines.order_id = orders.order_id and orders.is_counted
inner join core.products as products on lines.product_id = products.product_id
inner join core.calendar as calendar on lines.order_date = calendar.date_day
inner join months on calendar.month_start = months.month_start and months.months_ago <= 2
where lines.line_kind = 'product'
group by products.category
order by this_month desc, products.category;

-- merchandising: What is bought together with each of our ten best-selling products?
with best as (
    select product_id, name, units_sold
    from core.products
    order by units_sold desc, product_id
    limit 10
),

ranked as (
    select
        best.product_id,
        best.name,
        best.units_sold,
        pairs.other_product_id,
        pairs.n_ab,
        cast(pairs.lift as decimal(18, 2)) as lift,
        row_number() over (
            partition by best.product_id order by pairs.llr desc, pairs.other_product_id
        ) as place
    from best
    inner join recommendation.product_pairs as pairs on best.product_id = pairs.product_id
    where pairs.kind = 'co_purchase' and pairs.lift > 1
)

select
    ranked.product_id,
    ranked.name,
    ranked.place,
    ranked.other_product_id,
    others.name as other_name,
    ranked.n_ab as orders_with_both,
    ranked.lift
from ranked
left join core.products as others on ranked.other_product_id = others.product_id
where ranked.place <= 5
order by ranked.units_sold desc, ranked.product_id, ranked.place;

-- merchandising: What trends, and how many days can we still sell it?
with sold as (
    select
        product_id,
        sum(sold_quantity) as units
    from core.inventory_daily
    where inventory_date > (select max(inventory_date) - 14 from core.inventory_daily)
    group by product_id
)

select
    trending.rank,
    trending.product_id,
    products.name,
    trending.people_count,
    products.on_hand,
    cast(products.on_hand * 14 / nullif(cast(sold.units as decimal(18, 0)), 0) as decimal(18, 1))
        as days_left,
    trending.exclusion
from recommendation.trending_products as trending
inner join core.products as products on trending.product_id = products.product_id
left join sold on trending.product_id = sold.product_id
order by trending.rank;

-- merchandising: Which products were out of stock for longest in the last four weeks, and what did
-- they use to sell in that time?
with span as (
    select max(inventory_date) as last_date from core.inventory_daily
)

select
    stock.product_id,
    products.name,
    count(case when not stock.is_in_stock and stock.inventory_date > span.last_date - 28 then 1 end)
        as days_out_of_stock,
    cast(
        sum(
            case
                when stock.inventory_date <= span.last_date - 28 then stock.sold_quantity
                else 0
            end
        )
        as bigint
    ) as units_in_the_four_weeks_before
from core.inventory_daily as stock
cross join span
inner join core.products as products on stock.product_id = products.product_id
where stock.inventory_date > span.last_date - 56
group by stock.product_id, products.name
having
    count(case when not stock.is_in_stock and stock.inventory_date > span.last_date - 28 then 1 end)
    > 0
order by days_out_of_stock desc, units_in_the_four_weeks_before desc, stock.product_id
limit 20;

-- merchandising: What is looked at most and hardly bought?
with done as (
    select
        product_id,
        count(case when kind = 'view' then 1 end) as views,
        count(case when kind = 'cart' then 1 end) as carts,
        count(case when kind = 'purchase' then 1 end) as purchases
    from recommendation.interactions
    group by product_id
)

select
    done.product_id,
    products.name,
    products.current_price,
    done.views,
    done.carts,
    done.purchases,
    cast(done.purchases / cast(done.views as decimal(18, 0)) as decimal(18, 4))
        as purchases_per_view
from done
inner join core.products as products on done.product_id = products.product_id
where done.views >= 50
order by purchases_per_view, done.views desc, done.product_id
limit 20;
