with plans as (select * from {{ ref('stg_affiliate__commission_plans') }}),

affiliates as (select * from {{ ref('stg_affiliate__affiliates') }}),

rules as (
    select
        *,
        {{ day_start('valid_from') }} as starts_at,
        {{ day_start('valid_before') }} as ends_at
    from {{ ref('int_affiliate__rules') }}
),

statements as (
    select * from {{ source('ledger', 'statements') }}
    where closed_at <= {{ as_of() }}
),

categories as (
    select category
    from plans
    where category is not null
    union
    select '(other)' as category
),

-- from when anything may differ for an affiliate: a plan, a rule, or the sales that tell the tier
starts as (
    select
        affiliates.affiliate_id,
        cast('1900-01-01 00:00:00+00' as timestamptz) as valid_from
    from affiliates
    union
    select
        affiliates.affiliate_id,
        plans.valid_from
    from affiliates
    inner join
        plans
        on coalesce(plans.affiliate_id, affiliates.affiliate_id) = affiliates.affiliate_id
    union
    select
        affiliates.affiliate_id,
        plans.valid_to as valid_from
    from affiliates
    inner join
        plans
        on coalesce(plans.affiliate_id, affiliates.affiliate_id) = affiliates.affiliate_id
    where plans.valid_to is not null
    union
    select
        affiliates.affiliate_id,
        rules.starts_at as valid_from
    from affiliates
    inner join rules on affiliates.affiliate_id = rules.affiliate_id
    union
    select
        affiliates.affiliate_id,
        statements.closed_at as valid_from
    from affiliates
    inner join statements on affiliates.affiliate_id = statements.affiliate_id
),

stretches as (
    select
        affiliate_id,
        valid_from,
        lead(valid_from) over (partition by affiliate_id order by valid_from) as valid_before
    from starts
),

-- the sales of the last statement that had been closed, as it froze them
sales as (
    select
        stretches.affiliate_id,
        stretches.valid_from,
        stretches.valid_before,
        case when rules.tier_by = 'statement' then coalesce(statements.net_sales, 0) else 0 end
            as tier_sales,
        case when rules.tier_by = 'statement' then statements.statement_number end
            as tier_statement
    from stretches
    inner join
        rules
        on
            stretches.affiliate_id = rules.affiliate_id
            and stretches.valid_from >= rules.starts_at
            and stretches.valid_from < coalesce(rules.ends_at, timestamptz '9999-12-31 00:00:00+00')
    left join
        statements
        on
            stretches.affiliate_id = statements.affiliate_id
            and stretches.valid_from >= statements.closed_at
    qualify
        row_number() over (
            partition by stretches.affiliate_id, stretches.valid_from
            order by
                statements.period desc nulls last,
                -- who was paid in another currency before has two statements, one with the sales
                abs(statements.net_sales) desc nulls last,
                statements.statement_number asc
        ) = 1
),

-- affiliate and category come before affiliate, that before category, that before what is for all;
-- of the tiers there the highest that the sales reach, else the lowest
final as (
    select
        sales.affiliate_id,
        categories.category as plan_category,
        sales.valid_from,
        coalesce(sales.valid_before, timestamptz '9999-12-31 00:00:00+00') as valid_before,
        plans.plan_id,
        plans.tier,
        plans.rate,
        plans.window_days,
        plans.hold_days,
        sales.tier_sales,
        sales.tier_statement
    from sales
    cross join categories
    inner join
        plans
        on
            coalesce(plans.affiliate_id, sales.affiliate_id) = sales.affiliate_id
            and coalesce(plans.category, categories.category) = categories.category
            and sales.valid_from >= plans.valid_from
            and (plans.valid_to is null or sales.valid_from < plans.valid_to)
    qualify
        row_number() over (
            partition by sales.affiliate_id, categories.category, sales.valid_from
            order by
                case when plans.affiliate_id is null then 1 else 0 end asc,
                case when plans.category is null then 1 else 0 end asc,
                case
                    when coalesce(plans.tier_min_sales, 0) <= sales.tier_sales then 0 else 1
                end asc,
                case
                    when coalesce(plans.tier_min_sales, 0) <= sales.tier_sales
                        then -coalesce(plans.tier_min_sales, 0)
                    else plans.tier_min_sales
                end asc,
                plans.valid_from desc,
                plans.plan_id asc
        ) = 1
)

select * from final
