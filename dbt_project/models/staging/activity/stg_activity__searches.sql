with searches as (select * from {{ ref('base_activity__searches') }}),

final as (
    select
        cast(search_id as {{ varchar(256) }}) as search_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(visitor_id as {{ varchar(256) }}) as visitor_id,
        cast(customer_id as {{ varchar(256) }}) as customer_id,
        cast(query as {{ varchar(2048) }}) as query,
        cast(result_count as bigint) as result_count,
        cast(clicked_product_id as {{ varchar(256) }}) as clicked_product_id,
        due_at as occurred_at,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from searches
    where {{ is_due() }}
)

select * from final
