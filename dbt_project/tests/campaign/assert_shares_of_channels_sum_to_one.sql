-- a month and data-driven model whose shares do not sum to exactly 1
select
    period,
    model,
    sum(share) as total
from {{ ref('campaign__channel_weights') }}
group by period, model
having sum(share) <> 1
