with final as (
    select
        {{ as_of_date() }} - 7 as window_start,
        {{ as_of_date() }} as window_end,
        {{ day_start(as_of_date() ~ ' - 7') }} as begins_at,
        {{ day_start(as_of_date()) }} as ends_at,
        cast({{ var('recommend_bought_again') }} as boolean) as is_bought_again
)

select * from final
