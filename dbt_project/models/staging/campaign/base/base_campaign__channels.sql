{{ config(materialized='table') }}

with channel_rules as (select * from {{ ref('channel_rules') }}),

medium_kinds as (select * from {{ ref('medium_kinds') }}),

referrer_kinds as (select * from {{ ref('referrer_kinds') }}),

origins as (select * from {{ ref('base_campaign__origins') }}),

-- blanks, underscores and hyphens are the same to a rule
described as (
    select
        *,
        replace(replace(source, ' ', '-'), '_', '-') as plain_source,
        replace(replace(medium, ' ', '-'), '_', '-') as plain_medium,
        replace(replace(campaign, ' ', '-'), '_', '-') as plain_campaign,
        coalesce(click_id_kind, '(none)') as plain_click_id
    from origins
),

sources as (
    select distinct
        source,
        valid_from
    from described
),

source_kinds as (
    select
        sources.source,
        sources.valid_from,
        referrer_kinds.kind
    from sources
    inner join
        referrer_kinds
        on
            {{ site_matches('sources.source', 'referrer_kinds.name') }}
            and {{ is_in_force('referrer_kinds', 'sources.valid_from') }}
    qualify
        row_number() over (
            partition by sources.source, sources.valid_from
            order by
                length(referrer_kinds.name) desc, referrer_kinds.name asc,
                coalesce(referrer_kinds.valid_from, date '1900-01-01') desc
        ) = 1
),

media as (
    select distinct
        plain_medium,
        is_paid_click,
        valid_from
    from described
),

-- a medium may be of several kinds; whoever clicked an advertisement came by a paid one
kinds_of_media as (
    select
        media.plain_medium,
        media.is_paid_click,
        media.valid_from,
        medium_kinds.medium_kind
    from media
    inner join
        medium_kinds
        on
            media.plain_medium like medium_kinds.medium
            and {{ is_in_force('medium_kinds', 'media.valid_from') }}
    union
    select
        plain_medium,
        is_paid_click,
        valid_from,
        'paid' as medium_kind
    from media
    where is_paid_click
),

final as (
    select
        described.source_tag,
        described.medium_tag,
        described.campaign_tag,
        described.referrer_host,
        described.parameter_names,
        described.click_id_kind,
        described.valid_from,
        described.valid_before,
        channel_rules.channel,
        channel_rules.rule_name as channel_rule
    from described
    inner join
        channel_rules
        on
            {{ is_in_force('channel_rules', 'described.valid_from') }}
            and described.plain_source like coalesce(channel_rules.source, '%')
            and described.plain_medium like coalesce(channel_rules.medium, '%')
            and described.plain_campaign like coalesce(channel_rules.campaign, '%')
            and described.plain_click_id like coalesce(channel_rules.click_id, '%')
    left join
        source_kinds
        on
            described.source = source_kinds.source
            and described.valid_from = source_kinds.valid_from
    left join
        kinds_of_media
        on
            described.plain_medium = kinds_of_media.plain_medium
            and described.is_paid_click = kinds_of_media.is_paid_click
            and described.valid_from = kinds_of_media.valid_from
            and channel_rules.medium_kind = kinds_of_media.medium_kind
    where
        (channel_rules.source_kind is null or channel_rules.source_kind = source_kinds.kind)
        and (channel_rules.medium_kind is null or kinds_of_media.medium_kind is not null)
    qualify
        row_number() over (
            partition by
                described.source_tag,
                described.medium_tag,
                described.campaign_tag,
                described.referrer_host,
                described.parameter_names,
                described.valid_from
            order by channel_rules.rule_rank, channel_rules.rule_name
        ) = 1
)

select * from final
