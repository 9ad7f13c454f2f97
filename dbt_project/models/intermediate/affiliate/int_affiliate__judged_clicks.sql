{%- set kinds = {
    'bot': ['program_visitor', 'agent', 'agent_sees_nothing', 'data_centre'],
    'duplicate': ['repeated'],
    'flood': [
        'crowd',
        'address_velocity',
        'affiliate_velocity',
        'clicks_without_orders',
        'nothing_followed',
    ],
    'self': ['own_account', 'merged_account', 'same_email', 'own_device'],
} -%}

with clicks as (select * from {{ ref('int_affiliate__suspected_clicks') }}),

decisions as (
    select * from {{ source('ledger', 'decisions') }}
    where kind in ('click_valid', 'click_held') and effective_at <= {{ as_of() }}
),

-- somebody may think again: the last decision counts
last_decisions as (
    select
        click_id,
        kind,
        author,
        reason
    from decisions
    qualify
        row_number() over (partition by click_id order by decided_at desc, decision_id desc) = 1
),

-- the rule that is told is the first that fits
ruled as (
    select
        *,
        case
            when bot_reason is not null then 'program_visitor'
            when agent_rule is not null then agent_rule
            when data_centre is not null then 'data_centre'
            when is_again then 'repeated'
            when browser_count is not null then 'crowd'
            when address_figures is not null then 'address_velocity'
            when affiliate_figures is not null then 'affiliate_velocity'
            when order_figures is not null then 'clicks_without_orders'
            when not is_seen then 'nothing_followed'
            when own_rule is not null then own_rule
            when own_device is not null then 'own_device'
        end as rule
    from clicks
),

judged as (
    select
        *,
        case rule
            {%- for kind, rules in kinds.items() %}
            {%- for name in rules %}
            when '{{ name }}' then '{{ kind }}'
            {%- endfor %}
            {%- endfor %}
            else 'valid'
        end as found_validity,
        case rule
            when 'program_visitor' then 'a program by its visits: ' || bot_reason
            when 'agent' then agent_figures
            when 'agent_sees_nothing' then agent_figures
            when 'data_centre' then 'address of ' || data_centre
            when 'repeated'
                then
                    'at most ' || cast(click_duplicate_seconds as {{ varchar(32) }})
                    || ' s after click ' || previous_click_id
            when 'crowd'
                then
                    cast(browser_count as {{ varchar(32) }})
                    || ' browsers behind one address, more than '
                    || cast(click_crowd_browsers as {{ varchar(32) }}) || ' within '
                    || cast(click_crowd_seconds as {{ varchar(32) }}) || ' s'
            when 'address_velocity' then address_figures
            when 'affiliate_velocity' then affiliate_figures
            when 'clicks_without_orders' then order_figures
            when 'nothing_followed' then 'nothing followed in its visit'
            when 'own_device' then 'the affiliate signed in on visitor ' || own_device
            else 'customer ' || customer_id
        end as found_figures
    from ruled
),

final as (
    select
        judged.click_id,
        judged.affiliate_id,
        judged.cell,
        judged.occurred_at,
        judged.visitor_id,
        judged.customer_id,
        judged.path_key,
        judged.product_id,
        judged.landing_page,
        case
            when last_decisions.kind = 'click_valid' then 'valid'
            when last_decisions.kind = 'click_held' and judged.rule is null then 'flood'
            else judged.found_validity
        end as validity,
        case
            when last_decisions.kind = 'click_valid' or judged.rule is null
                then case when last_decisions.kind is not null then 'reviewed' end
            else judged.rule
        end as validity_rule,
        case
            when last_decisions.kind is not null
                then
                    last_decisions.kind || ' by ' || last_decisions.author || ': '
                    || last_decisions.reason
                    || case
                        when judged.rule is null then ''
                        else ' (' || judged.rule || ': ' || judged.found_figures || ')'
                    end
            when judged.rule is not null then judged.found_figures
        end as validity_figures,
        last_decisions.kind is not null as is_reviewed,
        judged.click_order_minimum_seconds
    from judged
    left join last_decisions on judged.click_id = last_decisions.click_id
)

select * from final
