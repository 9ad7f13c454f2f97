{#- Written nowhere: the two models that read it take a column or a filter more. -#}
{{ config(materialized='view') }}
{%- set transforms = attribution_settings() | map(attribute='path_transform') | list -%}
{%- set in_path = "partition by first_touchpoint_id, channel, campaign_id" -%}
{%- set in_order = in_path ~ " order by occurred_at, source_rank, event_id" -%}
{%- set so_far = "rows between unbounded preceding and current row" -%}
{#- Only what some settings ask for: these windows are the dearest of all paths. -#}
{%- set is_counted = 'first' in transforms or 'frequency' in transforms -%}
{%- set first_of_campaign = "first_value(touchpoint_id) over (" ~ in_order ~ " " ~ so_far ~ ")" -%}

with touches as (select * from {{ ref('int_campaign__touches') }}),

numbered as (
    select
        *,
        {{ "row_number() over (" ~ in_order ~ ")" if is_counted else 1 }} as campaign_position,
        {{ first_of_campaign if is_counted else "touchpoint_id" }} as campaign_touchpoint_id,
        {{ "count(*) over (" ~ in_path ~ ")" if is_counted else 1 }} as campaign_touch_count
    from touches
),

judged as (
    select
        *,
        case
            when path_transform = 'exposure' and is_next_the_same = 1 then next_touchpoint_id
            when path_transform in ('first', 'frequency') and campaign_position > 1
                then campaign_touchpoint_id
        end as replaced_by_id
    from numbered
),

final as (
    select
        path_key,
        case
            when order_id is not null then 'order ' || order_id
            else 'none ' || first_touchpoint_id
        end as path_name,
        touchpoint_id,
        channel,
        campaign_id,
        occurred_at,
        source_rank,
        event_id,
        order_id,
        ordered_at,
        next_order_id,
        next_ordered_at,
        replaced_by_id,
        case when replaced_by_id is null then 'considered' else 'transform_' || path_transform end
            as rule,
        case when path_transform = 'frequency' then campaign_touch_count else 1 end as touch_count
    from judged
)

select * from final
