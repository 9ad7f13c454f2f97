{#- What a model keeps beside its table: from which prints of its keys the table's rows were made. It
    is written in the transaction that writes the rows, so that the two never differ, whenever a
    build is killed or fails its audit. -#}
{% macro kept_prints() -%}
    {{ return(api.Relation.create(
        database=this.database, schema='intermediate', identifier='prints_of_' ~ model.name
    )) }}
{%- endmacro %}

{#- The keys whose rows a run makes anew: found once, before the first of them is deleted. -#}
{% macro keys_to_make() -%}
    {{ return(api.Relation.create(
        database=this.database, schema='intermediate', identifier='keys_of_' ~ model.name
    )) }}
{%- endmacro %}

{% macro is_changed(prints, column, key='key_hash', digest='digest') -%}
    {%- if is_update() -%}
        {{ column }} in (select changed_key from {{ keys_to_make() }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- Hooks. They give the model of the prints itself, since dbt has to see that they read it. A table
    whose kept prints are missing is emptied: nobody knows what it was made from. -#}
{% macro begin_prints(prints, key='key_hash', digest='digest') -%}
    {%- if execute -%}
        {%- set kept = kept_prints() -%}
        {%- set is_known = is_update()
            and adapter.get_relation(kept.database, kept.schema, kept.identifier) is not none -%}
        {%- if not is_known -%}
            {%- if is_update() -%}delete from {{ this }};{%- endif %}
            drop table if exists {{ kept }};
            create table {{ kept }} as
            select {{ key }} as changed_key, {{ digest }} as kept_digest
            from {{ prints }}
            where false;
        {%- endif %}
        drop table if exists {{ keys_to_make() }};
        create table {{ keys_to_make() }} as
        select coalesce(present.{{ key }}, kept.changed_key) as changed_key
        from {{ prints }} as present
        full outer join {{ kept }} as kept on present.{{ key }} = kept.changed_key
        where
            present.{{ key }} is null
            or kept.changed_key is null
            or present.{{ digest }} <> kept.kept_digest
    {%- endif -%}
{%- endmacro %}

{% macro forget_changed(prints, column, key='key_hash', digest='digest') -%}
    {%- if is_update() -%}
        delete from {{ this }}
        where {{ is_changed(prints, column, key, digest) }}
    {%- endif -%}
{%- endmacro %}

{% macro drop_prints() -%}
    {%- if execute -%}
        delete from {{ kept_prints() }}
        where changed_key in (select changed_key from {{ keys_to_make() }})
    {%- endif -%}
{%- endmacro %}

{% macro keep_prints(prints, key='key_hash', digest='digest') -%}
    {%- if execute -%}
        insert into {{ kept_prints() }}
        select {{ key }} as changed_key, {{ digest }} as kept_digest
        from {{ prints }}
        where {{ key }} in (select changed_key from {{ keys_to_make() }});
        drop table {{ keys_to_make() }}
    {%- endif -%}
{%- endmacro %}

{#- What is of no key has no print: it is taken out, and read anew, every time. -#}
{% macro forget_nobodys(column) -%}
    {%- if is_update() -%}
        delete from {{ this }}
        where {{ column }} is null
    {%- endif -%}
{%- endmacro %}

{#- By whose path it is: a row that has no path's id yet. -#}
{% macro is_of_changed_path(versions) -%}
    {%- if is_update() -%}
        {{ row_hash(['path_key']) }} in (
            select owner_hash from {{ ref(versions) }}
            where
                owner_hash is not null
                and key_hash in (select changed_key from {{ keys_to_make() }})
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
