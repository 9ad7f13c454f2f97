select
    pairs.product_id,
    pairs.other_product_id
from {{ ref('recommendation__product_pairs') }} as pairs
left join {{ ref('recommendation__product_pairs') }} as mirrored
    on
        pairs.kind = mirrored.kind
        and pairs.product_id = mirrored.other_product_id
        and pairs.other_product_id = mirrored.product_id
where
    mirrored.product_id is null
    or pairs.n_ab <> mirrored.n_ab
    or pairs.n_a <> mirrored.n_b
    or pairs.llr <> mirrored.llr
