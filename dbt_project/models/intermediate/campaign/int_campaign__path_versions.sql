with touches as (
    select
        path_key,
        path_id
    from {{ ref('int_campaign__path_touches') }}
    where order_id is null and position = 1
),

conversions as (select * from {{ ref('int_campaign__conversions') }}),

prints as (select * from {{ ref('int_campaign__path_prints') }}),

-- an order is a path also where nothing led to it
paths as (
    select
        path_id,
        {{ row_hash(['path_key']) }} as owner_hash
    from touches
    union all
    select
        md5('order ' || order_id) as path_id,
        {{ row_hash(['path_key']) }} as owner_hash
    from conversions
    where path_key is not null
),

-- an order of nobody is explained by itself
final as (
    select
        {{ row_hash(['paths.path_id']) }} as key_hash,
        paths.owner_hash,
        prints.digest
    from paths
    inner join prints on paths.owner_hash = prints.key_hash
    union all
    select
        {{ row_hash(["md5('order ' || order_id)"]) }} as key_hash,
        null as owner_hash,
        cast({{ row_hash(['order_id', 'ordered_at', 'order_date']) }} as decimal(38, 0)) as digest
    from conversions
    where path_key is null
)

select * from final
