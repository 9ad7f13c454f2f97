with final as (select * from {{ ref('int_campaign__activity_daily') }})

select * from final
