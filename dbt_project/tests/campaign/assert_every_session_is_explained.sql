-- in exactly one path of its own, considered there or not, and in path_touchpoints where considered
with explained as (
    select
        touchpoint_id,
        count(*) as path_count,
        count(case when is_considered then 1 end) as considered_count,
        min(case when is_considered then path_id end) as path_id
    from {{ ref('campaign__path_explanations') }}
    where rule not in ('before_lookback', 'claimed_by_earlier_order')
    group by touchpoint_id
)

select
    touchpoints.touchpoint_id,
    explained.path_count,
    path_touchpoints.path_id
from {{ ref('campaign__touchpoints') }} as touchpoints
left join explained on touchpoints.touchpoint_id = explained.touchpoint_id
left join {{ ref('campaign__path_touchpoints') }} as path_touchpoints
    on touchpoints.touchpoint_id = path_touchpoints.touchpoint_id
where
    coalesce(explained.path_count, 0) <> 1
    or (path_touchpoints.path_id is null) <> (explained.considered_count = 0)
    or path_touchpoints.path_id <> explained.path_id
