{%- set unconverted_rules = {
    'order': 'orders',
    'refund': 'refund lines',
    'payment': 'payments',
    'spend': 'bills of a campaign',
    'list price': 'list prices',
} -%}

with visitor_events as (select * from {{ ref('int_core__visitor_events') }}),

campaign_events as (select * from {{ ref('stg_campaign__events') }}),

sessions as (select * from {{ ref('int_core__sessions') }}),

basket_counts as (select * from {{ source('solved', 'basket_counts') }}),

unconverted as (select * from {{ ref('int_meta__unconverted') }}),

final as (
    select
        'session events with neither visitor nor customer' as rule,
        count(*) as row_count
    from visitor_events
    where is_session_event and visitor_key is null
    union all
    select
        'campaign events of programs' as rule,
        count(*) as row_count
    from campaign_events
    where is_bot
    union all
    select
        'campaign events at their receipt, their own time being wrong' as rule,
        count(*) as row_count
    from campaign_events
    where is_time_replaced
    union all
    select
        'sessions that go on with one that was cut at session_max_hours' as rule,
        count(*) as row_count
    from sessions
    where is_cut
    union all
    select
        'baskets with more products than basket_cap' as rule,
        cast(coalesce(sum(large_basket_count), 0) as bigint) as row_count
    from basket_counts
    {%- for kind, rule in unconverted_rules.items() %}
    union all
    select
        '{{ rule }} without an exchange rate' as rule,
        count(*) as row_count
    from unconverted
    where kind = '{{ kind }}'
    {%- endfor %}
)

select * from final
