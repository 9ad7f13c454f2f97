-- What went back whole, or was bought, is not to be shown to that customer; the rest to nobody.
with recommendations as (select * from {{ ref('recommendation__customer_recommendations') }}),

products as (select * from {{ ref('int_recommendation__products') }}),

customer_exclusions as (select * from {{ ref('int_recommendation__customer_exclusions') }}),

judged as (
    select
        recommendations.customer_id,
        recommendations.rank,
        recommendations.product_id,
        case
            when products.product_id is null then 'not_in_the_catalogue'
            when not products.is_recommendable then products.exclusion
            else customer_exclusions.exclusion
        end as exclusion
    from recommendations
    left join products on recommendations.product_id = products.product_id
    left join
        customer_exclusions
        on
            recommendations.customer_id = customer_exclusions.customer_id
            and recommendations.product_id = customer_exclusions.product_id
)

select * from judged
where exclusion is not null
