{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_core__visitor_prints')) }}",
        "{{ forget_changed(ref('int_core__visitor_prints'), row_hash([session_visitor_key()])) }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_core__visitor_prints')) }}"],
) }}
with sessions as (
    select * from {{ ref('int_core__sessions') }}
    where {{ is_changed('int_core__visitor_prints', row_hash(['visitor_key'])) }}
),

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
