with clicks as (
    select * from {{ ref('int_affiliate__seen_clicks') }}
    where user_agent is not null
),

bot_agents as (select * from {{ ref('bot_agents') }}),

agents as (
    select
        user_agent,
        count(is_seen) as told_count,
        count(case when is_seen then 1 end) as seen_count,
        max(click_agent_minimum_clicks) as minimum_clicks,
        max(click_agent_seen_share) as seen_share
    from clicks
    group by user_agent
),

-- A hash fits no pattern: what its clicks led to tells then.
reasons as (
    select
        agents.user_agent,
        bot_agents.rule_rank,
        'agent' as rule,
        'named ' || bot_agents.user_agent || ' (' || bot_agents.reason || ')' as figures
    from agents
    inner join bot_agents on lower(agents.user_agent) like bot_agents.user_agent
    union all
    select
        user_agent,
        9999999 as rule_rank,
        'agent_sees_nothing' as rule,
        cast(seen_count as {{ varchar(32) }}) || ' of ' || cast(told_count as {{ varchar(32) }})
        || ' clicks by this agent were followed by anything' as figures
    from agents
    where
        told_count >= minimum_clicks
        and seen_count <= seen_share * told_count
),

final as (
    select
        user_agent,
        rule,
        figures
    from reasons
    qualify row_number() over (partition by user_agent order by rule_rank, figures) = 1
)

select * from final
