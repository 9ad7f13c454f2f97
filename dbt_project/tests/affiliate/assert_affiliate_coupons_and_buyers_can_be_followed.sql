with coupons as (
    select
        upper(coupon_code) as code,
        affiliate_id,
        is_leaked,
        valid_from,
        valid_to,
        coalesce(valid_from, date '1900-01-01') as first_day,
        coalesce(valid_to, date '9999-12-30') as last_day
    from {{ ref('affiliate_coupons') }}
),

buyers as (
    select
        customer_id,
        kind,
        valid_from,
        valid_to,
        coalesce(valid_from, date '1900-01-01') as first_day,
        coalesce(valid_to, date '9999-12-30') as last_day
    from {{ ref('excluded_buyers') }}
),

coupons_in_order as (
    select
        *,
        lag(last_day) over (
            partition by code order by first_day, last_day, affiliate_id
        ) as last_day_before
    from coupons
),

buyers_in_order as (
    select
        *,
        lag(last_day) over (
            partition by customer_id order by first_day, last_day, kind
        ) as last_day_before
    from buyers
),

judged as (
    select
        'the coupon ' || coalesce(code, '(without a code)') || ' of affiliate_coupons.csv '
            as named_row,
        code as row_key,
        valid_from,
        case
            when code is null then 'has no coupon_code: give it one'
            when affiliate_id is null then 'names no affiliate_id: say whose it is'
            when is_leaked is null then 'does not say is_leaked: write true or false'
            when last_day < first_day then 'ends before it begins: valid_to is its last day'
            when last_day_before >= first_day
                then 'has two rows for one day: end the first the day before the second begins'
        end as problem
    from coupons_in_order
    union all
    select
        'the buyer ' || coalesce(customer_id, '(without an id)') || ' of excluded_buyers.csv '
            as named_row,
        customer_id as row_key,
        valid_from,
        case
            when customer_id is null then 'has no customer_id: give it one'
            when kind is null or kind not in ('employee', 'test')
                then 'has the kind ' || coalesce(kind, '(nothing)') || ': write employee or test'
            when last_day < first_day then 'ends before it begins: valid_to is its last day'
            when last_day_before >= first_day
                then 'has two rows for one day: end the first the day before the second begins'
        end as problem
    from buyers_in_order
)

select
    row_key,
    valid_from,
    named_row || problem as problem
from judged
where problem is not null
