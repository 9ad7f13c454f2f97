{%- set patterns = {
    'integer': '^[0-9]{1,6}$',
    'amount': '^[0-9]{1,12}([.][0-9]{1,2})?$',
    'share': '^(0([.][0-9]{1,8})?|1([.]0{1,8})?)$',
    'switch': '^(true|false)$',
    'text': '^.+$',
    'calendar': '^(net_days [0-9]{1,3}|day_of_month ([1-9]|[12][0-9]|3[01])'
        ~ '|business_day ([1-9]|1[0-9]|20))$',
} -%}
{%- set expected = {
    'integer': 'a whole number',
    'amount': 'an amount with at most two decimals',
    'share': 'a share from 0 to 1, as 0.2',
    'switch': 'true or false',
    'text': 'a text',
    'calendar': 'net_days N, day_of_month 1 to 31 or business_day 1 to 20',
} -%}

with rules as (
    select
        *,
        coalesce(affiliate_id, '(all)') as partner,
        coalesce(valid_from, date '1900-01-01') as first_day,
        coalesce(valid_to, date '9999-12-30') as last_day
    from {{ ref('affiliate_rules') }}
),

known as (
    {%- for rule in affiliate_rules() %}
    {%- set wanted = expected.get(rule.type, 'one of ' ~ rule.choices | join(', ')) %}
    select
        {{ rule.number }} as rule_number,
        '{{ rule.name }}' as rule,
        '{{ wanted }}{{ ", or off" if rule.off }}' as expected
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

ordered as (
    select
        *,
        case rule
            {%- for rule in affiliate_rules() %}
            {%- set pattern = patterns.get(rule.type, '^(' ~ rule.choices | join('|') ~ ')$') %}
            when '{{ rule.name }}'
                then value ~ '{{ pattern if not rule.off else pattern ~ "|^off$" }}'
            {%- endfor %}
        end as has_value,
        max(case when affiliate_id is null then 1 else 0 end) over (
            partition by rule
        ) as is_for_all,
        lag(last_day) over (
            partition by rule, partner order by first_day, last_day, value
        ) as last_day_before,
        lead(first_day) over (
            partition by rule, partner order by first_day, last_day, value
        ) as next_first_day
    from rules
),

judged as (
    select
        coalesce(ordered.rule, known.rule) as rule,
        ordered.affiliate_id,
        ordered.valid_from,
        case
            when known.rule is null
                then
                    'is no setting: spell it as docs/affiliate.md does, or take the row out'
            when coalesce(ordered.is_for_all, 0) = 0
                then 'has no row for all affiliates: add the one that docs/affiliate.md shows'
            when ordered.rule_number is null or ordered.rule_number <> known.rule_number
                then 'has the rule_number ' || known.rule_number || ': write it so'
            when not coalesce(ordered.has_value, false)
                then
                    'has the value ' || coalesce(ordered.value, '(nothing)') || ': give it '
                    || known.expected
            when ordered.rule = 'click_choice' and ordered.affiliate_id is not null
                then 'compares affiliates with each other: leave its affiliate_id empty'
            when ordered.last_day < ordered.first_day
                then 'ends before it begins: valid_to is its last day'
            when ordered.last_day_before >= ordered.first_day
                then 'begins before the row ends that comes before it: end that one the day before'
            when
                ordered.affiliate_id is null
                and (
                    ordered.last_day_before is null and ordered.first_day > date '1900-01-01'
                    or ordered.next_first_day is null and ordered.last_day < date '9999-12-30'
                    or ordered.next_first_day > ordered.last_day + 1
                )
                then
                    'leaves days for which nothing is said: the rows for all affiliates follow '
                    || 'each other, the first without valid_from, the last without valid_to'
        end as problem
    from ordered
    full outer join known on ordered.rule = known.rule
)

select
    rule,
    affiliate_id,
    valid_from,
    'the rule ' || coalesce(rule, '(without a name)') || ' of affiliate_rules.csv'
    || coalesce(' for ' || affiliate_id, '') || ' ' || problem as problem
from judged
where problem is not null
