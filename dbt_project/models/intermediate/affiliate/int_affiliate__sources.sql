with line_partners as (select * from {{ ref('int_affiliate__line_partners') }}),

candidates as (select * from {{ ref('int_affiliate__candidates') }}),

offered as (
    select
        line_partners.order_line_id,
        line_partners.order_id,
        line_partners.affiliate_id,
        line_partners.coupon_code,
        line_partners.click_choice,
        line_partners.window_rule,
        line_partners.window_hours,
        line_partners.window_ends_at,
        candidates.click_id,
        candidates.clicked_at
    from line_partners
    left join
        candidates
        on
            line_partners.order_id = candidates.order_id
            and line_partners.affiliate_id = candidates.affiliate_id
            and line_partners.window_ends_at = candidates.window_ends_at
            and line_partners.window_hours = candidates.window_hours
    where candidates.click_id is not null or line_partners.coupon_code is not null
),

-- the coupon's affiliate, else the last click (the first, where that is the rule); at one instant
-- the greatest id
final as (
    select
        order_line_id,
        order_id,
        affiliate_id,
        coupon_code,
        case when coupon_code is null then click_choice || '_click' else 'coupon' end
            as attribution_rule,
        window_rule,
        window_hours,
        window_ends_at,
        click_id,
        clicked_at
    from offered
    qualify
        row_number() over (
            partition by order_line_id
            order by
                case when coupon_code is null then 1 else 0 end,
                case when click_choice = 'first' then clicked_at end,
                clicked_at desc,
                click_id desc
        ) = 1
)

select * from final
