with baskets as (
    select * from {{ ref('int_recommendation__baskets') }}
    where is_within_cap
),

totals as (
    select count(distinct order_id) as n from baskets
),

products as (
    select
        product_id,
        count(*) as n_product
    from baskets
    group by product_id
),

bought_together as (
    select
        a.product_id,
        b.product_id as other_product_id,
        count(*) as n_ab
    from baskets as a
    inner join baskets as b on a.order_id = b.order_id and a.product_id < b.product_id
    group by a.product_id, b.product_id
),

counted as (
    select
        bought_together.product_id,
        bought_together.other_product_id,
        products.n_product as n_a,
        other_products.n_product as n_b,
        bought_together.n_ab,
        totals.n
    from bought_together
    inner join products on bought_together.product_id = products.product_id
    inner join
        products as other_products
        on bought_together.other_product_id = other_products.product_id
    cross join totals
    where bought_together.n_ab >= totals.n * {{ var('pair_minimum_support') }}
),

-- measures that do not care for the direction are computed once, so that both rows hold the same
measured as (
    select
        *,
        {{ ratio('n_ab', 'n') }} as support,
        cast(n_ab as double precision) * n / (cast(n_a as double precision) * n_b) as lift,
        n_ab / sqrt(cast(n_a as double precision) * n_b) as cosine,
        {{ ratio('n_ab', 'n_a + n_b - n_ab') }} as jaccard,
        -- a pair in every basket: the measure's limit
        case
            when n_ab = n then 1
            else
                ln(cast(n_ab as double precision) * n / (cast(n_a as double precision) * n_b))
                / -ln(cast(n_ab as double precision) / n)
        end as npmi,
        2 * (
            {{ x_log_x('n_ab') }} + {{ x_log_x('n_a - n_ab') }} + {{ x_log_x('n_b - n_ab') }}
            + {{ x_log_x('n - n_a - n_b + n_ab') }} + {{ x_log_x('n') }}
            - {{ x_log_x('n_a') }} - {{ x_log_x('n - n_a') }}
            - {{ x_log_x('n_b') }} - {{ x_log_x('n - n_b') }}
        ) as llr
    from counted
),

both_ways as (
    select
        product_id,
        other_product_id,
        n_a,
        n_b,
        n_ab,
        n,
        support,
        lift,
        cosine,
        jaccard,
        npmi,
        llr
    from measured
    union all
    select
        other_product_id as product_id,
        product_id as other_product_id,
        n_b as n_a,
        n_a as n_b,
        n_ab,
        n,
        support,
        lift,
        cosine,
        jaccard,
        npmi,
        llr
    from measured
),

final as (
    select
        cast('co_purchase' as {{ varchar(64) }}) as kind,
        product_id,
        other_product_id,
        n_a,
        n_b,
        n_ab,
        n,
        support,
        {{ ratio('n_ab', 'n_a') }} as confidence,
        lift,
        cosine,
        jaccard,
        npmi,
        llr
    from both_ways
)

select * from final
