{%- set decays = var('pair_half_life_days') is not none -%}

with baskets as (
    select * from {{ ref('int_recommendation__baskets') }}
    where is_within_cap
),

numbered_baskets as (
    select
        kind,
        basket_id,
        row_number() over (order by kind, basket_id) as basket_number
    from baskets
    group by kind, basket_id
),

totals as (
    select
        kind,
        count(*) as n,
        least(
            count(*) * {{ var('pair_minimum_support') }}, {{ var('pair_minimum_baskets') }}
        ) as minimum
    from numbered_baskets
    group by kind
),

products as (
    select
        kind,
        product_id,
        count(*) as n_product,
        {% if decays -%}
        cast(sum({{ recent_weight('first_at') }}) as double precision)
        {%- else -%}
        cast(count(*) as double precision)
        {%- endif %} as recent_n_product
    from baskets
    group by kind, product_id
),

-- no pair is in more baskets than either of its products
frequent_products as (
    select
        products.kind,
        products.product_id,
        products.n_product,
        products.recent_n_product,
        totals.n,
        totals.minimum,
        row_number() over (order by products.kind, products.product_id) as product_number
    from products
    inner join totals on products.kind = totals.kind
    where products.n_product >= totals.minimum
),

-- what is compared and counted millions of times are numbers: a basket's, and a product's of a kind
contents as (
    select
        numbered_baskets.basket_number,
        frequent_products.product_number,
        {% if decays -%}
        {{ recent_weight('baskets.first_at') }}
        {%- else -%}
        1
        {%- endif %} as recent_weight
    from baskets
    inner join
        numbered_baskets
        on baskets.kind = numbered_baskets.kind and baskets.basket_id = numbered_baskets.basket_id
    inner join
        frequent_products
        on
            baskets.kind = frequent_products.kind
            and baskets.product_id = frequent_products.product_id
),

-- a pair is as old as the first of its two products
together as (
    select
        a.product_number,
        b.product_number as other_product_number,
        count(*) as n_ab,
        {% if decays -%}
        cast(sum(least(a.recent_weight, b.recent_weight)) as double precision)
        {%- else -%}
        cast(count(*) as double precision)
        {%- endif %} as recent_n_ab
    from contents as a
    inner join
        contents as b
        on a.basket_number = b.basket_number and a.product_number < b.product_number
    group by a.product_number, b.product_number
),

final as (
    select
        products.kind,
        products.product_id,
        other_products.product_id as other_product_id,
        products.n_product as n_a,
        other_products.n_product as n_b,
        together.n_ab,
        products.n,
        products.recent_n_product as recent_n_a,
        other_products.recent_n_product as recent_n_b,
        together.recent_n_ab
    from together
    inner join
        frequent_products as products
        on together.product_number = products.product_number
    inner join
        frequent_products as other_products
        on together.other_product_number = other_products.product_number
    where together.n_ab >= products.minimum
)

select * from final
