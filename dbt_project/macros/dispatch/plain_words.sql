{% macro plain_words(text) -%}
    {{ return(adapter.dispatch('plain_words')(text)) }}
{%- endmacro %}

{% macro default__plain_words(text) -%}
    trim(regexp_replace(strip_accents(lower({{ text }})), '[^a-z0-9]+', ' ', 'g'))
{%- endmacro %}

{#- Redshift knows no accents: the letters of western Europe's languages. -#}
{% macro redshift__plain_words(text) -%}
    {%- set plain = {
        'a': 'àáâãäå', 'c': 'ç', 'e': 'èéêë', 'i': 'ìíîï', 'n': 'ñ', 'o': 'òóôõö', 'u': 'ùúûü',
        'y': 'ýÿ',
    } -%}
    {%- set folded = namespace(text='lower(' ~ text ~ ')') -%}
    {%- for letter, others in plain.items() -%}
        {%- for other in others -%}
            {%- set folded.text = "replace(" ~ folded.text ~ ", '" ~ other ~ "', '" ~ letter ~ "')" -%}
        {%- endfor -%}
    {%- endfor -%}
    trim(regexp_replace({{ folded.text }}, '[^a-z0-9]+', ' '))
{%- endmacro %}
