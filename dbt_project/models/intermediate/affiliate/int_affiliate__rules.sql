{%- set types = {
    'integer': 'integer', 'amount': 'decimal(18, 2)', 'share': 'decimal(9, 8)', 'switch': 'boolean',
    'choice': varchar(256), 'text': varchar(256),
    'calendar': varchar(256),
} -%}

with rules as (select * from {{ ref('affiliate_rules') }}),

affiliates as (select * from {{ ref('stg_affiliate__affiliates') }}),

partners as (
    select affiliate_id from affiliates
    union
    select '(none)' as affiliate_id
),

-- the days on which any rule begins or ends cut time into stretches, the same for all affiliates
starts as (
    select date '1900-01-01' as valid_from
    union
    select valid_from
    from rules
    where valid_from is not null
    union
    select cast(valid_to + interval '1 days' as date) as valid_from
    from rules
    where valid_to is not null
),

stretches as (
    select
        valid_from,
        coalesce(lead(valid_from) over (order by valid_from), date '9999-12-31') as valid_before
    from starts
),

-- what is for the affiliate alone comes before what is for all
in_force as (
    select
        partners.affiliate_id,
        stretches.valid_from,
        stretches.valid_before,
        rules.rule,
        rules.value
    from partners
    cross join stretches
    inner join
        rules
        on
            coalesce(rules.affiliate_id, partners.affiliate_id) = partners.affiliate_id
            and {{ is_in_force('rules', 'stretches.valid_from') }}
    qualify
        row_number() over (
            partition by partners.affiliate_id, stretches.valid_from, rules.rule
            order by case when rules.affiliate_id is null then 1 else 0 end, rules.value
        ) = 1
),

final as (
    select
        {%- for rule in affiliate_rules() %}
        cast(
            max(case when rule = '{{ rule.name }}' then nullif(value, 'off') end)
            as {{ types[rule.type] }}
        ) as {{ rule.name }},
        {%- endfor %}
        affiliate_id,
        valid_from,
        valid_before
    from in_force
    group by affiliate_id, valid_from, valid_before
)

select * from final
