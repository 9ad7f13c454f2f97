with parts as (
    select
        report_date,
        digest
    from {{ ref('int_campaign__seen_events') }}
    union all
    select
        session_date as report_date,
        digest
    from {{ ref('int_campaign__visits') }}
    union all
    select
        report_date,
        {{ row_hash(['channel', 'campaign_id', 'spend']) }} as digest
    from {{ ref('int_campaign__spend_daily') }}
),

final as (
    select
        report_date,
        {{ rows_print('digest') }} as digest
    from parts
    group by report_date
)

select * from final
