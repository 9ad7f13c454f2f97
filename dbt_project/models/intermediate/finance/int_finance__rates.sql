with fx_rates as (select * from {{ ref('stg_finance__fx_rates') }}),

ages as (
    {%- for age in range(var('rate_lifetime_days') | int + 1) %}
    select {{ age }} as days_old
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- each rate speaks for its day and the days after it, until a newer one does
usable as (
    select
        fx_rates.rate_date + ages.days_old as rate_date,
        fx_rates.currency,
        fx_rates.rate,
        ages.days_old
    from fx_rates
    cross join ages
    where fx_rates.currency <> '{{ var("reporting_currency") }}'
),

final as (
    select
        rate_date,
        currency,
        rate,
        days_old
    from usable
    qualify row_number() over (partition by currency, rate_date order by days_old) = 1
)

select * from final
