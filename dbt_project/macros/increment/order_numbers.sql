{#- The highest number that an order was ever given in this database: a number that comes back would
    pass for the order that had it. -#}
{% macro order_numbers_given() -%}
    {{ return(api.Relation.create(
        database=this.database, schema='intermediate', identifier='order_numbers_given'
    )) }}
{%- endmacro %}

{% macro highest_order_number() -%}
    {%- set given = order_numbers_given() -%}
    {%- if execute and flags.INTROSPECT
        and adapter.get_relation(given.database, given.schema, given.identifier) is not none -%}
        (select coalesce(max(order_number), 0) from {{ given }})
    {%- else -%}
        0
    {%- endif -%}
{%- endmacro %}

{% macro begin_order_numbers() -%}
    {%- if execute -%}
        create table if not exists {{ order_numbers_given() }} (order_number bigint)
    {%- endif -%}
{%- endmacro %}

{% macro note_order_numbers() -%}
    {%- if execute -%}
        insert into {{ order_numbers_given() }}
        select max(order_number) from {{ this }}
    {%- endif -%}
{%- endmacro %}

{#- After the new ones are in: the old version of what changed, and what is no order any more. -#}
{% macro forget_old_versions(prints) -%}
    {%- if is_update() -%}
        delete from {{ this }}
        where
            order_number in (
                select versions.order_number
                from {{ this }} as versions
                left join
                    {{ prints }} as prints
                    on versions.order_id = prints.order_id and versions.digest = prints.digest
                where prints.order_id is null
            )
    {%- endif -%}
{%- endmacro %}

{% macro forget_gone_orders(versions) -%}
    {%- if is_update() -%}
        delete from {{ this }}
        where order_number not in (select order_number from {{ versions }})
    {%- endif -%}
{%- endmacro %}
