with sessions as (select * from {{ ref('int_core__sessions') }}),

final as (
    select
        session_id,
        cell,
        visitor_id,
        customer_id,
        channel,
        campaign_id,
        landing_page,
        started_at,
        ended_at,
        session_date,
        event_count,
        product_view_count,
        search_count,
        cart_event_count,
        order_count,
        affiliate_click_count,
        wishlist_count,
        is_cut
    from sessions
)

select * from final
