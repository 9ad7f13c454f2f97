with products as (select * from {{ ref('stg_shop__products') }}),

numbers as (
    select * from {{ ref('int_core__numbers') }}
    where day_number between 1 and 16
),

named as (
    select
        product_id,
        {{ plain_words('name') }} as words
    from products
),

split as (
    select
        named.product_id,
        split_part(named.words, ' ', cast(numbers.day_number as integer)) as word
    from named
    cross join numbers
),

stemmed as (
    select distinct
        product_id,
        {{ word_stem('word') }} as word
    from split
    where word <> ''
),

totals as (select count(*) as product_count from products),

-- a word of few products says more of one: its weight is the square of its inverse frequency
weighed as (
    select
        stemmed.product_id,
        stemmed.word,
        cast(
            power(
                ln(
                    cast(totals.product_count + 1 as double precision)
                    / count(*) over (partition by stemmed.word)
                ),
                2
            ) as decimal(38, 12)
        ) as weight
    from stemmed
    cross join totals
),

final as (
    select
        product_id,
        word,
        weight,
        sum(weight) over (partition by product_id) as name_weight
    from weighed
)

select * from final
