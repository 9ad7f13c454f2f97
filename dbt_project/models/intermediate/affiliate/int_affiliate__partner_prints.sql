with affiliates as (select * from {{ ref('stg_affiliate__affiliates') }}),

rules as (select * from {{ ref('int_affiliate__rules') }}),

terms as (select * from {{ ref('int_affiliate__terms') }}),

plans as (select * from {{ ref('stg_affiliate__commission_plans') }}),

parts as (
    select
        affiliate_id,
        {{ row_hash(['status', 'status_since', 'joined_at', 'payout_currency']) }} as part_hash
    from affiliates
    union all
    select
        affiliate_id,
        {{ row_hash(
            ['valid_from', 'valid_before'] + affiliate_rules() | map(attribute='name') | list
        ) }} as part_hash
    from rules
    union all
    select
        affiliate_id,
        {{ row_hash([
            'plan_category', 'valid_from', 'valid_before', 'plan_id', 'tier', 'rate', 'window_days',
            'hold_days', 'tier_sales', 'tier_statement',
        ]) }} as part_hash
    from terms
    union all
    -- what is held longest holds for whoever was deleted
    select
        '(none)' as affiliate_id,
        {{ row_hash(['max(hold_days)']) }} as part_hash
    from plans
),

final as (
    select
        affiliate_id,
        {{ rows_print('part_hash') }} as digest
    from parts
    group by affiliate_id
)

select * from final
