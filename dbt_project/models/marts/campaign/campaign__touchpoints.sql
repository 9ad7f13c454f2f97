with sessions as (select * from {{ ref('int_core__sessions') }}),

final as (
    select
        session_id as touchpoint_id,
        cell,
        session_id,
        visitor_id,
        customer_id,
        channel,
        campaign_id,
        landing_page,
        started_at as occurred_at,
        session_date as touch_date
    from sessions
)

select * from final
