{% test references_hold(model, key, references) %}

{%- for reference in references %}
select
    {%- for column in key %}
    child.{{ column }},
    {%- endfor %}
    {%- if model.schema == 'staging' %}
    child._load_id,
    {%- endif %}
    '{{ reference.column }} ' || cast(child.{{ reference.column }} as {{ varchar(256) }})
        || ' is unknown' as problem
from {{ model }} as child
left join {{ reference.to }} as parent
    on child.{{ reference.column }} = parent.{{ reference.field }}
where
    child.{{ reference.column }} is not null
    and parent.{{ reference.field }} is null
    {%- if reference.member %}
    and child.{{ reference.column }} <> '{{ reference.member }}'
    {%- endif %}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}

{% endtest %}
