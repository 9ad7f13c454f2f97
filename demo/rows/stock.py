"""The stock's movements: what orders took and refunds brought back per day, and deliveries.

What is sold on a day is booked at 23:00 UTC. Every Monday at 06:00 a delivery brings each article
back to its level; a planned stock-out takes it to 0, its end back to its level.
"""

import duckdb
import pyarrow as pa

# articles: product_id (one per code, letter case aside), created_at, ended_at, level.
# goods: product_id, quantity, kind, went_at. outs: product_id, from_at, to_at.
MOVED = """
create table moved as
select
    product_id,
    kind,
    sum(quantity) as quantity,
    time_bucket(interval 1 day, went_at + interval 1 hour) + interval 23 hour as moved_at
from (
    select
        article.product_id,
        goods.kind,
        goods.quantity,
        -- What comes back while an article is sold out is on sale when it is again.
        coalesce(outs.to_at, goods.went_at) as went_at
    from goods
    inner join articles as article on upper(goods.product_id) = upper(article.product_id)
    left join outs
        on article.product_id = outs.product_id
        and goods.kind = 'return'
        and goods.went_at >= outs.from_at - interval 30 minute
        and goods.went_at < outs.to_at
)
group by all
"""
REVIEWS = """
create table reviews as
with mondays as (
    select unnest(generate_series(
        date_trunc('week', cast($opened as timestamptz)) + interval 6 hour,
        cast($now as timestamptz),
        interval 7 day
    )) as due_at
)

select product_id, created_at as due_at, level as target, level
from articles
union all
select article.product_id, mondays.due_at, article.level, article.level
from mondays
inner join articles as article
    on mondays.due_at > article.created_at and mondays.due_at < article.ended_at
anti join outs
    on article.product_id = outs.product_id and mondays.due_at between outs.from_at and outs.to_at
union all
select product_id, outs.from_at, 0, level from outs inner join articles using (product_id)
union all
select product_id, outs.to_at, level, level from outs inner join articles using (product_id)
"""
MOVEMENTS = """
with steps as (
    select product_id, moved_at, quantity, null as target from moved
    union all
    select product_id, due_at, 0, target from reviews
),

-- What moved since the last review is what this one finds beside that one's target.
sums as (
    select
        product_id,
        moved_at,
        target,
        sum(quantity) over (
            partition by product_id order by moved_at rows unbounded preceding
        ) as so_far
    from steps
),

deliveries as (
    select
        product_id,
        moved_at,
        target
        - lag(target, 1, 0) over by_time
        - (so_far - lag(so_far, 1, 0) over by_time) as quantity
    from sums
    where target is not null
    window by_time as (partition by product_id order by moved_at)
),

movements as (
    select product_id, kind, quantity, moved_at from moved
    union all
    select
        product_id,
        case when quantity > 0 then 'receipt' else 'adjustment' end,
        quantity,
        moved_at
    from deliveries
)

select
    product_id || '/' || kind || '/' || strftime(moved_at, '%Y%m%d%H%M') as movement_id,
    product_id,
    kind,
    cast(quantity as integer) as quantity,
    moved_at
from movements
where quantity <> 0 and moved_at <= $now
order by product_id, moved_at, kind
"""


def movements(connection: duckdb.DuckDBPyConnection, opened: str, now: str) -> pa.Table:
    """Return the rows of inventory_movements up to `now` (ISO-8601 UTC).

    The connection holds the tables `articles`, `goods` and `outs`; quantities of goods are signed.
    Instants before 23:00 UTC of the day of `opened` are booked on that day.
    """
    connection.execute(MOVED)
    connection.execute(REVIEWS, {"opened": opened, "now": now})
    return connection.sql(MOVEMENTS, params={"now": now}).to_arrow_table()
