{% macro url_host(url) -%}
    {#- `www.` tells no two sites apart. -#}
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
