with given as (
    {%- for row in attribution_settings() %}
    select
        '{{ row["settings_id"] }}' as settings_id,
        cast('{{ row["valid_from"] }}-01' as date) as valid_from,
        {%- for name in ['lookback_days', 'half_life_days', 'position_first', 'position_last'] %}
        cast('{{ row[name] }}' as integer) as {{ name }},
        {%- endfor %}
        '{{ row["path_transform"] }}' as path_transform,
        cast('{{ row["fit_days"] }}' as integer) as fit_days,
        cast('{{ row["markov_order"] }}' as integer) as markov_order,
        '{{ row["group_by"] }}' as group_by
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        cast(settings_id as {{ varchar(64) }}) as settings_id,
        valid_from,
        lead(valid_from) over (order by valid_from) as valid_before,
        lookback_days,
        half_life_days,
        position_first,
        position_last,
        cast(path_transform as {{ varchar(64) }}) as path_transform,
        fit_days,
        markov_order,
        cast(group_by as {{ varchar(64) }}) as group_by
    from given
)

select * from final
