with searches as (
    select * from {{ ref('stg_activity__searches') }}
    where
        nullif(clicked_product_id, '') is null
        and occurred_at >= {{ as_of() }} - interval '{{ var("trigger_window_days") }} days'
),

product_words as (select * from {{ ref('int_recommendation__product_words') }}),

products as (select * from {{ ref('stg_shop__products') }}),

numbers as (
    select * from {{ ref('int_core__numbers') }}
    where day_number between 1 and 16
),

queries as (
    select distinct
        query,
        {{ plain_words('query') }} as words
    from searches
    where query is not null
),

split as (
    select
        queries.query,
        split_part(queries.words, ' ', cast(numbers.day_number as integer)) as word
    from queries
    cross join numbers
),

stemmed as (
    select distinct
        query,
        {{ word_stem('word') }} as word
    from split
    where word <> ''
),

known_words as (
    select distinct
        word,
        weight
    from product_words
),

-- what no product is called weighs as what one is
unknown as (
    select
        cast(
            power(ln(cast(count(*) + 1 as double precision)), 2) as decimal(38, 12)
        ) as weight
    from products
),

weighed as (
    select
        stemmed.query,
        stemmed.word,
        known_words.word is not null as is_known,
        sum(coalesce(known_words.weight, unknown.weight)) over (
            partition by stemmed.query
        ) as query_weight,
        row_number() over (
            partition by stemmed.query order by known_words.weight desc nulls last, stemmed.word asc
        ) as place
    from stemmed
    cross join unknown
    left join known_words on stemmed.word = known_words.word
),

-- only products with the query's most telling word are compared: a common one is in most names
candidates as (
    select
        weighed.query,
        weighed.query_weight,
        product_words.product_id,
        product_words.name_weight
    from weighed
    inner join product_words on weighed.word = product_words.word
    where weighed.place = 1 and weighed.is_known
),

shared as (
    select
        candidates.query,
        candidates.product_id,
        candidates.query_weight,
        candidates.name_weight,
        sum(product_words.weight) as shared_weight
    from candidates
    inner join product_words on candidates.product_id = product_words.product_id
    inner join
        weighed
        on candidates.query = weighed.query and product_words.word = weighed.word
    group by
        candidates.query, candidates.product_id, candidates.query_weight, candidates.name_weight
),

-- the cosine of the angle between the two, as search engines have it
scored as (
    select
        query,
        product_id,
        cast(shared_weight as double precision)
        / sqrt(cast(query_weight as double precision) * cast(name_weight as double precision))
            as similarity
    from shared
),

final as (
    select
        query,
        product_id,
        similarity
    from scored
    where similarity >= {{ var('trigger_search_similarity') }}
    qualify row_number() over (partition by query order by similarity desc, product_id asc) = 1
)

select * from final
