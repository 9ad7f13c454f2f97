with rules as (
    select
        *,
        coalesce(source, source_kind, medium, medium_kind, campaign, click_id) is null
        and valid_from is null
        and valid_to is null as is_catch_all
    from {{ ref('channel_rules') }}
),

referrer_kinds as (select distinct kind from {{ ref('referrer_kinds') }}),

medium_kinds as (select distinct medium_kind from {{ ref('medium_kinds') }}),

counted as (
    select
        rules.*,
        count(*) over (partition by rules.rule_rank) as same_rank,
        count(*) over (partition by rules.rule_name) as same_name,
        max(rules.rule_rank) over () as last_rank
    from rules
),

judged as (
    select
        counted.rule_rank,
        counted.rule_name,
        case
            when counted.rule_rank is null
                then 'has no rule_rank: give it a number, lower ones are tried first'
            when counted.same_rank > 1
                then 'shares its rule_rank with another rule: give each rule its own'
            when counted.rule_name is null
                then 'has no rule_name: name it, the name stands in channel_rule'
            when counted.same_name > 1
                then 'shares its rule_name with another rule: give each rule its own'
            when counted.channel is null
                then 'names no channel: say which one it gives'
            when counted.channel <> {{ channel_text('counted.channel') }}
                then 'has a channel that is not lower case with underscores: write it so'
            when counted.source_kind is not null and referrer_kinds.kind is null
                then
                    'has a source_kind that no row of referrer_kinds.csv has: add one, or '
                    || 'correct it'
            when counted.medium_kind is not null and medium_kinds.medium_kind is null
                then
                    'has a medium_kind that no row of medium_kinds.csv has: add one, or '
                    || 'correct it'
            when counted.valid_to < counted.valid_from
                then 'ends before it begins: valid_to is its last day'
            when counted.is_catch_all and counted.rule_rank < counted.last_rank
                then 'has no condition, so that no rule after it is reached: rank it last'
            when not counted.is_catch_all and counted.rule_rank = counted.last_rank
                then
                    'is the last rule and has conditions, so that events may fit none: add one '
                    || 'without any after it, as 999,unassigned,(unassigned),,,,,,,,'
        end as problem
    from counted
    left join referrer_kinds on counted.source_kind = referrer_kinds.kind
    left join medium_kinds on counted.medium_kind = medium_kinds.medium_kind
)

select
    rule_rank,
    rule_name,
    'the rule ' || coalesce(rule_name, '(without a name)') || ' of channel_rules.csv '
    || problem as problem
from judged
where problem is not null
