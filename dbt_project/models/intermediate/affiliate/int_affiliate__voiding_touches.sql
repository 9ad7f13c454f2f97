with order_partners as (select * from {{ ref('int_affiliate__order_partners') }}),

order_keys as (select * from {{ ref('int_affiliate__order_keys') }}),

rules as (
    select * from {{ ref('int_affiliate__rules') }}
    where voiding_channels is not null
),

sessions as (select * from {{ ref('int_core__sessions') }}),

-- a visit is looked for only where some affiliate's rule names its channel
paid_visits as (
    select
        'visitor ' || visitor_id as visit_key,
        channel,
        started_at
    from sessions
    where visitor_id is not null and channel <> 'affiliate'
    union all
    select
        'customer ' || customer_id as visit_key,
        channel,
        started_at
    from sessions
    where customer_id is not null and channel <> 'affiliate'
),

wanted as (
    select
        order_partners.order_id,
        order_partners.affiliate_id,
        order_keys.order_key,
        order_keys.ordered_at,
        ' ' || rules.voiding_channels || ' ' as channels
    from order_partners
    inner join order_keys on order_partners.order_id = order_keys.order_id
    inner join
        rules
        on
            order_partners.affiliate_id = rules.affiliate_id
            and order_keys.order_date >= rules.valid_from
            and order_keys.order_date < rules.valid_before
),

final as (
    select
        wanted.order_id,
        wanted.affiliate_id,
        max(paid_visits.started_at) as voided_at
    from wanted
    inner join
        paid_visits
        on
            wanted.order_key = paid_visits.visit_key
            and wanted.ordered_at > paid_visits.started_at
            and wanted.channels like '% ' || paid_visits.channel || ' %'
    group by wanted.order_id, wanted.affiliate_id
)

select * from final
