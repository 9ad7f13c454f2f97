with prints as (select * from {{ ref('int_affiliate__earning_prints') }}),

month_caps as (select * from {{ ref('int_affiliate__month_caps') }}),

extensions as (select * from {{ ref('int_affiliate__extensions') }}),

disputes as (select * from {{ ref('int_affiliate__disputes') }}),

parts as (
    select
        order_id,
        digest
    from prints
    {%- for relation, columns in [
        ('month_caps', ['order_line_id', 'cap_left', 'commission_amount']),
        ('extensions', ['order_line_id', 'extension_days']),
        ('disputes', ['order_id', 'held_since']),
    ] %}
    union all
    select
        order_id,
        cast({{ row_hash(["'" ~ relation ~ "'"] + columns) }} as decimal(38, 0)) as digest
    from {{ relation }}
    {%- endfor %}
),

final as (
    select
        order_id,
        {{ rows_print('digest') }} as digest
    from parts
    group by order_id
)

select * from final
