{% test valid_rows(model, key, not_null=[], times=[], accepted={}, holds={}) %}

with judged as (
    select
        {{ key | join(',\n        ') }},
        {%- if model.schema == 'staging' %}
        _load_id,
        {%- endif %}
        case
            {%- for column in not_null %}
            when {{ column }} is null then '{{ column }} is missing'
            {%- endfor %}
            {#- The calendar begins in 1900: a date of year 1, or an infinite one, is a slip. #}
            {%- for column in times %}
            when {{ column }} < '1900-01-01' or {{ column }} > '9999-12-31'
                then '{{ column }} is no time that can be'
            {%- endfor %}
            {%- for column, values in accepted.items() %}
            when {{ column }} not in ('{{ values | join("', '") }}')
                then '{{ column }} is ' || {{ column }}
            {%- endfor %}
            {%- for fact, condition in holds.items() %}
            when not ({{ condition }}) then 'not true: {{ fact }}'
            {%- endfor %}
        end as problem
    from {{ model }}
)

select * from judged
where problem is not null

{% endtest %}
