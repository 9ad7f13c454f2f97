-- a circle of merges, or a chain of more than five, ends in an account that was merged itself
select
    aliases.merged_customer_id,
    aliases.customer_id,
    'merged in a circle or more than 5 times' as problem
from {{ ref('int_core__customer_aliases') }} as aliases
inner join
    {{ ref('int_core__customer_aliases') }} as further
    on aliases.customer_id = further.merged_customer_id
