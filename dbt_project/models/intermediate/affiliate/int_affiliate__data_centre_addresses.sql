with clicks as (
    select * from {{ ref('int_affiliate__seen_clicks') }}
    where address like '%.%.%.%'
),

centres as (select * from {{ ref('data_centre_ranges') }}),

addresses as (
    select distinct address
    from clicks
    where address ~ '^[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}$'
),

-- an address and a range as numbers, by their first byte
numbered as (
    select
        address,
        cast(split_part(address, '.', 1) as bigint) as first_byte,
        {{ address_number('address') }} as address_number
    from addresses
),

networks as (
    select
        company,
        cast(split_part(first_address, '.', 1) as bigint) as first_byte,
        {{ address_number('first_address') }} as first_number,
        {{ address_number('last_address') }} as last_number
    from centres
),

final as (
    select
        numbered.address,
        min(networks.company) as company
    from numbered
    inner join
        networks
        on
            numbered.first_byte = networks.first_byte
            and numbered.address_number >= networks.first_number
            and numbered.address_number <= networks.last_number
    group by numbered.address
)

select * from final
