with inventory as (select * from {{ ref('stg_shop__inventory') }}),

movements as (select * from {{ ref('int_core__stock_movements') }}),

numbers as (select * from {{ ref('int_core__numbers') }}),

first_days as (
    select
        cell,
        product_id,
        min(movement_date) as first_day
    from movements
    group by cell, product_id
),

days as (
    select bounds.first_day + numbers.day_number as inventory_date
    from (select min(first_day) as first_day from first_days) as bounds
    cross join numbers
    where bounds.first_day + numbers.day_number <= {{ as_of_date() }}
),

-- every product has every day from its first movement on
product_days as (
    select
        days.inventory_date,
        first_days.product_id,
        first_days.cell
    from first_days
    inner join days on first_days.first_day <= days.inventory_date
),

closings as (
    select
        {{ reporting_date('valid_from') }} as inventory_date,
        product_id,
        cell,
        on_hand
    from inventory
    qualify
        row_number() over (
            partition by cell, product_id, {{ reporting_date('valid_from') }}
            order by valid_from desc
        ) = 1
),

-- the stock of a day without a movement is that of the day before
stocked as (
    select
        product_days.inventory_date,
        product_days.product_id,
        product_days.cell,
        last_value(closings.on_hand ignore nulls) over (
            partition by product_days.cell, product_days.product_id
            order by product_days.inventory_date
            rows between unbounded preceding and current row
        ) as on_hand
    from product_days
    left join
        closings
        on
            product_days.cell = closings.cell
            and product_days.product_id = closings.product_id
            and product_days.inventory_date = closings.inventory_date
),

final as (
    select
        stocked.inventory_date,
        stocked.product_id,
        stocked.cell,
        stocked.on_hand,
        coalesce(movements.received_quantity, 0) as received_quantity,
        coalesce(movements.sold_quantity, 0) as sold_quantity,
        coalesce(movements.returned_quantity, 0) as returned_quantity,
        coalesce(movements.adjusted_quantity, 0) as adjusted_quantity,
        stocked.on_hand > 0 as is_in_stock
    from stocked
    left join
        movements
        on
            stocked.cell = movements.cell
            and stocked.product_id = movements.product_id
            and stocked.inventory_date = movements.movement_date
)

select * from final
