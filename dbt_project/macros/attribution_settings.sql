{% macro attribution_settings() -%}
    {#- A row says only what changes: the rest is as in the row before it. -#}
    {%- set names = [
        'lookback_days', 'half_life_days', 'position_first', 'position_last', 'path_transform',
        'fit_days', 'markov_order', 'group_by',
    ] -%}
    {%- set complete = [] -%}
    {%- for given in var('attribution_settings') -%}
        {%- for name in given if name not in names + ['valid_from'] -%}
            {{ exceptions.raise_compiler_error(
                'attribution_settings: ' ~ name ~ ' is no setting; there are ' ~ names | join(', ')
            ) }}
        {%- endfor -%}
        {%- set row = {} -%}
        {%- do row.update(complete[-1] if complete else {}) -%}
        {%- do row.update(given) -%}
        {%- for name in ['valid_from'] + names if name not in row -%}
            {{ exceptions.raise_compiler_error(
                'attribution_settings: the first row lacks ' ~ name
            ) }}
        {%- endfor -%}
        {%- if not modules.re.fullmatch('[0-9]{4}-(0[1-9]|1[0-2])', row['valid_from'] | string) -%}
            {{ exceptions.raise_compiler_error(
                "attribution_settings: valid_from is a month like '2026-01', not " ~ row['valid_from']
            ) }}
        {%- endif -%}
        {%- if (row['valid_from'] | string) == '1900-01' and complete
            or (row['valid_from'] | string) != '1900-01' and not complete -%}
            {{ exceptions.raise_compiler_error(
                "attribution_settings: the first row, and no other, is valid from '1900-01'"
            ) }}
        {%- endif -%}
        {%- set values = [] -%}
        {%- for name in names -%}
            {%- do values.append(name ~ '=' ~ row[name]) -%}
        {%- endfor -%}
        {%- do row.update({'settings_id': local_md5(values | join(' '))}) -%}
        {%- do complete.append(row) -%}
    {%- endfor -%}
    {{ return(complete) }}
{%- endmacro %}
