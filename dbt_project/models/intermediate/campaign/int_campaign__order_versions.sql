{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ begin_order_numbers() }}",
    post_hook=[
        "{{ note_order_numbers() }}",
        "{{ forget_old_versions(ref('int_campaign__order_prints')) }}",
    ],
) }}

with prints as (select * from {{ ref('int_campaign__order_prints') }}),

conversions as (select * from {{ ref('int_campaign__conversions') }}),

new as (
    select prints.*
    from prints
    {%- if is_update() %}
    left join
        {{ this }} as versions
        on prints.order_id = versions.order_id and prints.digest = versions.digest
    where versions.order_id is null
    {%- endif %}
),

highest as (
    select cast({{ highest_order_number() }} as bigint) as order_number
),

-- Whole numbers divide and sort many times faster than the ids of orders. An order that changed
-- gets a new one, so that whoever reads only numbers sees that it did.
final as (
    select
        new.order_id,
        conversions.order_date,
        new.digest,
        highest.order_number + row_number() over (order by new.order_id) as order_number
    from new
    cross join highest
    inner join conversions on new.order_id = conversions.order_id
)

select * from final
