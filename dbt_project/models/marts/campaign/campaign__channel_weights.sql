with final as (select * from {{ ref('int_campaign__channel_weights') }})

select * from final
