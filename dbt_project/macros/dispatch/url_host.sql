{% macro url_host(url) -%}
    {{ return(adapter.dispatch('url_host')(url)) }}
{%- endmacro %}

{#- `www.` tells no two sites apart. One pass over the text: cut by cut it took ten times as long. -#}
{% macro default__url_host(url) -%}
    case
        when {{ url }} like '%://%'
            then regexp_extract(lower({{ url }}), '://(?:www[.])?([^/?#:]*)', 1)
    end
{%- endmacro %}

{% macro redshift__url_host(url) -%}
    case
        when {{ url }} like '%://%'
            then
                split_part(
                    split_part(
                        split_part(
                            split_part(
                                split_part(replace(lower({{ url }}), '://www.', '://'), '://', 2),
                                '/', 1
                            ),
                            '?', 1
                        ),
                        '#', 1
                    ),
                    ':', 1
                )
    end
{%- endmacro %}
