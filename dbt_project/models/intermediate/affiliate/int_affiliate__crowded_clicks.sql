{%- set in_order = "partition by affiliate_id, address order by occurred_at, click_id" -%}

with clicks as (
    select * from {{ ref('int_affiliate__seen_clicks') }}
    where address is not null and affiliate_id is not null and click_crowd_browsers is not null
),

-- Few addresses have so many clicks at all: only theirs are put in order.
suspects as (
    select
        affiliate_id,
        address
    from clicks
    group by affiliate_id, address
    having count(*) > min(click_crowd_browsers)
),

compared as (
    select
        clicks.click_id,
        clicks.affiliate_id,
        clicks.address,
        clicks.occurred_at,
        clicks.click_crowd_browsers,
        clicks.click_crowd_seconds * interval '1 second' as crowd_lasts,
        lag(clicks.occurred_at) over (
            partition by clicks.affiliate_id, clicks.address, clicks.browser_key
            order by clicks.occurred_at, clicks.click_id
        ) as browser_before_at
    from clicks
    inner join
        suspects
        on clicks.affiliate_id = suspects.affiliate_id and clicks.address = suspects.address
),

judged as (
    select
        *,
        browser_before_at is null or browser_before_at < occurred_at - crowd_lasts
            as is_new_browser
    from compared
),

-- since when so many other browsers came that this one is too many
browsers as (
    select
        click_id,
        occurred_at,
        crowd_lasts,
        lag(occurred_at, click_crowd_browsers) over ({{ in_order }}) as began_at
    from judged
    where is_new_browser
),

crowds as (
    select
        click_id,
        began_at
    from browsers
    where began_at >= occurred_at - crowd_lasts
),

-- the first ones belong to the crowd, too: the next one that is too many tells
spanned as (
    select
        judged.*,
        first_value(crowds.began_at ignore nulls) over (
            partition by judged.affiliate_id, judged.address
            order by judged.occurred_at, judged.click_id
            rows between current row and unbounded following
        ) as next_began_at
    from judged
    left join crowds on judged.click_id = crowds.click_id
),

crowded as (
    select
        *,
        lag(occurred_at) over ({{ in_order }}) as previous_at
    from spanned
    where next_began_at <= occurred_at
),

numbered as (
    select
        *,
        sum(case when previous_at >= occurred_at - crowd_lasts then 0 else 1 end) over (
            {{ in_order }} rows between unbounded preceding and current row
        ) as crowd_number
    from crowded
),

final as (
    select
        click_id,
        count(case when is_new_browser then 1 end) over (
            partition by affiliate_id, address, crowd_number
        ) as browser_count
    from numbered
)

select * from final
