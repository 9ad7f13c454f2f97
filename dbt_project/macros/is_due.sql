{% macro is_due(due_at='due_at') -%}
    {#- A row without a business time is let through: a not-null test names it, no filter hides it. -#}
    ({{ due_at }} is null or {{ due_at }} <= {{ as_of() }})
{%- endmacro %}
