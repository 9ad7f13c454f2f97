with orders as (
    select * from {{ ref('stg_shop__orders') }}
    where nullif(coupon_code, '') is not null
),

coupons as (select * from {{ ref('affiliate_coupons') }}),

affiliates as (select * from {{ ref('stg_affiliate__affiliates') }}),

rules as (select * from {{ ref('int_affiliate__rules') }}),

dated as (
    select
        order_id,
        coupon_code,
        {{ reporting_date('ordered_at') }} as order_date
    from orders
),

-- a row about a code, be it that it leaked, comes before what the code looks like
owned as (
    select
        dated.order_id,
        dated.coupon_code,
        dated.order_date,
        case
            when coupons.coupon_code is null then affiliates.affiliate_id
            when not coupons.is_leaked then coupons.affiliate_id
        end as affiliate_id,
        coupons.coupon_code is not null as is_listed
    from dated
    left join
        coupons
        on
            upper(dated.coupon_code) = upper(coupons.coupon_code)
            and {{ is_in_force('coupons', 'dated.order_date') }}
    left join affiliates on upper(dated.coupon_code) = upper(affiliates.affiliate_id)
),

final as (
    select
        owned.order_id,
        owned.affiliate_id,
        owned.coupon_code
    from owned
    inner join
        rules
        on
            owned.affiliate_id = rules.affiliate_id
            and owned.order_date >= rules.valid_from
            and owned.order_date < rules.valid_before
    where rules.coupon_beats_click and (owned.is_listed or rules.coupon_is_affiliate_id)
    qualify row_number() over (partition by owned.order_id order by owned.affiliate_id) = 1
)

select * from final
