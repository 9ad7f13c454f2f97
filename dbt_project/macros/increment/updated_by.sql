{#- What a model keeps beside its table: from which prints of its keys the table's rows were made. It
    is written in the transaction that writes the rows, so that the two never differ, whenever a
    build is killed or fails its audit. -#}
{% macro kept_prints() -%}
    {{ return(api.Relation.create(
        database=this.database, schema='intermediate', identifier='prints_of_' ~ model.name
    )) }}
{%- endmacro %}

{#- Prints by their model's name, which is read only where there is something to compare: a unit test
    does not give it. Hooks give the model itself, since dbt has to see that theirs reads it. -#}
{% macro changed_keys(prints, key='key_hash', digest='digest') -%}
    {%- if prints is string -%}{%- set prints = ref(prints) -%}{%- endif -%}
    select coalesce(present.{{ key }}, kept.changed_key) as changed_key
    from {{ prints }} as present
    full outer join {{ kept_prints() }} as kept on present.{{ key }} = kept.changed_key
    where
        present.{{ key }} is null
        or kept.changed_key is null
        or present.{{ digest }} <> kept.kept_digest
{%- endmacro %}

{% macro is_changed(prints, column, key='key_hash', digest='digest') -%}
    {%- if is_update() -%}
        {{ column }} in ({{ changed_keys(prints, key, digest) }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- Hooks. A table whose kept prints are missing is emptied: nobody knows what it was made from. -#}
{% macro forget_changed(prints, column, key='key_hash', digest='digest') -%}
    {%- if is_update() -%}
        delete from {{ this }}
        where {{ is_changed(prints, column, key, digest) }}
    {%- endif -%}
{%- endmacro %}

{% macro begin_prints(prints, key='key_hash', digest='digest') -%}
    {%- if is_update() -%}
        {%- set kept = kept_prints() -%}
        {%- if adapter.get_relation(kept.database, kept.schema, kept.identifier) is none -%}
            delete from {{ this }};
            create table {{ kept }} as
            select {{ key }} as changed_key, {{ digest }} as kept_digest
            from {{ prints }}
            where false
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro drop_prints() -%}
    {%- if execute -%}drop table if exists {{ kept_prints() }}{%- endif -%}
{%- endmacro %}

{% macro keep_prints(prints, key='key_hash', digest='digest') -%}
    {%- if execute -%}
        create table {{ kept_prints() }} as
        select {{ key }} as changed_key, {{ digest }} as kept_digest
        from {{ prints }}
    {%- endif -%}
{%- endmacro %}
