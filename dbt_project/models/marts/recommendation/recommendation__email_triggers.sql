with triggers as (select * from {{ ref('int_recommendation__triggers') }}),

facts as (select * from {{ ref('int_recommendation__trigger_facts') }}),

contacts as (select * from {{ ref('int_recommendation__trigger_contacts') }}),

-- the first that applies is the reason
judged as (
    select
        triggers.*,
        case
            when triggers.contact_status is not null then null
            when triggers.customer_id is null then 'anonymous'
            when not facts.may_be_addressed then 'no_consent'
            when facts.is_bought then 'bought_since'
            when facts.is_written then 'already_sent'
            when not facts.is_active then 'inactive_product'
            when facts.is_blocked then 'blocked_category'
            when not facts.is_in_stock then 'out_of_stock'
            when facts.is_dearer_again then 'price_rose'
            when triggers.expires_at <= {{ as_of() }} then 'expired'
        end as reason
    from triggers
    inner join facts on triggers.trigger_id = facts.trigger_id
),

contacted as (
    select
        customer_id,
        count(
            case
                when {{ reporting_date('contacted_at') }} = {{ as_of_date() }} then 1
            end
        ) as contacts_today,
        count(*) as contacts_this_week
    from contacts
    where contacted_at > {{ as_of() }} - interval '7 days' and contacted_at <= {{ as_of() }}
    group by customer_id
),

-- of what may be written to a customer, the best comes first
ranked as (
    select
        *,
        row_number() over (
            partition by
                customer_id,
                case when contact_status is null and reason is null then 1 else 0 end
            order by priority asc, evidence_at desc, product_id asc, trigger_id asc
        ) as place
    from judged
),

capped as (
    select
        ranked.*,
        case
            when ranked.contact_status is not null or ranked.reason is not null
                then ranked.reason
            when
                coalesce(contacted.contacts_today, 0) + ranked.place
                > {{ var('trigger_daily_cap') }}
                then 'daily_cap'
            when
                coalesce(contacted.contacts_this_week, 0) + ranked.place
                > {{ var('trigger_weekly_cap') }}
                then 'weekly_cap'
        end as suppression
    from ranked
    left join contacted on ranked.customer_id = contacted.customer_id
),

final as (
    select
        cast(trigger_id as {{ varchar(64) }}) as trigger_id,
        cell,
        cast(kind as {{ varchar(64) }}) as kind,
        cast(priority as bigint) as priority,
        cast(customer_id as {{ varchar(256) }}) as customer_id,
        cast(product_id as {{ varchar(256) }}) as product_id,
        cast(evidence_type as {{ varchar(64) }}) as evidence_type,
        cast(evidence_id as {{ varchar(256) }}) as evidence_id,
        evidence_at,
        due_at,
        expires_at,
        cast(
            case
                when contact_status is not null then contact_status
                when suppression is not null then 'suppressed'
                else 'due'
            end as {{ varchar(64) }}
        ) as status,
        cast(suppression as {{ varchar(64) }}) as suppressed_by
    from capped
)

select * from final
