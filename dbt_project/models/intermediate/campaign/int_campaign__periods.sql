with orders as (
    select * from {{ ref('int_core__orders') }}
    where is_counted
),

settings as (select * from {{ ref('int_campaign__settings') }}),

months as (
    select distinct
        cast(date_trunc('month', {{ reporting_date('ordered_at') }}) as date) as period
    from orders
),

bounded as (
    select
        period,
        cast(date_trunc('month', period + 31) as date) as fit_before
    from months
),

dated as (
    select
        bounded.period,
        bounded.fit_before - settings.fit_days as fit_from,
        bounded.fit_before,
        {{ final_at('bounded.period') }} as due_at,
        settings.markov_order,
        settings.settings_id
    from bounded
    inner join settings
        on
            bounded.period >= settings.valid_from
            and (settings.valid_before is null or bounded.period < settings.valid_before)
),

final as (
    select
        *,
        {{ is_due() }} as is_final
    from dated
)

select * from final
