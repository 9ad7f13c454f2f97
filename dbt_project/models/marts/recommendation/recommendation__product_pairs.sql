with counted as (select * from {{ ref('int_recommendation__pair_counts') }}),

-- The 2 x 2 table of both products. How far the counts are from chance, n_ab - n_a n_b / n, is the
-- same in its four cells, and exact here times n: doubles would lose it where it is small.
tabulated as (
    select
        *,
        cast(n_a as double precision) as a,
        cast(n_b as double precision) as b,
        cast(n - n_a as double precision) as not_a,
        cast(n - n_b as double precision) as not_b,
        n_a - n_ab as n_a_only,
        n_b - n_ab as n_b_only,
        n - n_a - n_b + n_ab as n_neither,
        cast(
            cast(n_ab as decimal(19, 0)) * cast(n as decimal(19, 0))
            - cast(n_a as decimal(19, 0)) * cast(n_b as decimal(19, 0))
            as double precision
        ) as difference
    from counted
),

expected as (
    select
        *,
        {{ ratio('a * b', 'n') }} as e_ab,
        {{ ratio('a * not_b', 'n') }} as e_a_only,
        {{ ratio('not_a * b', 'n') }} as e_b_only,
        {{ ratio('not_a * not_b', 'n') }} as e_neither,
        {{ ratio('difference', 'a * b') }} as x_ab,
        {{ ratio('-difference', 'a * not_b') }} as x_a_only,
        {{ ratio('-difference', 'not_a * b') }} as x_b_only,
        {{ ratio('difference', 'not_a * not_b') }} as x_neither,
        cast(n_ab as double precision) * n / (a * b) as lift,
        {{ ratio('n_ab', 'n') }} as support,
        -- (x - 1) / (x + 1) of lift and support
        {{ ratio('difference', 'cast(n_ab as double precision) * n + a * b') }} as z_lift,
        {{ ratio('n_ab - n', 'n_ab + n') }} as z_support
    from tabulated
),

-- measures that do not care for the direction are computed once, so that both rows hold the same
measured as (
    select
        *,
        cast(n_ab as double precision) / sqrt(a * b) as cosine,
        {{ ratio('n_ab', 'n_a + n_b - n_ab') }} as jaccard,
        -- never apart: the measure's limit, also where both are in every basket
        case
            when n_ab = n_a and n_ab = n_b then 1
            else
                ({{ log_of_ratio('lift', 'z_lift') }})
                * cast(-1 as double precision) / ({{ log_of_ratio('support', 'z_support') }})
        end as npmi,
        -- in brackets what the direction swaps, so that the last digit is the same both ways
        {{ likelihood_term('n_ab', 'e_ab', 'x_ab') }}
        + {{ likelihood_term('n_neither', 'e_neither', 'x_neither') }}
        + (
            {{ likelihood_term('n_a_only', 'e_a_only', 'x_a_only') }}
            + {{ likelihood_term('n_b_only', 'e_b_only', 'x_b_only') }}
        ) as llr,
        {{ ratio('recent_n_ab', 'sqrt(recent_n_a * recent_n_b)') }} as recent_cosine
    from expected
),

-- both ways of a pair in one pass: as a union, all measures were worked out twice
directions as (
    select false as is_turned
    union all
    select true as is_turned
),

both_ways as (
    select
        measured.*,
        case
            when directions.is_turned then measured.other_product_id
            else measured.product_id
        end as first_id,
        case
            when directions.is_turned then measured.product_id
            else measured.other_product_id
        end as second_id,
        case
            when directions.is_turned then measured.n_b
            else measured.n_a
        end as n_first,
        case
            when directions.is_turned then measured.n_a
            else measured.n_b
        end as n_second
    from measured
    cross join directions
),

final as (
    select
        cast(kind as {{ varchar(64) }}) as kind,
        first_id as product_id,
        second_id as other_product_id,
        n_first as n_a,
        n_second as n_b,
        n_ab,
        n,
        support,
        {{ ratio('n_ab', 'n_first') }} as confidence,
        lift,
        cosine,
        jaccard,
        npmi,
        llr,
        recent_n_ab,
        recent_cosine
    from both_ways
)

select * from final
