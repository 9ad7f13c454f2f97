with customers as (select * from {{ ref('stg_shop__customers') }}),

merged as (
    select
        customer_id,
        merged_into
    from customers
    where merged_into is not null
),

-- an account can be merged into one that was merged itself later: up to five steps are followed
final as (
    select
        merged.customer_id as merged_customer_id,
        coalesce(
            fifth_merge.merged_into,
            fourth_merge.merged_into,
            third_merge.merged_into,
            second_merge.merged_into,
            merged.merged_into
        ) as customer_id
    from merged
    left join merged as second_merge on merged.merged_into = second_merge.customer_id
    left join merged as third_merge on second_merge.merged_into = third_merge.customer_id
    left join merged as fourth_merge on third_merge.merged_into = fourth_merge.customer_id
    left join merged as fifth_merge on fourth_merge.merged_into = fifth_merge.customer_id
)

select * from final
