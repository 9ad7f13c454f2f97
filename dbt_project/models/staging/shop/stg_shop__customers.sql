with users as (select * from {{ ref('base_shop__users') }}),

-- nobody can have been merged yet into an account that is still to come
final as (
    select
        cast(user_id as {{ varchar(256) }}) as customer_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(email as {{ varchar(256) }}) as email_hash,
        cast(country as {{ varchar(256) }}) as country,
        created_at,
        marketing_consent,
        cast(account_status as {{ varchar(64) }}) as account_status,
        cast(
            case when {{ is_due('survivor_due_at') }} then merged_into end as {{ varchar(256) }}
        ) as merged_into,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from users
    where {{ is_due() }}
)

select * from final
