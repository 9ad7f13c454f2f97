{{ config(materialized='table') }}

with bot_agents as (select * from {{ ref('bot_agents') }}),

events as (select * from {{ ref('base_campaign__tagged_events') }}),

agents as (
    select distinct user_agent
    from events
    where user_agent <> ''
),

final as (
    select
        agents.user_agent,
        bot_agents.reason
    from agents
    inner join bot_agents on lower(agents.user_agent) like bot_agents.user_agent
    qualify
        row_number() over (
            partition by agents.user_agent order by bot_agents.rule_rank, bot_agents.reason
        ) = 1
)

select * from final
