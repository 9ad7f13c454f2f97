with evidence as (select * from {{ ref('int_recommendation__trigger_evidence') }}),

rules as (select * from {{ ref('trigger_rules') }}),

contacts as (select * from {{ ref('int_recommendation__trigger_contacts') }}),

timed as (
    select
        evidence.*,
        rules.priority,
        md5(
            evidence.kind
            || '|' || coalesce(evidence.customer_id, 'visitor ' || evidence.visitor_id)
            || '|' || evidence.product_id
            || '|' || evidence.evidence_id
        ) as trigger_id,
        evidence.evidence_at + rules.due_after_hours * interval '1 hour' as due_at,
        evidence.evidence_at + rules.lifetime_hours * interval '1 hour' as expires_at
    from evidence
    inner join rules on evidence.kind = rules.kind
    where
        evidence.product_id is not null
        and evidence.evidence_at >= {{ as_of() }} - interval '{{ var("trigger_window_days") }} days'
),

contacted as (
    select
        timed.*,
        contacts.status as contact_status
    from timed
    left join contacts on timed.trigger_id = contacts.trigger_id
),

-- One visit's look may be evidence of several kinds: of those not written yet only the first by
-- priority is, even while it is not due. What had expired when it happened stays as it was.
rivalled as (
    select
        *,
        min(case when contact_status is null then evidence_at end) over (
            partition by evidence_id, product_id
            order by priority, trigger_id
            rows between unbounded preceding and 1 preceding
        ) as rival_at
    from contacted
),

-- what has expired is judged as it was then, so that later events change nothing of the past
final as (
    select
        *,
        least(expires_at, {{ as_of() }}) as decided_at
    from rivalled
    where
        due_at <= {{ as_of() }}
        and (contact_status is not null or rival_at is null or rival_at >= expires_at)
)

select * from final
