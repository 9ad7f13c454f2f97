{{ config(materialized='table') }}

with click_ids as (select * from {{ ref('click_ids') }}),

referrer_kinds as (select * from {{ ref('referrer_kinds') }}),

periods as (select * from {{ ref('base_campaign__rule_periods') }}),

events as (select * from {{ ref('base_campaign__tagged_events') }}),

-- few, however many events there are: rules are tried on these only
said as (
    select distinct
        coalesce(source_tag, '') as source_tag,
        coalesce(medium_tag, '') as medium_tag,
        coalesce(campaign_tag, '') as campaign_tag,
        coalesce(referrer_host, '') as referrer_host,
        parameter_names
    from events
),

origins as (
    select
        said.*,
        periods.valid_from,
        periods.valid_before
    from said
    cross join periods
),

links as (
    select distinct
        parameter_names,
        valid_from
    from origins
),

-- of several click ids in one link the one of an advertisement tells more
clicked as (
    select
        links.parameter_names,
        links.valid_from,
        click_ids.parameter as click_id_kind,
        click_ids.source,
        click_ids.medium,
        click_ids.is_paid
    from links
    inner join
        click_ids
        on
            '&' || links.parameter_names || '&' like '%&' || click_ids.parameter || '&%'
            and {{ is_in_force('click_ids', 'links.valid_from') }}
    qualify
        row_number() over (
            partition by links.parameter_names, links.valid_from
            order by
                click_ids.is_paid desc, click_ids.parameter asc,
                coalesce(click_ids.valid_from, date '1900-01-01') desc
        ) = 1
),

hosts as (
    select distinct
        referrer_host,
        valid_from
    from origins
),

-- the longest name fits best: `mail.google` before `google`
sites as (
    select
        hosts.referrer_host,
        hosts.valid_from,
        referrer_kinds.kind
    from hosts
    inner join
        referrer_kinds
        on
            {{ site_matches('hosts.referrer_host', 'referrer_kinds.name') }}
            and {{ is_in_force('referrer_kinds', 'hosts.valid_from') }}
    qualify
        row_number() over (
            partition by hosts.referrer_host, hosts.valid_from
            order by
                length(referrer_kinds.name) desc, referrer_kinds.name asc,
                coalesce(referrer_kinds.valid_from, date '1900-01-01') desc
        ) = 1
),

-- what leads back from a payment, or within the shop, led nobody to it
led as (
    select
        origins.*,
        clicked.click_id_kind,
        coalesce(clicked.is_paid, false) as is_paid_click,
        clicked.source as click_source,
        clicked.medium as click_medium,
        case
            when coalesce(sites.kind, '') not in ('internal', 'payment')
                then nullif(origins.referrer_host, '')
        end as led_by,
        sites.kind as led_by_kind
    from origins
    left join
        clicked
        on
            origins.parameter_names = clicked.parameter_names
            and origins.valid_from = clicked.valid_from
    left join
        sites
        on
            origins.referrer_host = sites.referrer_host
            and origins.valid_from = sites.valid_from
),

final as (
    select
        source_tag,
        medium_tag,
        campaign_tag,
        referrer_host,
        parameter_names,
        valid_from,
        valid_before,
        click_id_kind,
        is_paid_click,
        coalesce(nullif(source_tag, ''), click_source, led_by, '(none)') as source,
        case
            when medium_tag <> '' then medium_tag
            when click_medium is not null then click_medium
            when source_tag <> '' or led_by is null then '(none)'
            when led_by_kind = 'search' then 'organic'
            else 'referral'
        end as medium,
        coalesce(nullif(campaign_tag, ''), '(none)') as campaign
    from led
)

select * from final
