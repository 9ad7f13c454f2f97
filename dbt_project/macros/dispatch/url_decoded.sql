{% macro url_decoded(text) -%}
    {{ return(adapter.dispatch('url_decoded')(text)) }}
{%- endmacro %}

{#- What is no encoding, or decodes to no text, stays as it is. -#}
{% macro default__url_decoded(text) -%}
    case
        when contains({{ text }}, '%') or contains({{ text }}, '+')
            then coalesce(try(replace(url_decode(replace({{ text }}, '+', ' ')), chr(0), '')), {{ text }})
        else {{ text }}
    end
{%- endmacro %}

{#- Redshift decodes nothing: the codes of ASCII's signs, the sign for a code itself last. -#}
{% macro redshift__url_decoded(text) -%}
    {%- set codes = {
        '20': ' ', '21': '!', '22': '"', '23': '#', '24': '$', '26': '&', '27': "''", '28': '(',
        '29': ')', '2A': '*', '2B': '+', '2C': ',', '2D': '-', '2E': '.', '2F': '/', '3A': ':',
        '3B': ';', '3C': '<', '3D': '=', '3E': '>', '3F': '?', '40': '@', '5B': '[', '5D': ']',
        '5F': '_', '7B': '{', '7C': '|', '7D': '}', '7E': '~', '25': '%',
    } -%}
    {%- set decoded = namespace(text="replace(" ~ text ~ ", '+', ' ')") -%}
    {%- for code, sign in codes.items() -%}
        {%- for written in [code, code | lower] | unique -%}
            {%- set decoded.text = "replace(" ~ decoded.text ~ ", '%" ~ written ~ "', '" ~ sign ~ "')" -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ decoded.text }}
{%- endmacro %}
