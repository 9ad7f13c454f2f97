select
    touchpoints.touchpoint_id,
    count(path_touchpoints.path_id) as path_count
from {{ ref('campaign__touchpoints') }} as touchpoints
left join {{ ref('campaign__path_touchpoints') }} as path_touchpoints
    on touchpoints.touchpoint_id = path_touchpoints.touchpoint_id
group by touchpoints.touchpoint_id
having count(path_touchpoints.path_id) <> 1
