{#- Written nowhere: it says the same as earnings and lines, and is as wide. -#}
{{ config(materialized='view') }}

with earnings as (select * from {{ ref('int_affiliate__earnings') }}),

lines as (select * from {{ ref('int_affiliate__lines') }}),

net as (
    select
        earnings.*,
        lines.cell,
        lines.quantity,
        lines.line_amount,
        lines.reporting_line_amount,
        case
            when earnings.base_less_discounts then lines.discount_share
            else cast(0 as decimal(18, 4))
        end as discount_share
    from earnings
    inner join lines on earnings.order_line_id = lines.order_line_id
),

-- whole ten-thousandths, and hundred-millionths of what is paid for 1 without VAT
counted as (
    select
        *,
        cast(
            cast(greatest(line_amount - discount_share, 0) as decimal(19, 4)) * 10000
            as decimal(19, 0)
        ) as units,
        cast((1 + vat_rate) * 100000000 as decimal(10, 0)) as vat_units
    from net
),

-- VAT is in the price: 120 with 0.2 on it is 100, rounded half up
based as (
    select
        *,
        case
            when vat_rate = 0
                then cast(greatest(line_amount - discount_share, 0) as decimal(18, 4))
            else
                cast(
                    cast(
                        {{ whole_quotient(
                            'units * cast(200000000 as decimal(10, 0)) + vat_units',
                            '2 * vat_units'
                        ) }} as decimal(19, 0)
                    ) * cast(0.0001 as decimal(5, 4)) as decimal(18, 4)
                )
        end as base_amount
    from counted
),

-- the digits of the factors together are what either engine multiplies exactly
rounded as (
    select
        *,
        case
            when reason is null and kept_amount is not null then kept_amount
            when reason is null
                then
                    {{ rounded_money(
                        'cast(base_amount as decimal(14, 4)) * cast(rate as decimal(9, 8))'
                        ~ ' * cast(fx_rate as decimal(13, 8))',
                        'currency'
                    ) }}
            else cast(0 as decimal(18, 2))
        end as uncapped_amount
    from based
),

-- what the order's and the month's caps leave is known when all lines of these are
final as (
    select
        *,
        cast(cap_per_item * greatest(quantity, 0) as decimal(18, 2)) as cap_left,
        cast(
            least(uncapped_amount, coalesce(cap_per_item * greatest(quantity, 0), uncapped_amount))
            as decimal(18, 2)
        ) as item_amount
    from rounded
)

select * from final
