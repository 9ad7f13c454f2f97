with clicks as (select * from {{ ref('int_affiliate__judged_clicks') }}),

final as (
    select
        cast(click_id as {{ varchar(256) }}) as click_id,
        cell,
        cast(coalesce(affiliate_id, '(none)') as {{ varchar(256) }}) as affiliate_id,
        visitor_id,
        customer_id,
        product_id,
        landing_page,
        cast(validity as {{ varchar(64) }}) as validity,
        cast(validity_rule as {{ varchar(64) }}) as validity_rule,
        cast(validity_figures as {{ varchar(2048) }}) as validity_figures,
        is_reviewed,
        occurred_at,
        {{ reporting_date('occurred_at') }} as click_date
    from clicks
)

select * from final
