{%- set this_week = "cast(date_trunc('week', " ~ as_of_date() ~ ") as date)" -%}

with final as (
    select
        {{ this_week }} - 7 as window_start,
        {{ this_week }} as window_end,
        {{ day_start(this_week ~ ' - 7') }} as begins_at,
        {{ day_start(this_week) }} as ends_at,
        cast({{ var('recommend_bought_again') }} as boolean) as is_bought_again
)

select * from final
