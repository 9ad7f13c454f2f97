{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_affiliate__earning_prints'), 'order_id') }}",
        "{{ forget_changed(ref('int_affiliate__earning_prints'), 'order_id', 'order_id') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_affiliate__earning_prints'), 'order_id') }}"],
) }}
with earnings as (
    select * from {{ ref('int_affiliate__earnings') }}
    where {{ is_changed('int_affiliate__earning_prints', 'order_id', 'order_id') }}
),

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

item_capped as (
    select
        *,
        cast(
            least(uncapped_amount, coalesce(cap_per_item * greatest(quantity, 0), uncapped_amount))
            as decimal(18, 2)
        ) as item_amount
    from rounded
),

-- what lies above a cap is cut from the last lines
order_run as (
    select
        *,
        sum(item_amount) over (
            partition by order_id, affiliate_id
            order by order_line_id
            rows between unbounded preceding and current row
        ) as order_total
    from item_capped
),

order_capped as (
    select
        *,
        cast(
            case
                when cap_per_order is null then item_amount
                else
                    least(order_total, cap_per_order)
                    - least(order_total - item_amount, cap_per_order)
            end as decimal(18, 2)
        ) as order_amount
    from order_run
),

-- what a month's cap leaves is known when all lines of the month are
final as (
    select
        *,
        cast(
            least(
                cap_per_item * greatest(quantity, 0),
                case
                    when cap_per_order is not null
                        then greatest(cap_per_order - order_total + item_amount, 0)
                end
            ) as decimal(18, 2)
        ) as cap_left
    from order_capped
)

select * from final
