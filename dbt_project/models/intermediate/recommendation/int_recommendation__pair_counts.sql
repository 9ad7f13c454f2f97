{%- set decays = var('pair_half_life_days') is not none -%}
{#- Without weights of baskets it is what was counted, read once. -#}
{{ config(materialized='table' if decays else 'view') }}

-- depends_on: {{ ref('int_recommendation__basket_rows') }}
with counted as (select * from {{ source('solved', 'pair_counts') }}),
{%- if decays %}

basket_rows as (select * from {{ ref('int_recommendation__basket_rows') }}),

baskets as (
    select
        kind,
        basket_hash,
        product_id,
        {{ recent_weight('min(occurred_at)') }} as recent_weight
    from basket_rows
    group by kind, basket_hash, product_id
),

large as (
    select basket_hash
    from baskets
    group by basket_hash
    having count(*) > {{ var('basket_cap') }}
),

within_cap as (
    select baskets.*
    from baskets
    left join large on baskets.basket_hash = large.basket_hash
    where large.basket_hash is null
),

paired as (
    select
        kind,
        product_id
    from counted
    union distinct
    select
        kind,
        other_product_id as product_id
    from counted
),

-- what is compared and counted millions of times are numbers, and only of products in some pair
products as (
    select
        within_cap.kind,
        within_cap.product_id,
        cast(sum(within_cap.recent_weight) as double precision) as recent_n,
        row_number() over (order by within_cap.kind, within_cap.product_id) as product_number
    from within_cap
    inner join
        paired
        on within_cap.kind = paired.kind and within_cap.product_id = paired.product_id
    group by within_cap.kind, within_cap.product_id
),

contents as (
    select
        within_cap.basket_hash,
        products.product_number,
        within_cap.recent_weight
    from within_cap
    inner join
        products
        on within_cap.kind = products.kind and within_cap.product_id = products.product_id
),

-- a pair is as old as the first of its two products
together as (
    select
        a.product_number,
        b.product_number as other_product_number,
        cast(sum(least(a.recent_weight, b.recent_weight)) as double precision) as recent_n_ab
    from contents as a
    inner join
        contents as b
        on a.basket_hash = b.basket_hash and a.product_number < b.product_number
    group by a.product_number, b.product_number
),

final as (
    select
        counted.kind,
        counted.product_id,
        counted.other_product_id,
        counted.n_a,
        counted.n_b,
        counted.n_ab,
        counted.n,
        products.recent_n as recent_n_a,
        other_products.recent_n as recent_n_b,
        together.recent_n_ab
    from counted
    inner join
        products
        on counted.kind = products.kind and counted.product_id = products.product_id
    inner join
        products as other_products
        on
            counted.kind = other_products.kind
            and counted.other_product_id = other_products.product_id
    inner join
        together
        on
            least(products.product_number, other_products.product_number)
            = together.product_number
            and greatest(products.product_number, other_products.product_number)
            = together.other_product_number
)
{%- else %}

final as (
    select
        kind,
        product_id,
        other_product_id,
        n_a,
        n_b,
        n_ab,
        n,
        cast(n_a as double precision) as recent_n_a,
        cast(n_b as double precision) as recent_n_b,
        cast(n_ab as double precision) as recent_n_ab
    from counted
)
{%- endif %}

select * from final
